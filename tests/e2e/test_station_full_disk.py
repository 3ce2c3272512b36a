"""A real recorder on a small disk that somebody else fills up."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.checker import check_record
from tests.fakes.process import Recorder
from unbroken.demo_station import make_station

DISK_MIB = 256
RESERVE_MIB = 16


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A station whose data folder is a file system of its own; without the right to mount one there is no test."""
    station = make_station(tmp_path / "unit", ["pattern"], size=(320, 180))
    station.data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(station.data)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed: {mounted.stderr.strip()}")
    recorder = Recorder(station)
    try:
        prepared = recorder.verb("init")
        assert prepared.returncode == 0, prepared.stderr
        yield recorder
    finally:
        recorder.stop()
        subprocess.run(["umount", str(station.data)], check=True)


def _full(recorder: Recorder) -> bool:
    status = recorder.status()
    return status is not None and bool(status["disk_full"])


def _fill(path: Path) -> None:
    """Take every byte that is left."""
    with path.open("wb", buffering=0) as file:
        block = bytes(1 << 16)
        while block:
            try:
                file.write(block)
            except OSError:
                block = block[: len(block) // 2]


def test_a_disk_that_others_fill_is_a_gap_with_its_cause_and_recording_goes_on_afterwards(recorder: Recorder) -> None:
    ballast = recorder.station.data / "ballast"
    reserve = recorder.station.data / "reserve"
    assert reserve.stat().st_size == RESERVE_MIB << 20
    recorder.start()
    recorder.record(1)
    assert recorder.verb("arm", pins="1111\n2222\n").returncode == 0
    recorder.record(2)
    _fill(ballast)
    recorder.until(lambda: _full(recorder), "the recorder sees the full disk")
    # Its lines, that one and many more, come out of the reserve.
    for _ in range(12):
        assert recorder.verb("mark", "counting", pins="2222\n").returncode == 0
    assert not reserve.exists()
    ballast.unlink()
    recorder.until(lambda: not _full(recorder), "the recorder sees the room")
    recorder.record(2)
    assert recorder.verb("close", pins="1111\n2222\n").returncode == 0
    checked = check_record(recorder.station.data)
    assert checked.gaps() == ["starting", "disk-full"]
    assert len(checked.kinds("start")) == 1
    assert len([line for line in checked.kinds("event") if line["event"] == "counting"]) == 12


def test_a_recorder_that_starts_on_a_disk_without_a_byte_left_writes_lines_and_no_media(recorder: Recorder) -> None:
    recorder.start()
    recorder.record(1)
    assert recorder.verb("arm", pins="1111\n2222\n").returncode == 0
    recorder.record(2)
    recorder.end(9)
    media = set(recorder.station.data.rglob("*.m4s"))
    _fill(recorder.station.data / "ballast")
    recorder.start()
    recorder.until(lambda: _full(recorder), "the recorder sees the full disk")
    assert recorder.verb("close", pins="1111\n2222\n").returncode == 0
    checked = check_record(recorder.station.data)
    assert checked.gaps()[-2:] == ["crash", "disk-full"]
    recovered = set(recorder.station.data.rglob("*.m4s")) - media
    assert len(recovered) <= 1
