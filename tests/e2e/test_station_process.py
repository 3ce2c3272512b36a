"""A real recorder process with the test card: what people do to it, and what a crash does."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.control.server import ask
from base.errors import OperatorError
from tests.fakes.checker import Checked, check_record
from unbroken.demo_station import CHAIR_PIN, INSTALLER_PIN, DemoStation, make_station

WAIT_S = 30
BOTH = f"{INSTALLER_PIN}\n{CHAIR_PIN}\n"
CHAIR = f"{CHAIR_PIN}\n"


class Recorder:
    """A station and the process that records for it."""

    def __init__(self, station: DemoStation) -> None:
        self.station = station
        self.log = station.config.with_name("recorder.log")
        self.process: subprocess.Popen[bytes] | None = None

    def verb(self, *words: str, pins: str = "") -> subprocess.CompletedProcess[str]:
        """Another command of the station, to its end."""
        command = [sys.executable, "-m", "unbroken", "station", *words, "--config", str(self.station.config)]
        return subprocess.run(command, input=pins, capture_output=True, text=True, timeout=WAIT_S, check=False)

    def start(self) -> None:
        """Begin to record; on return it answers."""
        command = [sys.executable, "-m", "unbroken", "station", "record", "--config", str(self.station.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        self.until(lambda: self.status() is not None, "the recorder answers")

    def status(self) -> dict[str, object] | None:
        with contextlib.suppress(OperatorError):
            return ask(self.station.run / "control.sock", {"verb": "status"}, timeout_s=5)
        return None

    def recorded_to_ns(self) -> int:
        """End of the newest committed segment."""
        path = self.station.run / "status.json"
        return json.loads(path.read_bytes())["cameras"][0]["recorded_to_ns"] or 0 if path.exists() else 0

    def record(self, segments: int) -> None:
        """Wait until that many more have been committed."""
        for _ in range(segments):
            before = self.recorded_to_ns()
            self.until(lambda before=before: self.recorded_to_ns() > before, "one more segment")  # type: ignore[misc]

    def end(self, number: int) -> int:
        """Send a signal; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert self.process is not None
            if self.process.poll() is not None:
                pytest.fail(f"the recorder ended before {what}: {self.log.read_text()}")
            assert time.monotonic() < deadline, f"{what} took more than {WAIT_S} s"
            time.sleep(0.02)

    def check(self) -> Checked:
        return check_record(self.station.data)


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(make_station(tmp_path / "unit", ["pattern"], size=(320, 180)))
    prepared = recorder.verb("init")
    assert prepared.returncode == 0, prepared.stderr
    yield recorder
    if recorder.process is not None:
        recorder.process.kill()
        recorder.process.wait()


