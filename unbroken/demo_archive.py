"""A throwaway archive on this machine, and the plug between it and the demo's stations."""

import contextlib
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from base.errors import OperatorError
from provisioning.authority import Authority
from unbroken.demo_process import start_program
from unbroken.demo_roster import write_roster
from unbroken.demo_station import ELECTION, STATION, DemoStation

ADDRESS = "127.0.0.1"
_END_S = 30
_LOG = "archive.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoArchive:
    """Where the archive lies and listens."""

    config: Path
    data: Path
    url: str
    site: str
    """The address of its public pages."""
    supervision: str = ""
    """The address of the supervision centre for whoever sits at this machine."""


def make_archive(folder: Path, authority: Authority, stations: Sequence[str] = (STATION,)) -> DemoArchive:
    """Write keys, certificates, configuration and roster of an archive of these stations into ``folder``/archive, on
    ports that are free now.
    """
    archive = folder / "archive"
    archive.mkdir()
    tls, receipts = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    write_key(archive / "archive.key", tls)
    write_key(archive / "receipts.key", receipts)
    certificate = authority.certify_archive(tls.public_key(), [ADDRESS])
    (archive / "archive.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    _write_operator(archive, authority)
    # Receipt keys are short-lived.
    now = datetime.now(UTC)
    certificate = authority.certify_receipts(
        receipts.public_key(), valid_from=now - timedelta(hours=1), valid_to=now + timedelta(days=8)
    )
    (archive / "receipts.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (archive / "stations.csv").write_text(write_roster(stations), encoding="utf-8")
    port, site_port, supervision_port, loopback_port = _free_ports(4)
    config = archive / "archive.toml"
    config.write_text(
        _CONFIG.format(port=port, site_port=site_port, supervision_port=supervision_port, loopback_port=loopback_port),
        encoding="utf-8",
    )
    return DemoArchive(
        config=config,
        data=archive / "data",
        url=f"https://{ADDRESS}:{port}",
        site=f"http://{ADDRESS}:{site_port}",
        supervision=f"http://{ADDRESS}:{loopback_port}",
    )


def connect(station: DemoStation, authority: Authority, archive: DemoArchive) -> None:
    """Give the station an uplink to the archive."""
    folder = station.config.parent
    key = ec.generate_private_key(ec.SECP256R1())
    write_key(folder / "uplink.key", key)
    certificate = authority.certify_uplink(key.public_key(), station.name, station.unit)
    (folder / "uplink.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    with station.config.open("a", encoding="utf-8") as config:
        config.write(_UPLINK.format(url=archive.url))


def _write_operator(folder: Path, authority: Authority) -> None:
    """An operator's key and certificate, as a browser imports them (PKCS#12, without a password)."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.certify_operator(key.public_key(), "demo-desk", "administer")
    place = folder / "operator.p12"
    place.touch(mode=0o600)
    place.write_bytes(serialize_key_and_certificates(b"demo-desk", key, certificate, None, NoEncryption()))


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """A private key in PEM that only its owner can read."""
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class Plug:
    """The process that takes in what stations deliver: plugged in while it runs."""

    def __init__(self, archive: DemoArchive) -> None:
        self._archive = archive
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def plugged(self) -> bool:
        """Whether the archive can be reached."""
        return self._process is not None and self._process.poll() is None

    def require_alive(self) -> None:
        """Raises OperatorError where the archive has ended and nobody pulled the plug."""
        if self._process is not None and self._process.poll() is not None:
            log = self._archive.config.with_name(_LOG)
            last = log.read_text().strip().splitlines()[-1:]
            raise OperatorError(f"The archive ended: {''.join(last)}", hint=f"See {log}.")

    def plug_in(self) -> None:
        """Start the archive. Idempotent."""
        if self.plugged:
            return
        config = self._archive.config
        words = ["archive", "ingest", "--config", str(config)]
        self._process = start_program(words, config.with_name(_LOG))

    def pull(self) -> None:
        """Stop it. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_END_S)
        self._process = None


class Pages:
    """Publisher, site and supervision: what is seen, whether the archive can be reached by stations or not."""

    def __init__(self, archive: DemoArchive) -> None:
        self._archive = archive
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start them; each waits for what it needs."""
        config = self._archive.config
        for verb in ("publish", "site", "supervision"):
            words = ["archive", verb, "--config", str(config)]
            self._processes[verb] = start_program(words, config.with_name(f"{verb}.log"))

    def require_alive(self) -> None:
        """Raises OperatorError where one has ended."""
        for verb, process in self._processes.items():
            if process.poll() is not None:
                log = self._archive.config.with_name(f"{verb}.log")
                last = log.read_text().strip().splitlines()[-1:]
                raise OperatorError(f"The archive's {verb} ended: {''.join(last)}", hint=f"See {log}.")

    def end(self) -> None:
        """None runs on return. Idempotent."""
        running = [process for process in self._processes.values() if process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            process.wait(_END_S)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((ADDRESS, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


_CONFIG = f"""\
[archive]
election = "{ELECTION}"
name = "demo-archive"

[listen]
address = "{ADDRESS}"
port = {{port}}

[keys]
trust = "../root.pem"
key = "archive.key"
certificate = "archive.pem"
receipt_key = "receipts.key"
receipt_certificate = "receipts.pem"

[disk]
data = "data"

[publish]
test = true

[site]
port = {{site_port}}
roster = "stations.csv"
time_zone = "Asia/Baku"
title_az = "Nümunə seçkisi"
title_en = "Sample election"
title_ru = "Пример выборов"

[supervision]
port = {{supervision_port}}
key = "archive.key"
certificate = "archive.pem"
loopback_operator = "operate"
loopback_port = {{loopback_port}}

[limits]
free_mib = 0
"""

_UPLINK = """
[uplink]
url = "{url}"
certificate = "uplink.pem"
key = "uplink.key"
data = "uplink"
"""
