"""A recorder in virtual time on a disk that fills up: what stops, what goes, and what the record says of it."""

import errno
from pathlib import Path

import pytest

from appliance.store.layout import part_of
from appliance.store.receipted import LOOK_AGAIN_NS
from appliance.upkeep.faults import DISK_FULL, DISK_OF_ANOTHER
from appliance.upkeep.space import FLOOR_BYTES
from evidence import jws
from evidence.lines import Line, Pruned, read_payload
from evidence.words import Mode
from tests.fakes.checker import Checked, check_record
from tests.fakes.receipts import Acknowledger
from tests.fakes.station import SECOND
from tests.fakes.stepped import SteppedStation


@pytest.fixture
def station(tmp_path: Path) -> SteppedStation:
    return SteppedStation(tmp_path / "unit", cameras=("cam1", "cam2"))


def _check(station: SteppedStation) -> Checked:
    return check_record(station.config.data)


def test_a_full_disk_stops_media_says_so_and_goes_on_when_there_is_room(station: SteppedStation) -> None:
    station.start()
    station.arm()
    station.run(5)
    station.disk.room_bytes = FLOOR_BYTES - 1
    station.run(25)
    media = sorted(station.layout.media.rglob("*"))
    assert not [path for path in media if path.suffix == ".part"]
    station.disk.room_bytes = 2 * FLOOR_BYTES - 1
    station.run(5)
    assert sorted(station.layout.media.rglob("*")) == media
    assert station.pipeline.status()["disk_full"]
    station.disk.room_bytes = 2 * FLOOR_BYTES
    station.run(5)
    station.stop()
    checked = _check(station)
    for camera in ("cam1", "cam2"):
        assert checked.gaps(camera) == ["starting", "disk-full", "disk-full", "disk-full"]
    assert not checked.kinds("pruned")


def test_a_disk_that_is_full_at_start_gets_lines_and_no_media(station: SteppedStation) -> None:
    station.disk.room_bytes = 0
    station.start()
    station.run(30)
    station.pipeline.lanes[0].bridge.put_break("no picture for 5 s")
    station.run(12)
    station.stop()
    checked = _check(station)
    assert not list(station.layout.media.iterdir())
    assert set(checked.gaps("cam1")) == {"disk-full"}


def test_near_a_full_disk_unarmed_media_go_first_and_only_behind_their_line(station: SteppedStation) -> None:
    station.start()
    station.run(45)
    station.disk.room_bytes = FLOOR_BYTES - 1
    station.run(0.1)
    station.disk.room_bytes = 2 * FLOOR_BYTES
    station.run(5)
    station.stop()
    checked = _check(station)
    pruned = checked.kinds("pruned")
    assert {line["reason"] for line in pruned} == {"unarmed-reserve"}
    assert sum(int(str(line["to_index"])) - int(str(line["from_index"])) for line in pruned) == 30
    assert checked.gaps("cam1") == ["starting"]
    assert station.session.name
    assert not station.layout.segment(station.session.name, "cam1", 0, 0).exists()


def test_far_below_the_floor_media_stop_at_once_while_unarmed_ones_go(station: SteppedStation) -> None:
    station.start()
    station.run(90)
    station.disk.room_bytes = FLOOR_BYTES // 2 - 1
    station.run(0.1)
    assert station.pipeline.status()["disk_full"]
    station.disk.room_bytes = 2 * FLOOR_BYTES - 1
    station.run(0.5)
    assert not list(station.layout.media.rglob("*.m4s"))
    station.disk.room_bytes = 2 * FLOOR_BYTES
    station.run(3)
    station.stop()
    assert _check(station).gaps("cam1") == ["starting", "disk-full"]


def test_armed_media_are_never_pruned(station: SteppedStation) -> None:
    station.start()
    station.arm()
    station.run(60)
    unarmed = sum(line["mode"] == "UNARMED" for line in _check(station).kinds("segment"))
    station.disk.room_bytes = FLOOR_BYTES - 1
    station.run(30)
    station.stop()
    checked = _check(station)
    pruned = sum(int(str(line["to_index"])) - int(str(line["from_index"])) for line in checked.kinds("pruned"))
    assert pruned == unarmed


