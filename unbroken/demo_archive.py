"""A throwaway archive on this machine, and the plug between it and the demo's stations."""

import socket
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from base.errors import OperatorError
from provisioning.authority import Authority
from unbroken.demo_process import start_program
from unbroken.demo_station import ELECTION, DemoStation

ADDRESS = "127.0.0.1"
_END_S = 30
_LOG = "archive.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoArchive:
    """Where the archive lies and listens."""

    config: Path
    data: Path
    url: str


def make_archive(folder: Path, authority: Authority) -> DemoArchive:
    """Write keys, certificates and configuration of an archive into ``folder``/archive, on a port that is free now."""
    archive = folder / "archive"
    archive.mkdir()
    tls, receipts = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    write_key(archive / "archive.key", tls)
    write_key(archive / "receipts.key", receipts)
    certificate = authority.certify_archive(tls.public_key(), [ADDRESS])
    (archive / "archive.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    # Receipt keys are short-lived.
    now = datetime.now(UTC)
    certificate = authority.certify_receipts(
        receipts.public_key(), valid_from=now - timedelta(hours=1), valid_to=now + timedelta(days=8)
    )
    (archive / "receipts.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    port = _free_port()
    config = archive / "archive.toml"
    config.write_text(_CONFIG.format(port=port))
    return DemoArchive(config=config, data=archive / "data", url=f"https://{ADDRESS}:{port}")


def connect(station: DemoStation, authority: Authority, archive: DemoArchive) -> None:
    """Give the station an uplink to the archive."""
    folder = station.config.parent
    key = ec.generate_private_key(ec.SECP256R1())
    write_key(folder / "uplink.key", key)
    certificate = authority.certify_uplink(key.public_key(), station.name, station.unit)
    (folder / "uplink.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    with station.config.open("a", encoding="utf-8") as config:
        config.write(_UPLINK.format(url=archive.url))


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """A private key in PEM that only its owner can read."""
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class Plug:
    """The archive's process: plugged in while it runs."""

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
        words = ["archive", "serve", "--config", str(config)]
        self._process = start_program(words, config.with_name(_LOG))

    def pull(self) -> None:
        """Stop it. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_END_S)
        self._process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


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
