"""A real archive in processes of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.fakes.archive import RunningArchive, timeless_authority

WAIT_S = 30
_CHECKOUT = Path(__file__).parents[2]


class ArchiveProcess:
    """The command line on a configuration file; keys and certificates come from ``RunningArchive``."""

    def __init__(self, folder: Path, workers: int = 1, *, limits: str = "") -> None:
        """``limits`` are further lines of that section."""
        self.keys = RunningArchive(folder, timeless_authority())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.keys.at(self.port)
        self.config = folder / "archive.toml"
        self.config.write_text(
            "[archive]\n"
            'election = "az-2026"\nname = "centre"\n'
            f"[listen]\nport = {self.port}\n"
            "[keys]\n"
            'trust = "keys/root.pem"\nkey = "keys/archive.key"\ncertificate = "keys/archive.pem"\n'
            'receipt_key = "keys/receipts.key"\nreceipt_certificate = "keys/receipts.pem"\n'
            '[disk]\ndata = "data"\n'
            f"[limits]\nfree_mib = 0\nworkers = {workers}\n{limits}"
        )
        self.log = folder / "archive.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to serve; on return it listens."""
        command = [sys.executable, "-m", "unbroken", "archive", "ingest", "--config", str(self.config)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=_CHECKOUT)
        self.process = process
        self.until(lambda: self.listens() or process.poll() is not None)
        assert process.poll() is None, self.log.read_text()

    def end(self, number: int) -> int:
        """Send a signal; the exit code. Nobody listens any more on return."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """The exit code of an archive that ends; its workers end with it."""
        assert self.process is not None
        code = self.process.wait(WAIT_S)
        self.until(lambda: not self.listens())
        return code

    def stop(self) -> None:
        """Whatever has happened, no process is left. For finalisers."""
        self.keys.hang_up()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)

    def workers(self) -> list[int]:
        """The processes that receive, where those are not the archive's own."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [pid for pid in map(int, children.split()) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def listens(self) -> bool:
        """Whether anybody takes connections at the port."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that must come."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def check(self, *words: str) -> subprocess.CompletedProcess[str]:
        """``unbroken archive check``, to its end."""
        command = [sys.executable, "-m", "unbroken", "archive", "check", "--config", str(self.config), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, cwd=_CHECKOUT)
