"""A real nginx with the archive's own configuration, on the loopback, and whoever asks it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path

from archive.config import ArchiveConfig
from archive.site.nginx import Front, render

WAIT_S = 30
# Where Debian keeps it, and a user does not look.
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin") or "nginx"
_STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RunningNginx:
    """All that it writes lies in ``folder``; ``start`` and ``stop`` are its life."""

    def __init__(self, folder: Path, config: ArchiveConfig, *, front: Front | None = None, workers: int = 1) -> None:
        """``config`` says where the published tree lies and where the site listens."""
        folder.mkdir()
        (folder / _STATE).mkdir()
        self.folder, self.port = folder, free_port()
        self.log = folder / "error.log"
        self.front = replace(
            front or Front(),
            listen=(f"127.0.0.1:{self.port}",),
            state=folder / _STATE,
            pid=folder / "pid",
            log=self.log,
            user="root" if os.geteuid() == 0 else None,
            workers=workers,
            relay=free_port(),
        )
        self.config = folder / "nginx.conf"
        self.config.write_text(render(config, self.front), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def check(self) -> str:
        """What ``nginx -t`` says. It must find nothing wrong."""
        command = [NGINX, "-t", "-c", str(self.config), "-e", str(self.log)]
        told = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
        assert told.returncode == 0, told.stderr
        return told.stderr

    @property
    def command(self) -> list[str]:
        """What starts it, to stay in the foreground."""
        return [NGINX, "-c", str(self.config), "-e", str(self.log), "-g", "daemon off;"]

    def start(self) -> None:
        """On return it listens."""
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        deadline = time.monotonic() + WAIT_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, (self.folder / "said").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self) -> None:
        """Idempotent."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(WAIT_S)
            self.process = None

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        told: Mapping[str, str] | None = None,
        **headers: str,
    ) -> Said:
        """One request on a connection of its own; the path goes out as it is given, names of headers with _ for -."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        named = {name.replace("_", "-"): value for name, value in {**(told or {}), **headers}.items()}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Said(
                status=answer.status,
                headers={name.lower(): value for name, value in answer.getheaders()},
                body=answer.read(),
            )
        finally:
            connection.close()


def free_port() -> int:
    """A port of the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
