"""A throwaway archive on this machine, and the plug between it and the demo's station."""

import socket
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provisioning.authority import Authority
from unbroken.demo_station import ELECTION, STATION, UNIT

ADDRESS = "127.0.0.1"
_END_S = 30


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


def connect(folder: Path, authority: Authority, archive: DemoArchive) -> None:
    """Give the station in ``folder`` an uplink to the archive."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_key(folder / "uplink.key", key)
    certificate = authority.certify_uplink(key.public_key(), STATION, UNIT)
    (folder / "uplink.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    with (folder / "station.toml").open("a", encoding="utf-8") as config:
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

    def plug_in(self) -> None:
        """Start the archive. Idempotent."""
        if self.plugged:
            return
        command = [sys.executable, "-m", "unbroken", "archive", "serve", "--config", str(self._archive.config)]
        with self._archive.config.with_name("archive.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def pull(self) -> None:
        """Stop it. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_END_S)


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
