"""A program that runs while something is measured: its log, its processor time and its memory, children included."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 30
POLL_S = 0.02
_SAID = 2_000
_CPUCLOCK_SCHED = 2
"""Which clock of a process: what the scheduler has given it, in user and kernel, to the nanosecond (posix-timers.c)."""


class Program:
    """A context manager; while it is entered, the program runs. It is ended by SIGTERM, and killed if it stays."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        self._command = [str(word) for word in command]
        self._log = log
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def listen(self, port: int) -> None:
        """Wait until somebody listens at ``port`` of the loopback. Raises RuntimeError where nobody does."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.require_alive()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if time.monotonic() > deadline:
                raise RuntimeError(f"nobody listens: {self.said()}")
            time.sleep(POLL_S)

    def require_alive(self) -> None:
        """Raises RuntimeError with the end of the log where the program has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._command[0]} ended with {self._process.returncode}: {self.said()}")

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-_SAID:]

    def cpu_s(self) -> float:
        """What it and those of its children that are alive have used since they were started, user and kernel."""
        return sum(cpu_s(each) for each in self._family())

    def resident_mib(self) -> float:
        """The resident sets of it and its children; what they share counts more than once."""
        return sum(_resident_bytes(each) for each in self._family()) / (1 << 20)

    def processes(self) -> int:
        """How many they are."""
        return len(self._family())

    def _family(self) -> list[int]:
        found, new = list[int](), [self._process.pid]
        while new:
            found += new
            new = [child for parent in new for child in _children(parent)]
        return found


def cpu_s(pid: int) -> float:
    """Processor time of one process, all threads, in seconds; 0 where it has ended."""
    with contextlib.suppress(OSError):
        return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)
    return 0


def free_port() -> int:
    """A port of the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
