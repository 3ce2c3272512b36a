"""A real archive on the loopback, in a thread of its own, and the other end of its connections."""

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from archive.config import ArchiveConfig, Limits
from archive.ingest.app import LINES_TYPE
from archive.parts import open_parts
from archive.publicconfig import PublishConfig, SiteConfig
from archive.serve import run
from base.durable import Disk
from base.service import Service
from evidence.certificate import Trust
from provisioning.authority import Authority
from tests.fakes.clock import FakeClock
from tests.fakes.station import NOON_US, private_key

WAIT_S = 30
ELECTION = "az-2026"
LIMITS = Limits(in_flight_mib=64, backfill_mib=32, free_mib=0, stall_s=10, branches=4)


def timeless_authority(seed: str = "authority") -> Authority:
    """An authority whose certificates have neither beginning nor end: TLS judges them by this machine's clock."""
    return Authority(
        ELECTION,
        root_key=private_key(f"{seed}-root"),
        authority_key=private_key(f"{seed}-signer"),
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
        valid_to=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        deterministic=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the archive answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body, which is an object."""
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


class Uplink:
    """Speaks for one unit, one request at a time; says exactly what it is told to, right or wrong."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port, self._context = port, context
        self._connection: HTTPSConnection | None = None

    def lines(self, texts: Sequence[bytes] = (), query: str = "", **headers: str) -> Reply:
        """POST lines, given without LF."""
        body = b"".join(text + b"\n" for text in texts)
        return self.send("POST", f"/v1/lines{query}", body, {"Content-Type": LINES_TYPE, **_named(headers)})

    def media(self, data: bytes, sha256: str | None = None, **headers: str) -> Reply:
        """PUT a segment, under its digest or another; ``headers`` replace the right ones, with _ for -."""
        digest = hashlib.sha256(data).digest()
        right = {
            "Content-Type": "video/mp4",
            "Repr-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
            "Priority": "u=1",
        }
        return self.send("PUT", f"/v1/media/{sha256 or digest.hex()}", data, {**right, **_named(headers)})

    def receipts(self, media: object) -> Reply:
        """POST digests to be acknowledged."""
        body = json.dumps({"media": media}).encode()
        return self.send("POST", "/v1/receipts", body, {"Content-Type": "application/json"})

    @property
    def context(self) -> ssl.SSLContext:
        """For connections that a test makes itself."""
        return self._context

    def open(self) -> HTTPSConnection:
        """The connection; a new one where there is none."""
        if self._connection is None:
            self._connection = HTTPSConnection("127.0.0.1", self._port, context=self._context, timeout=WAIT_S)
        return self._connection

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One request and its answer. Raises OSError or HTTPException where there is none."""
        connection = self.open()
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return Reply(status=answer.status, headers=dict(answer.headers), body=answer.read())
        except (OSError, HTTPException):
            self.close()
            raise

    def send_and_hang_up(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """A request whose answer never arrives: the connection goes as soon as the request is out."""
        self.close()
        connection = HTTPSConnection("127.0.0.1", self._port, context=self._context, timeout=WAIT_S)
        connection.request(method, path, body, dict(headers))
        connection.close()

    def close(self) -> None:
        """End the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class RunningArchive:
    """``start`` and ``stop`` are the life of one process; keys and data outlive it."""

    def __init__(self, folder: Path, by: Authority, *, disk: Disk | None = None, limits: Limits = LIMITS) -> None:
        self.folder, self.by = folder, by
        self.disk = disk or Disk()
        self.clock = FakeClock(boot_ns=1, utc_us=NOON_US, error_us=5_000)
        keys = folder / "keys"
        keys.mkdir(parents=True)
        (keys / "root.pem").write_bytes(by.root_pem)
        names = ["127.0.0.1", "localhost"]
        _write_pair(keys / "archive", private_key("archive"), by.certify_archive(_public("archive"), names))
        _write_pair(keys / "receipts", private_key("receipts"), by.certify_receipts(_public("receipts")))
        self.config = ArchiveConfig(
            election=ELECTION,
            name="centre",
            address="127.0.0.1",
            port=0,
            trust=keys / "root.pem",
            revoked=None,
            key=keys / "archive.key",
            certificate=keys / "archive.pem",
            receipt_key=keys / "receipts.key",
            receipt_certificate=keys / "receipts.pem",
            data=folder / "data",
            database=f"sqlite:///{folder / 'index.sqlite'}",
            limits=limits,
            publish=PublishConfig(
                folder=folder / "published", database=f"sqlite:///{folder / 'publish.sqlite'}", test=True
            ),
            site=SiteConfig(address="127.0.0.1", port=0, origin=None, roster=None, time_zone="Asia/Baku", titles={}),
        )
        self.trust = Trust.from_pem(by.root_pem)
        self.error: BaseException | None = None
        self._uplinks: list[Uplink] = []
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to serve; on return it listens, or has ended with ``error``."""
        self.error = self._loop = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        assert self._ready.wait(WAIT_S)

    def stop(self) -> None:
        """An orderly end, if it has not ended. Idempotent."""
        self.hang_up()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended, and its thread is about to
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    def at(self, port: int) -> None:
        """An archive that runs elsewhere with these keys is spoken to at ``port``."""
        self._port = port

    def leave(self, uplink: Uplink) -> None:
        """Do not end this connection with the others: its peer says nothing any more."""
        self._uplinks.remove(uplink)

    def hang_up(self) -> None:
        """End all connections."""
        for uplink in self._uplinks:
            uplink.close()
        self._uplinks.clear()

    def uplink(self, station: str = "57-002", unit: str = "u1", *, key: str = "uplink") -> Uplink:
        """A connection for a unit, with a real certificate."""
        return self.connect(key, self.by.certify_uplink(_public(key), station, unit))

    def connect(self, key: str, certificate: x509.Certificate | None) -> Uplink:
        """A connection with any certificate, or none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cafile=self.config.trust)
        if certificate is not None:
            path = self.folder / "keys" / f"{certificate.serial_number}"
            _write_pair(path, private_key(key), certificate)
            context.load_cert_chain(path.with_suffix(".pem"), path.with_suffix(".key"))
        uplink = Uplink(self._port, context)
        self._uplinks.append(uplink)
        return uplink

    def ledger(self, branch: int = 0, station: str = "57-002", unit: str = "u1") -> bytes:
        """A branch as the archive keeps it."""
        return (self.config.data / "ledgers" / station / unit / f"{branch}.jws").read_bytes()

    def object(self, sha256: str) -> Path:
        """Where media lie."""
        return self.config.data / "cas" / sha256[:2] / sha256

    def _live(self) -> None:
        try:
            with open_parts(self.config, self.disk) as parts:
                self._stop = asyncio.Event()

                async def main() -> None:
                    self._loop = asyncio.get_running_loop()
                    try:
                        await run(
                            parts, clock=self.clock, service=Service(), stop=self._stop, listening=self._listening
                        )
                    finally:
                        await _hang_up(self._loop)

                asyncio.run(main())
        except BaseException as error:
            self.error = error
        finally:
            self._ready.set()

    def _listening(self, port: int) -> None:
        self._port = port
        self._ready.set()


async def _hang_up(loop: asyncio.AbstractEventLoop) -> None:
    """End what still waits for a peer's goodbye under TLS: a process that ends does so, a loop does not."""
    left: Mapping[int, asyncio.WriteTransport] = getattr(loop, "_transports")  # noqa: B009
    for transport in list(left.values()):
        transport.abort()
    await asyncio.sleep(0)


def _write_pair(path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    path.with_suffix(".pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.with_suffix(".key").write_bytes(pem)


def _public(seed: str) -> ec.EllipticCurvePublicKey:
    return private_key(seed).public_key()


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
