"""The demo's programs: each of our own verbs as a process of its own, as it would run at a station."""

import subprocess
import sys
import time
from pathlib import Path

from appliance.control.server import ask
from base.errors import OperatorError
from base.parent import environment
from unbroken.demo_station import CHAIR_PIN, INSTALLER_PIN, DemoStation

POLL_S = 0.2
END_S = 60
_PINS = {"installer": INSTALLER_PIN, "chair": CHAIR_PIN}


def start_program(words: list[str], log: Path) -> "subprocess.Popen[bytes]":
    """``unbroken WORDS``, saying what it says into ``log``; in a session of its own, so that Ctrl-C passes it by."""
    command = [sys.executable, "-m", "unbroken", *words]
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            # A demo that is killed leaves nothing behind.
            env=environment(),
        )


class StationPrograms:
    """Recorder and uplink of one station."""

    def __init__(self, station: DemoStation) -> None:
        self.station = station
        self.log = station.config.with_name("recorder.log")
        self._recorder: subprocess.Popen[bytes] | None = None
        self._uplink: subprocess.Popen[bytes] | None = None

    def prepare(self) -> "subprocess.Popen[bytes]":
        """Begin to prepare the disk; the caller waits."""
        return self._verb("init", self.log)

    def start(self) -> None:
        """Start both."""
        self._recorder = self._verb("record", self.log)
        self._uplink = self._verb("uplink", self.log.with_name("uplink.log"))

    def arm(self, patience_s: float) -> None:
        """Two people's PINs, as soon as the recorder listens. Raises OperatorError where it does not within that."""
        socket, deadline = self.station.run / "control.sock", time.monotonic() + patience_s
        while not socket.exists():
            self.require_alive()
            if time.monotonic() > deadline:
                raise OperatorError(
                    f"The recorder of {self.station.name} did not start in time.", hint=f"See {self.log}."
                )
            time.sleep(POLL_S)
        ask(socket, {"verb": "arm", "pins": _PINS})

    def close(self) -> None:
        """Two people close the record; the recorder has ended on return."""
        assert self._recorder is not None
        ask(self.station.run / "control.sock", {"verb": "close", "pins": _PINS})
        self._recorder.wait(END_S)

    def require_alive(self) -> None:
        """Raises OperatorError where the recorder has ended."""
        if self._recorder is None or self._recorder.poll() is not None:
            last = self.log.read_text().strip().splitlines()[-1:]
            raise OperatorError(f"The recorder of {self.station.name} ended: {''.join(last)}", hint=f"See {self.log}.")

    def end(self) -> None:
        """Nothing runs any more on return. Idempotent."""
        running = [each for each in (self._recorder, self._uplink) if each is not None and each.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            process.wait(END_S)

    def _verb(self, verb: str, log: Path) -> "subprocess.Popen[bytes]":
        return start_program(["station", verb, "--config", str(self.station.config)], log)
