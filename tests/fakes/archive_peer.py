"""A small honest archive in memory that speaks spec/upload.md over real TLS, and can be told to lie or to fail.

It verifies what it takes: the chain of the lines, signatures aside, and the digest of each segment. What it counts and
remembers is for the test to look at.
"""

import asyncio
import hashlib
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evidence import jws
from evidence.errors import EvidenceError
from evidence.lines import Line, Segment, genesis, line_hash, read_payload
from evidence.receipt import Acknowledged, Receipt, write_receipt
from evidence.words import Mode
from provisioning.authority import Authority
from tests.fakes.station import NOON_US, private_key, signer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MOST_LACKS = 512


@dataclass(slots=True)
class Faults:
    """What the archive does wrong. Each is off."""

    cut_at: set[int] = field(default_factory=set)
    """Exchanges (by number, from 0) that are done and whose answer is never sent."""
    cut_before: set[int] = field(default_factory=set)
    """Exchanges that are cut before anything is done."""
    busy: int = 0
    """So many media requests are answered 503."""
    retry_after: str | None = "0"
    refuse: set[str] = field(default_factory=set)
    """Digests that are answered 422."""
    forget: bool = False
    """Media are acknowledged and thrown away."""
    receipt_for: dict[str, object] = field(default_factory=dict)
    """Members that receipts carry instead of the true ones."""
    receipt_key: str = "receipts"
    stall: bool = False
    """Requests are taken, and nothing is ever answered."""
    portal: bool = False
    """Everything is answered as a captive portal does."""
    refuse_line: int | None = None