def test_deleting_is_done_again_after_a_crash_between_the_line_and_the_deed(
    station: SteppedStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.start()
    station.run(45)
    deleted: list[Pruned] = []
    monkeypatch.setattr(station.pipeline, "delete", deleted.append)
    station.disk.room_bytes = FLOOR_BYTES - 1
    station.run(0.1)
    assert deleted
    path = station.layout.segment(station.session.name, "cam1", 0, 0)
    assert path.exists()
    station.kill()
    station.disk.room_bytes = None
    station.start()
    assert not path.exists()


def test_before_the_window_only_the_last_half_hour_is_kept(tmp_path: Path) -> None:
    station = SteppedStation(tmp_path / "unit", fps=2, gop_seconds=10)
    station.before_window = True
    station.start()
    station.run(40 * 60, step_ns=SECOND)
    kept = len(list(station.layout.media.rglob("*.m4s")))
    station.stop()
    checked = _check(station)
    assert {line["reason"] for line in checked.kinds("pruned")} == {"unarmed-expired"}
    assert 180 <= kept <= 188


def test_while_the_disk_is_full_that_is_the_cause_whatever_the_camera_does(station: SteppedStation) -> None:
    station.start()
    station.run(3)
    station.disk.room_bytes = 0
    station.run(1)
    station.pipeline.lanes[0].bridge.put_break("dead")
    station.run(1)
    station.disk.room_bytes = None
    station.run(3)
    station.stop()
    assert _check(station).gaps("cam1") == ["starting", "disk-full"]


def _acknowledge(station: SteppedStation, checked: Checked, most: int = 1000) -> int:
    """The archive has stored the oldest armed media; how many."""
    archive = Acknowledger(station.authority, station.config.data.with_name("receipts"))
    armed = [line for line in checked.kinds("segment") if line["mode"] != "UNARMED"][:most]
    for begin in range(0, len(armed), 8):
        lines = armed[begin : begin + 8]
        places = [
            (station.session.name, str(each["camera"]), int(str(each["run"])), int(str(each["index"])))
            for each in lines
        ]
        archive.lay(archive.receipt([str(each["sha256"]) for each in lines]), places)
    return len(armed)


def test_media_that_the_archive_holds_go_after_unarmed_ones_and_recording_goes_on(station: SteppedStation) -> None:
    station.start()
    station.run(3)
    station.arm(Mode.TEST)
    station.run(60)
    held = _acknowledge(station, check_record(station.config.data), most=24)
    station.clock.advance(LOOK_AGAIN_NS)
    station.disk.room_bytes = FLOOR_BYTES - 1
    station.run(0.4)
    station.disk.room_bytes = None
    station.run(3)
    station.stop()
    lines = [line.body for line in _ledger(station) if isinstance(line.body, Pruned)]
    reasons = [line.reason for line in lines]
    assert reasons == sorted(reasons, reverse=True), "unarmed first"
    assert reasons[0] == "unarmed-reserve"
    receipted = [line for line in lines if line.reason == "receipted"]
    assert sum(line.to_index - line.from_index for line in receipted) == held == 24
    for line in receipted:
        assert not station.layout.segment(line.session, line.camera, line.run, line.from_index).exists()
    assert "disk-full" not in {line["cause"] for line in _payloads(station, "gap")}


def test_a_deletion_on_a_receipt_is_done_again_after_a_crash(
    station: SteppedStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.start()
    station.arm(Mode.TEST)
    station.run(20)
    _acknowledge(station, check_record(station.config.data), most=4)
    monkeypatch.setattr(station.pipeline, "delete", lambda pruned: None)
    station.clock.advance(LOOK_AGAIN_NS)
    station.disk.room_bytes = FLOOR_BYTES - 1
    station.run(2)
    pruned = [line.body for line in _ledger(station) if isinstance(line.body, Pruned) and line.body.receipt]
    paths = [station.layout.segment(p.session, p.camera, p.run, p.from_index) for p in pruned]
    assert paths
    assert all(path.exists() for path in paths)
    station.kill()
    station.disk.room_bytes = None
    station.start()
    assert not any(path.exists() for path in paths)


def _ledger(station: SteppedStation) -> list[Line]:
    return [read_payload(jws.unseal(text).payload) for text in station.layout.ledger.read_bytes().splitlines()]


def _payloads(station: SteppedStation, kind: str) -> list[dict[str, object]]:
    found = [jws.parse(jws.unseal(text).payload) for text in station.layout.ledger.read_bytes().splitlines()]
    return [payload for payload in found if payload["kind"] == kind]


def test_a_sync_of_the_reserve_that_fails_ends_the_process(tmp_path: Path) -> None:
    def live(folder: Path, fail_at: int | None) -> SteppedStation:
        station = SteppedStation(folder)
        station.start(fail_at=fail_at)
        station.run(2, step_ns=SECOND)
        station.disk.full = True
        station.run(70, step_ns=SECOND)
        return station

    steps = live(tmp_path / "whole", None).disk.steps
    (number,) = [n for n, (step, path) in enumerate(steps) if path.name == "reserve" and step == "sync"]
    with pytest.raises(OSError, match="step"):
        live(tmp_path / "failing", number)


def test_the_gravest_fault_is_the_one_that_stops_video(station: SteppedStation) -> None:
    station.start()
    station.pipeline._faults = (DISK_OF_ANOTHER,)
    station.disk.room_bytes = 0
    station.run(5)
    status = station.pipeline.status()
    assert (status["recording"], status["fault"]) == (False, DISK_FULL.code)
    assert station.pipeline.faults() == [DISK_FULL, DISK_OF_ANOTHER]
    station.stop()


def test_a_snapshot_that_finds_no_room_leaves_that_room_to_lines(station: SteppedStation) -> None:
    station.start()
    station.run(5)
    put = station.disk.put

    def no_room(path: Path, data: bytes, *, mode: int = 0o640) -> None:
        put(part_of(path), data[:10], mode=mode)
        raise OSError(errno.ENOSPC, "No space left on device")

    station.disk.put = no_room  # type: ignore[method-assign]
    station.stop()
    assert not part_of(station.layout.snapshot).exists()
