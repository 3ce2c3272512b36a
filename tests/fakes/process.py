"""A real recorder in a process of its own, alone or under a stand-in for the service manager."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.control.server import ask
from base.errors import OperatorError
from tests.fakes.checker import Checked, check_record
from unbroken.demo_station import CHAIR_PIN, INSTALLER_PIN, DemoStation

WAIT_S = 30
BOTH = f"{INSTALLER_PIN}\n{CHAIR_PIN}\n"
CHAIR = f"{CHAIR_PIN}\n"
RECORD = ("-m", "unbroken", "station", "record")
_CHECKOUT = Path(__file__).parents[2]


def boot_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def needs_notifications() -> None:
    """Skip the test where the recorder could not speak to a service manager."""
    pytest.importorskip("systemd.daemon", reason="systemd-python is missing: tools/setup faults")


class Recorder:
    """A station and the process that records for it."""

    def __init__(self, station: DemoStation, *, program: Sequence[str] = RECORD, notify: Path | None = None) -> None:
        """``program`` is what Python runs, ``notify`` the service manager's socket."""
        self.station = station
        self.log = station.config.with_name("recorder.log")
        self.process: subprocess.Popen[bytes] | None = None
        self._program = program
        self._notify = notify

    def verb(self, *words: str, pins: str = "") -> subprocess.CompletedProcess[str]:
        """Another command of the station, to its end."""
        command = [sys.executable, "-m", "unbroken", "station", *words, "--config", str(self.station.config)]
        return subprocess.run(command, input=pins, capture_output=True, text=True, timeout=WAIT_S, check=False)

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start the process and return at once."""
        command = [sys.executable, *self._program, "--config", str(self.station.config)]
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        if self._notify is not None:
            environment["NOTIFY_SOCKET"] = str(self._notify)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=log, cwd=_CHECKOUT, env=environment
            )
        return self.process

    def start(self) -> None:
        """Begin to record; on return it answers."""
        self.launch()
        self.until(lambda: self.status() is not None, "the recorder answers")

    def status(self) -> dict[str, object] | None:
        with contextlib.suppress(OperatorError):
            return ask(self.station.run / "control.sock", {"verb": "status"}, timeout_s=5)
        return None

    def published(self) -> dict[str, object]:
        """The status file, empty where there is none."""
        path = self.station.run / "status.json"
        status: dict[str, object] = json.loads(path.read_bytes()) if path.exists() else {}
        return status

    def recorded_to_ns(self) -> int:
        """End of the newest committed segment of the first camera; 0 where this session has none."""
        cameras = self.published().get("cameras")
        recorded = cameras[0]["recorded_to_ns"] if isinstance(cameras, list) and cameras else None
        return recorded if isinstance(recorded, int) else 0

    def record(self, segments: int) -> None:
        """Wait until that many more have been committed."""
        for _ in range(segments):
            before = self.recorded_to_ns()
            self.until(lambda before=before: self.recorded_to_ns() > before, "one more segment")  # type: ignore[misc]

    def wait(self) -> int:
        """The exit code of a process that ends by itself."""
        assert self.process is not None
        return self.process.wait(WAIT_S)

    def end(self, number: int) -> int:
        """Send a signal; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.wait()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert self.process is not None
            if self.process.poll() is not None:
                pytest.fail(f"the recorder ended before {what}: {self.log.read_text()}")
            assert time.monotonic() < deadline, f"{what} took more than {WAIT_S} s"
            time.sleep(0.02)

    def stay(self, seconds: float) -> None:
        """Let it record for so long."""
        deadline = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= deadline, "the moment")

    def stop(self) -> None:
        """Whatever has happened, no process is left. For finalisers."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)

    def check(self) -> Checked:
        return check_record(self.station.data)

    def verdict(self, data: Path | None = None) -> dict[str, object]:
        """What ``unbroken verify`` says of the record, or of another one."""
        command = [sys.executable, "-m", "unbroken", "verify", str(data or self.station.data), "--json"]
        command += ["--trust", str(self.station.root)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
        verdict: dict[str, object] = json.loads(done.stdout)
        return verdict


def codes(verdict: dict[str, object]) -> set[str]:
    """The codes of all findings."""
    records = verdict["records"]
    assert isinstance(records, list)
    return {finding["code"] for record in records for finding in record["findings"]}


def elsewhere(station: DemoStation, folder: Path, data: Path, **names: str) -> DemoStation:
    """The same station with its record in ``data`` and what it publishes under ``folder``; ``names`` may differ."""
    folder.mkdir(exist_ok=True)
    text = station.config.read_text()
    changes = {"data": str(data), "run": str(folder / "run"), **names}
    lines = []
    for line in text.splitlines():
        key, _, value = line.partition(" = ")
        if key in ("trust", "key", "certificate", "profile", "pins"):
            value = json.dumps(str(station.config.parent / json.loads(value)))
        elif key in changes:
            value = json.dumps(changes[key])
        lines.append(f"{key} = {value}" if value else line)
    config = folder / "station.toml"
    config.write_text("\n".join(lines) + "\n")
    return dataclasses.replace(station, config=config, data=data, run=folder / "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of sd_notify(3), and the boot time at which it came."""

    boot_ns: int
    text: str


class NotifySocket:
    """The service manager's end of the notification socket; a thread takes what comes, so that nobody waits for it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.messages: list[Message] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def texts(self, since_ns: int = 0, to_ns: int | None = None) -> list[str]:
        """What was said from one boot time on and before another."""
        return [each.text for each in self.messages if since_ns <= each.boot_ns < (to_ns or each.boot_ns + 1)]

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", str(self.path))
        self._thread.join(WAIT_S)
        self._socket.close()

    def _take(self) -> None:
        while data := self._socket.recv(4096):
            self.messages.append(Message(boot_ns=boot_ns(), text=data.decode()))


class Supervisor:
    """Starts a recorder again whenever it ends (Restart=always), until it asks for a reboot or ``close`` is called."""

    def __init__(self, recorder: Recorder, *, pause_s: float = 0.1) -> None:
        self.recorder = recorder
        self.exits: list[int] = []
        self.starts = 0
        self._pause_s = pause_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something, whichever process brings it about."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, f"{what} took more than {WAIT_S} s; exits so far: {self.exits}"
            time.sleep(0.02)

    def close(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and do not start it again; the last exit code."""
        self._over.set()
        process = self.recorder.process
        if process is not None and process.poll() is None:
            process.send_signal(number)
        self._thread.join(WAIT_S)
        self.recorder.stop()
        return self.exits[-1]

    def _run(self) -> None:
        while not self._over.is_set():
            self.starts += 1
            self.exits.append(self.recorder.launch().wait())
            if self.exits[-1] == 77:
                return
            self._over.wait(self._pause_s)
