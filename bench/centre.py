"""Who is delivered to: a real archive as a process of its own, and in its place the servers that it stands beside."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from archive.names import UnitName
from bench.program import Program, free_port
from provisioning.authority import Authority
from unbroken.demo_archive import make_archive, write_key
from unbroken.demo_station import ELECTION

ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A program that is to be started, and where it will listen. ``archive`` where it speaks spec/upload.md."""

    name: str
    program: Program
    port: int
    archive: bool


class Centre:
    """An election's authority, and the servers that have its certificates."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.authority = Authority.generate(ELECTION)
        self.root = folder / "root.pem"
        self.root.write_bytes(self.authority.root_pem)
        self._uplink_key = ec.generate_private_key(ec.SECP256R1())
        """One for all: who speaks is in the certificate."""
        self.uplink_key = folder / "uplink.key"
        write_key(self.uplink_key, self._uplink_key)
        self._archive = make_archive(folder, self.authority)
        self._config = self._archive.config.read_text()
        self._port = int(self._archive.url.rpartition(":")[2])

    def certificate(self, station: str, unit: str) -> Path:
        """A new certificate of a unit's uplink, as a file."""
        path = self.folder / f"{station}.{unit}.pem"
        certificate = self.authority.certify_uplink(self._uplink_key.public_key(), station, unit)
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        return path

    def archive(self, *, workers: int = 1, data: str = "data") -> Listener:
        """``unbroken archive ingest``; ``data`` is the name of the folder that it begins with or goes on with."""
        config = self._archive.config.with_name(f"{data}.toml")
        text = self._config.replace('data = "data"', f'data = "{data}"')
        config.write_text(f"{text}workers = {workers}\n")
        command: list[str | Path] = [sys.executable, "-m", "unbroken", "archive", "ingest", "--config", config]
        return self._listener(f"workers = {workers}", command, self._port, archive=True)

    def bare(self, data: str) -> Listener:
        """Our own barest server (`bench.bare`)."""
        port = free_port()
        command: list[str | Path] = [sys.executable, "-m", "bench.bare"]
        command += [self._archive.config, str(port), self.folder / data]
        return self._listener("bare", command, port, archive=False)

    def nginx(self, data: str) -> Listener:
        """nginx's WebDAV, which neither hashes nor syncs."""
        port, folder = free_port(), (self.folder / data).resolve()
        folder.mkdir()
        config = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(
            _NGINX.format(user=user, folder=folder, port=port, keys=self._archive.config.parent.resolve())
        )
        return self._listener("nginx", ["nginx", "-p", folder, "-c", config], port, archive=False)

    def ledger(self, name: UnitName, data: str = "data") -> Path:
        """What the archive has of a unit's lines."""
        return self._archive.data.with_name(data) / "ledgers" / name.station / name.unit / "0.jws"

    def _listener(self, name: str, command: list[str | Path], port: int, *, archive: bool) -> Listener:
        log = self.folder / f"{name.replace(' ', '')}.log"
        return Listener(name=name, program=Program(command, log), port=port, archive=archive)


_NGINX = """\
{user}
daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_max_body_size 64m;
    client_body_buffer_size 128k;
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/unused;
    fastcgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_protocols TLSv1.3;
        ssl_certificate {keys}/archive.pem;
        ssl_certificate_key {keys}/archive.key;
        ssl_client_certificate {keys}/../root.pem;
        ssl_verify_client on;
        root {folder}/media;
        location / {{
            dav_methods PUT;
            create_full_put_path on;
        }}
    }}
}}
"""
