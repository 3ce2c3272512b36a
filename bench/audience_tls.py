"""What TLS adds to nginx: of media for each megabyte, for each new viewer, and in memory while they stay."""

import ssl
from contextlib import ExitStack
from pathlib import Path

from archive.config import ArchiveConfig
from archive.site.nginx import Front
from bench.asking import Asked, ask, connect
from bench.program import Program
from bench.row import Row
from tests.fakes.nginx import RunningNginx

CONNECTIONS, PROCESSES, SECONDS = 8, 2, 4.0
HANDSHAKES = 1_000
IDLE = 1_000


def tls_rows(folder: Path, config: ArchiveConfig, files: list[str], plain_ms_per_mb: float) -> list[Row]:
    """``files`` are addresses of published media of ``config``'s archive, whose own certificate of P-256 serves."""
    front = RunningNginx(folder / "tls", config, front=Front(certificate=config.certificate, key=config.key), workers=2)
    context = ssl.create_default_context(cafile=str(config.trust))
    with Program(front.command, folder / "tls.log") as nginx:
        nginx.listen(front.port)
        before_s = nginx.cpu_s()
        asked = ask(front.port, files, connections=CONNECTIONS, processes=PROCESSES, seconds=SECONDS, tls=context)
        media_s = nginx.cpu_s() - before_s
        before_s = nginx.cpu_s()
        for _ in range(HANDSHAKES):
            connect(front.port, context).close()
        handshakes_s = nginx.cpu_s() - before_s
        before_mib = nginx.resident_mib()
        with ExitStack() as stack:
            for _ in range(IDLE):
                stack.enter_context(connect(front.port, context))
            idle_mib = nginx.resident_mib() - before_mib
    return _rows(asked, media_s, handshakes_s, idle_mib, plain_ms_per_mb)


def _rows(asked: Asked, media_s: float, handshakes_s: float, idle_mib: float, plain_ms_per_mb: float) -> list[Row]:
    return [
        Row(
            name="media from nginx over TLS, CPU",
            value=media_s * 1e9 / asked.received_bytes,
            unit="ms per MB",
            reference="without TLS",
            reference_value=plain_ms_per_mb,
            note=f"TLS 1.3, AES-GCM; {asked.mb_s:,.0f} MB/s, as fast as the generator takes it",
        ),
        Row(
            name="a new viewer's TLS handshake, nginx's CPU",
            value=handshakes_s / HANDSHAKES * 1e3,
            unit="ms",
            note="P-256, not resumed",
        ),
        Row(
            name="a viewer's idle TLS connection, nginx's memory",
            value=idle_mib * 1024 / IDLE,
            unit="KiB",
            note=f"resident, {IDLE:,} of them",
        ),
    ]