def _verdict(recorder: Recorder) -> dict[str, object]:
    command = [sys.executable, "-m", "unbroken", "verify", str(recorder.station.data), "--json"]
    command += ["--trust", str(recorder.station.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    verdict: dict[str, object] = json.loads(done.stdout)
    return verdict


def _codes(verdict: dict[str, object]) -> set[str]:
    records = verdict["records"]
    assert isinstance(records, list)
    return {finding["code"] for record in records for finding in record["findings"]}


def test_a_day_in_short_armed_marked_and_closed_by_two_people(recorder: Recorder) -> None:
    recorder.start()
    recorder.record(1)
    shown = recorder.verb("status")
    assert json.loads(shown.stdout)["mode"] == "UNARMED"
    refused = recorder.verb("arm", pins="0000\n0000\n")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "The PIN of the installer is wrong." in refused.stderr
    assert recorder.verb("arm", pins=BOTH).stdout == "Armed: the unit records TEST.\n"
    assert "armed already" in recorder.verb("arm", pins=BOTH).stderr
    assert recorder.verb("mark", "opened", pins=CHAIR).returncode == 0
    recorder.record(2)
    closed = recorder.verb("close", pins=BOTH)
    assert closed.stdout == "The record is closed.\n"
    assert recorder.process is not None
    assert recorder.process.wait(WAIT_S) == 0
    checked = recorder.check()
    events = [line["event"] for line in checked.kinds("event")]
    assert events == ["pin-refused", "armed", "opened"]
    assert checked.lines[-1]["kind"] == "close"
    modes = [line["mode"] for line in checked.kinds("segment")]
    assert modes[0] == "UNARMED"
    assert modes[-1] == "TEST"
    assert _verdict(recorder)["verdict"] == "verified"
    again = recorder.verb("record")
    assert (again.returncode, "closed" in again.stderr) == (2, True)


def test_sigterm_is_an_orderly_end_and_keeps_every_picture(recorder: Recorder) -> None:
    recorder.start()
    recorder.record(1)
    assert recorder.end(signal.SIGTERM) == 0
    checked = recorder.check()
    assert checked.lines[-1]["event"] == "stopped"
    assert not list(recorder.station.data.rglob("*.part"))
    assert not (recorder.station.run / "control.sock").exists()
    recorder.start()
    recorder.record(1)
    assert recorder.end(signal.SIGINT) == 0
    checked = recorder.check()
    assert checked.kinds("start")[1]["ended"] == "stopped"
    assert checked.gaps() == ["starting", "stopped", "starting"]
    assert _codes(_verdict(recorder)) == {"open-end"}


def test_killed_at_any_moment_the_record_goes_on_and_holds(recorder: Recorder) -> None:
    chance = random.Random(2027)
    recovered = 0
    for _ in range(5):
        recorder.start()
        recorder.record(1)
        deadline = time.monotonic() + chance.uniform(0, 2)
        recorder.until(lambda deadline=deadline: time.monotonic() > deadline, "the moment")  # type: ignore[misc]
        assert recorder.end(signal.SIGKILL) == -signal.SIGKILL
        recovered += bool(list(recorder.station.data.rglob("*.part")))
    recorder.start()
    recorder.record(1)
    assert recorder.verb("close", pins=BOTH).returncode == 0
    checked = recorder.check()
    assert [line["ended"] for line in checked.kinds("start")] == ["none"] + ["crash"] * 5
    assert checked.gaps().count("crash") == 5
    assert recovered
    assert checked.kinds("recovered")
    assert _codes(_verdict(recorder)) <= {"media-unnamed"}


def test_a_second_recorder_on_the_same_disk_is_refused_and_disturbs_nothing(recorder: Recorder) -> None:
    recorder.start()
    recorder.record(1)
    second = recorder.verb("record")
    assert second.returncode == 2
    assert "Another recorder works on" in second.stderr
    recorder.record(1)
    assert recorder.status() is not None
    assert recorder.end(signal.SIGTERM) == 0
    assert len(recorder.check().kinds("start")) == 1


def test_the_recorder_has_no_socket_but_unix_ones(recorder: Recorder) -> None:
    recorder.start()
    recorder.record(1)
    assert recorder.process is not None
    process = Path(f"/proc/{recorder.process.pid}")
    links = [os.readlink(each) for each in (process / "fd").iterdir()]
    sockets = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")}
    unix = {line.split()[6] for line in (process / "net" / "unix").read_text().splitlines()[1:]}
    assert sockets
    assert sockets <= unix
    recorder.end(signal.SIGTERM)


def test_a_camera_that_cannot_be_opened_is_a_gap_and_not_an_end(tmp_path: Path) -> None:
    recorder = Recorder(make_station(tmp_path / "unit", ["pattern", "replay:/no/such/file.mp4"], size=(320, 180)))
    assert recorder.verb("init").returncode == 0
    recorder.start()
    recorder.record(1)
    assert recorder.end(signal.SIGTERM) == 0
    checked = recorder.check()
    restarts = [line for line in checked.kinds("event") if line["event"] == "camera-restart"]
    assert restarts
    assert {line["camera"] for line in restarts} == {"cam2"}
    assert not [line for line in checked.kinds("segment") if line["camera"] == "cam2"]


@pytest.mark.parametrize("source", ["nonsense", "replay:", "picamera3"])
def test_a_configuration_that_names_no_camera_leaves_no_line(tmp_path: Path, source: str) -> None:
    recorder = Recorder(make_station(tmp_path / "unit", [source], size=(320, 180)))
    assert recorder.verb("init").returncode == 0
    refused = recorder.verb("record")
    assert refused.returncode == 2
    assert "There is no camera" in refused.stderr
    assert (recorder.station.data / "ledger.jws").read_bytes() == b""
