"""A real recorder process with the test card: what people do to it, what a crash does, and that it waits for nothing.

Invariant 4: no network, no archive, no clock, no database, no arming.
"""

import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.process import BOTH, CHAIR, WAIT_S, Recorder, codes
from unbroken.demo_station import make_station


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(make_station(tmp_path / "unit", ["pattern"], size=(320, 180)))
    prepared = recorder.verb("init")
    assert prepared.returncode == 0, prepared.stderr
    yield recorder
    recorder.stop()


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
    assert recorder.verdict()["verdict"] == "verified"
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
    assert codes(recorder.verdict()) == {"open-end"}


def test_killed_at_any_moment_the_record_goes_on_and_holds(recorder: Recorder) -> None:
    chance = random.Random(2027)
    recovered = 0
    for _ in range(5):
        recorder.start()
        recorder.record(1)
        recorder.stay(chance.uniform(0, 2))
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
    assert codes(recorder.verdict()) <= {"media-unnamed"}


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
