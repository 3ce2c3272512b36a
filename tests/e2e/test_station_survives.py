"""A real recorder process beside whose disk and cameras something else fails: it records all the same, and ends."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.process import BOTH, NotifySocket, Recorder, codes, needs_notifications
from unbroken.demo_station import DemoStation, make_station

STUCK_FIRMWARE = """
import sys, threading
from pathlib import Path
from appliance.config import load_config
from appliance.recorder import record
from appliance.upkeep.hardware import Hardware

class Stuck(Hardware):
    def health(self):
        threading.Event().wait()

sys.exit(record(load_config(Path(sys.argv[-1])), Stuck()))
"""


@pytest.fixture
def station(tmp_path: Path) -> DemoStation:
    station = make_station(tmp_path / "unit", ["pattern"], size=(320, 180))
    assert Recorder(station).verb("init").returncode == 0
    return station


@pytest.fixture
def recorder(station: DemoStation) -> Iterator[Recorder]:
    recorder = Recorder(station)
    yield recorder
    recorder.stop()


def test_a_firmware_that_never_answers_holds_up_neither_recording_nor_its_end(station: DemoStation) -> None:
    recorder = Recorder(station, program=("-c", STUCK_FIRMWARE))
    try:
        recorder.start()
        recorder.record(1)
        assert recorder.end(signal.SIGTERM) == 0
    finally:
        recorder.stop()
    assert recorder.check().lines[-1]["event"] == "stopped"


def test_where_nobody_can_be_told_the_unit_records(recorder: Recorder) -> None:
    run = recorder.station.run
    run.mkdir()
    for name in ("recorder.pid", "status.json", "head.json", "dying.json", "result.json", "control.sock"):
        (run / name / "in the way").mkdir(parents=True)
    recorder.launch()
    ledger = recorder.station.data / "ledger.jws"
    recorder.until(lambda: b"\n" in ledger.read_bytes(), "the first lines")
    media = recorder.station.data / "media"
    recorder.until(lambda: len(list(media.rglob("*.m4s"))) > 1, "two segments")
    assert recorder.end(signal.SIGTERM) == 0
    assert codes(recorder.verdict()) == {"open-end"}


def test_what_was_said_of_a_process_that_has_ended_is_not_said_any_longer(recorder: Recorder) -> None:
    status = recorder.station.run / "status.json"
    recorder.start()
    recorder.record(1)
    assert status.exists()
    assert recorder.end(signal.SIGTERM) == 0
    assert not status.exists()
    recorder.start()
    recorder.record(1)
    assert recorder.verb("close", pins=BOTH).returncode == 0
    assert recorder.wait() == 0
    status.write_text('{"recording": true}')
    assert recorder.verb("record").returncode == 2
    assert not status.exists()


@pytest.mark.faults
@pytest.mark.parametrize("case", ["no folder", "unit.json unreadable"])
def test_a_disk_that_cannot_be_read_is_a_code_and_not_a_restart_loop(
    station: DemoStation, tmp_path: Path, case: str
) -> None:
    needs_notifications()
    if case == "no folder":
        shutil.rmtree(station.data)
        code = 1007
    else:
        # The nearest that a healthy file system has to a file that cannot be read.
        (station.data / "unit.json").unlink()
        os.mkdir(station.data / "unit.json")
        code = 1002
    manager = NotifySocket(tmp_path / "notify" / "socket")
    recorder = Recorder(station, notify=manager.path)
    try:
        recorder.launch()
        recorder.until(lambda: recorder.published().get("fault") == code, f"fault {code}")
        assert recorder.published()["recording"] is False
        assert "READY=1" not in manager.texts()
    finally:
        recorder.stop()
        manager.close()