class ArchivePeer:
    """One unit's archive. An async context manager; while it is entered, it listens on loopback."""

    def __init__(
        self,
        authority: Authority,
        folder: Path,
        *,
        station: str = "57-002",
        unit: str = "u1",
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
        role: str = "archive",
        names: Sequence[str] = ("127.0.0.1", "localhost"),
    ) -> None:
        self._authority = authority
        self._whose = (authority.election, station, unit)
        folder.mkdir(parents=True, exist_ok=True)
        self.lines: list[bytes] = []
        self.abandoned: list[list[bytes]] = []
        """The ends of ledgers that a branch has replaced."""
        self.media: dict[str, bytes] = {}
        self.sent: Counter[str] = Counter()
        """How often the bytes of each segment came in whole."""
        self.named: dict[str, int] = {}
        """Digests that lines name, the newest line of each."""
        self.order: list[tuple[str, str]] = []
        """Digest and priority of the segments, as they came."""
        self.receipts: dict[tuple[str, ...], str] = {}
        self.exchanges = 0
        self._most = MOST_LACKS
        self.log: list[str] = []
        self.faults = Faults()
        self.utc_us = NOON_US
        key = private_key("archive-tls")
        if role == "archive":
            cert = authority.certify_archive(key.public_key(), names, valid_from=valid_from, valid_to=valid_to)
        else:
            cert = authority.certify_uplink(key.public_key(), station, unit)
        self._context = _server_context(folder, authority.root_pem, cert.public_bytes(Encoding.PEM), key)
        self._receipt_certs = (
            authority.certify_receipts(private_key("receipts").public_key()).public_bytes(Encoding.DER),
        )
        self.port = 0
        self._runner: web.AppRunner

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ledger(self) -> bytes:
        """The ledger as the station has it now."""
        return b"".join(line + b"\n" for line in self.lines)

    def forget_everything(self) -> None:
        """The disk is gone; the archive begins anew."""
        self.lines, self.media, self.named, self.receipts = [], {}, {}, {}

    def cut_lines(self, count: int) -> None:
        """Yesterday's backup: only the first lines are there."""
        self.lines = self.lines[:count]
        self.named = {sha: seq for sha, seq in self.named.items() if seq < count}

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._faulty], client_max_size=80 << 20)
        application.router.add_post("/v1/lines", self._post_lines)
        application.router.add_put("/v1/media/{sha256}", self._put_media)
        application.router.add_post("/v1/receipts", self._post_receipts)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._context, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _faulty(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        number, self.exchanges = self.exchanges, self.exchanges + 1
        if self.faults.stall:
            await asyncio.sleep(3600)
        if self.faults.portal:
            return web.Response(text="<html>Please accept our terms</html>", content_type="text/html")
        if number in self.faults.cut_before:
            return _cut(request)
        answer = await handler(request)
        self.log.append(f"{request.method} {request.path_qs} {answer.status}")
        if number in self.faults.cut_at:
            return _cut(request)
        return answer

    async def _post_lines(self, request: web.Request) -> web.Response:
        data = await request.read()
        asked, branch = request.query.get("from"), request.query.get("branch")
        self._most = int(request.query.get("lacks", MOST_LACKS))
        if asked is not None:
            at = int(asked)
            return self._answer(200, None if at >= len(self.lines) else at)
        if branch is not None:
            return self._branch(int(branch), data)
        return self._append(data)

    def _branch(self, begin: int, data: bytes) -> web.Response:
        lines = data.split(b"\n")[:-1]
        if begin < len(self.lines):
            if self.lines[begin : begin + len(lines)] != lines:
                kept = self.lines[:begin]
                self.abandoned.append(self.lines[begin:])
                self.lines = kept
                return self._append(data)
            return self._answer(200, len(self.lines) - 1)
        return self._append(data)

    def _append(self, data: bytes) -> web.Response:
        lines = data.split(b"\n")
        assert lines.pop() == b"", "a line without its end"
        assert len(data) <= 1 << 20
        assert len(lines) <= 2_048
        known = {line: seq for seq, line in enumerate(self.lines)}
        while lines and lines[0] in known:
            lines.pop(0)
        for number, text in enumerate(lines):
            try:
                line = read_payload(jws.unseal(text).payload)
                if line.seq == self.faults.refuse_line:
                    raise ValueError("it was told to")
            except (EvidenceError, ValueError) as error:
                told = {"seq": len(self.lines), "code": "signature-wrong", "message": str(error)}
                return self._answer(422, len(self.lines) - 1, told)
            prev = line_hash(self.lines[-1]) if self.lines else genesis(*self._whose)
            if line.seq != len(self.lines) or line.prev != prev:
                assert number == 0, "lines out of order"
                return self._answer(409, len(self.lines) - 1)
            self.lines.append(text)
            self._name(line)
        return self._answer(200, len(self.lines) - 1)

    def _name(self, line: Line) -> None:
        if isinstance(line.body, Segment) and line.body.mode is not Mode.UNARMED:
            self.named[line.body.sha256] = line.seq

    def _answer(self, status: int, seq: int | None, refused: object = None) -> web.Response:
        head = None
        if seq is not None and 0 <= seq < len(self.lines):
            head = {"seq": seq, "sha256": line_hash(self.lines[seq])}
        lacks = sorted((sha for sha in self.named if sha not in self.media), key=lambda sha: -self.named[sha])
        receipt = None
        if head is not None and status == 200:
            receipt = self._sign(kind=Acknowledged.LOGGED, **head)
        members = {"head": head, "lacks": lacks[: self._most], "receipt": receipt, "refused": refused}
        return web.json_response(members, status=status)

    async def _put_media(self, request: web.Request) -> web.Response:
        sha256 = request.match_info["sha256"]
        if sha256 not in self.named:
            return web.Response(status=404)
        if self.faults.busy:
            self.faults.busy -= 1
            headers = {} if self.faults.retry_after is None else {"Retry-After": self.faults.retry_after}
            return web.Response(status=503, headers=headers)
        data = await request.read()
        assert request.headers["Content-Type"] == "video/mp4"
        assert int(request.headers["Content-Length"]) == len(data)
        self.sent[sha256] += 1
        self.order.append((sha256, request.headers["Priority"]))
        if sha256 in self.faults.refuse or hashlib.sha256(data).hexdigest() != sha256:
            return web.json_response({"code": "media-changed", "message": "other bytes"}, status=422)
        if sha256 in self.media:
            return web.Response(status=200)
        if not self.faults.forget:
            self.media[sha256] = data
        return web.Response(status=201)

    async def _post_receipts(self, request: web.Request) -> web.Response:
        asked = (await request.json())["media"]
        assert asked == sorted(set(asked))
        assert 1 <= len(asked) <= 128
        lacks = [each for each in asked if each not in self.media]
        if lacks:
            return web.json_response({"receipt": None, "lacks": lacks})
        key = tuple(asked)
        if key not in self.receipts or self.faults.receipt_for or self.faults.receipt_key != "receipts":
            self.receipts[key] = self._sign(kind=Acknowledged.STORED, media=key)
        return web.json_response({"receipt": self.receipts[key], "lacks": []})

    def _sign(self, **members: object) -> str:
        election, station, unit = self._whose
        whole: dict[str, object] = {
            "election": election,
            "station": station,
            "unit": unit,
            "archive": "centre",
            "utc_us": self.utc_us,
            "certs": self._receipt_certs,
            **members,
            **{name: value for name, value in self.faults.receipt_for.items() if name != "media" or name in members},
        }
        return write_receipt(Receipt(**whole), signer(self.faults.receipt_key))  # type: ignore[arg-type]


def _cut(request: web.Request) -> web.Response:
    """The connection is gone; nothing more comes through."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _server_context(
    folder: Path, root_pem: bytes, certificate: bytes, key: ec.EllipticCurvePrivateKey
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    # Certificates of tests have dates of their own; the archive's look at them is not what is tested here.
    context.verify_flags |= 0x200000
    context.load_verify_locations(cadata=root_pem.decode())
    (folder / "archive.pem").write_bytes(certificate)
    (folder / "archive.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context.load_cert_chain(folder / "archive.pem", folder / "archive.key")
    return context
