"""Starting on what the disk holds: recovery, the first lines, and what is refused."""

import base64
import errno
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.config import StationConfig
from appliance.store.layout import Layout
from appliance.store.lock import locked
from appliance.store.prepare import DiskIdentity, NoRoomError, prepare, read_disk_identity
from base.durable import Disk
from base.errors import OperatorError
from tests.fakes.checker import Checked, check_record
from tests.fakes.faultydisk import FaultyDisk
from tests.fakes.station import SECOND
from tests.fakes.stepped import RESERVE_BYTES, SteppedStation


@pytest.fixture
def station(tmp_path: Path) -> SteppedStation:
    return SteppedStation(tmp_path / "unit", cameras=("cam1", "cam2"))


def _check(station: SteppedStation) -> Checked:
    return check_record(station.config.data)


def _lines(station: SteppedStation) -> list[bytes]:
    return station.layout.ledger.read_bytes().splitlines(keepends=True)


def test_the_first_start_has_nothing_before_it(station: SteppedStation) -> None:
    station.start()
    checked = _check(station)
    assert [line["kind"] for line in checked.lines] == ["start", "config", "config", "config"]
    assert (checked.lines[0]["ended"], checked.lines[0]["evidence"]) == ("none", {})
    assert station.session.begin_ns("cam1") == checked.lines[0]["boot_ns"]


@pytest.mark.parametrize(("way", "ended", "cause"), [("stop", "stopped", "stopped"), ("kill", "crash", "crash")])
def test_a_restart_in_the_same_boot_closes_the_hole_with_its_cause(
    station: SteppedStation, way: str, ended: str, cause: str
) -> None:
    station.start()
    station.run(5)
    getattr(station, way)()
    station.clock.advance(7 * SECOND)
    station.start()
    station.run(3)
    station.stop()
    checked = _check(station)
    assert checked.kinds("start")[1]["ended"] == ended
    assert checked.gaps()[1] == cause
    assert bool(checked.kinds("recovered")) == (way == "kill")
    assert len(checked.kinds("config")) == 3


def test_a_restart_after_a_power_cut_names_the_boot_that_ended(station: SteppedStation) -> None:
    station.start()
    station.run(5)
    before = station.boot
    station.lose_power()
    station.start()
    station.run(3)
    station.stop()
    checked = _check(station)
    gap = next(line for line in checked.kinds("gap") if line["cause"] == "power")
    assert gap["from_boot"] == before
    assert checked.kinds("start")[1]["ended"] == "power"


def test_recovered_lines_come_before_the_gap_and_in_front_of_everything_new(station: SteppedStation) -> None:
    station.start()
    station.run(5.7)
    seen = len(_check(station).lines)
    station.kill()
    station.start()
    kinds = [(line["kind"], line.get("cause")) for line in _check(station).lines[seen:]]
    assert kinds == [("start", None)] + [("recovered", None)] * 2 + [("gap", "crash")] * 2


@pytest.mark.parametrize("kept", [1, 2, 3, 4])
def test_what_one_start_did_not_get_to_say_the_next_one_says(station: SteppedStation, kept: int) -> None:
    station.start()
    station.run(5.7)
    seen = len(_lines(station))
    station.kill()
    station.start()
    # The power cut leaves the first lines of the start's commit, and part of the next.
    station.disk = FaultyDisk(station.config.data)
    lines = _lines(station)
    station.layout.ledger.write_bytes(b"".join(lines[: seen + kept]) + lines[seen + kept][:50])
    station.kill()
    station.start()
    station.run(3)
    station.stop()
    recovered = _check(station).kinds("recovered")
    assert sorted(str(line["camera"]) for line in recovered) == ["cam1", "cam2"]


def test_a_restart_faster_than_a_frame_does_not_claim_the_last_one_twice(station: SteppedStation) -> None:
    station.start()
    station.run(5)
    station.stop()
    stood = _check(station).cameras["cam1"].at_ns
    assert station.clock.boot_ns() < stood
    station.start()
    assert station.session.begin_ns("cam1") == stood
    station.run(3)
    station.stop()
    _check(station)


def test_a_torn_tail_is_cut_off_kept_aside_and_told(station: SteppedStation) -> None:
    station.start()
    station.run(3)
    station.stop()
    with station.layout.ledger.open("ab") as file:
        file.write(b"eyJhbGciOiJFUzI1NiIsImtpZCI6")
    station.disk = FaultyDisk(station.config.data)
    station.start()
    checked = _check(station)
    (event,) = [line for line in checked.kinds("event") if line["event"] == "set-aside"]
    data = event["data"]
    assert isinstance(data, dict)
    assert (data["path"], data["size"]) == ("ledger.jws", 28)
    (kept,) = station.layout.aside.iterdir()
    assert kept.name == f"ledger-tail-{data['sha256']}"
    assert kept.read_bytes() == b"eyJhbGciOiJFUzI1NiIsImtpZCI6"
    evidence = checked.kinds("start")[1]["evidence"]
    assert isinstance(evidence, dict)
    assert evidence["torn_bytes"] == 28


def test_a_flipped_bit_in_the_ledger_costs_one_line_and_neither_the_record_nor_any_media(
    station: SteppedStation,
) -> None:
    station.start()
    station.run(10)
    station.kill()
    station.start()
    station.run(10)
    station.stop()
    lines = _lines(station)
    first_start, second_start = (n for n, line in enumerate(_check(station).lines) if line["kind"] == "start")
    for damaged in (first_start, second_start, 12):
        broken = [*lines]
        broken[damaged] = broken[damaged][:40] + b"!" + broken[damaged][41:]
        station.layout.ledger.write_bytes(b"".join(broken))
        station.layout.snapshot.unlink(missing_ok=True)
        media = sorted(station.layout.media.rglob("*.m4s"))
        station.disk = FaultyDisk(station.config.data)
        station.start()
        station.run(3)
        after = _lines(station)
        assert after[: len(lines)] == broken
        start = json.loads(_payload(after[len(lines)]))
        assert (start["kind"], start["seq"]) == ("start", len(lines))
        assert start["evidence"]["damages"] >= 1
        assert set(media) <= set(station.layout.media.rglob("*.m4s"))
        station.kill()


def _payload(line: bytes) -> bytes:
    part = line.split(b".")[1]
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def test_media_of_a_session_that_the_ledger_does_not_know_are_set_aside_in_one_line(station: SteppedStation) -> None:
    station.start()
    station.run(1)
    station.stop()
    older = station.layout.ledger.read_bytes()
    station.start()
    station.run(60)
    station.stop()
    stranger = station.session.name
    station.layout.ledger.write_bytes(older)  # an older image of the card, with newer media
    station.disk = FaultyDisk(station.config.data)
    station.sessions += 10
    station.start()
    station.run(3)
    station.stop()
    events = [line for line in _check(station).kinds("event") if line["event"] == "set-aside"]
    assert len(events) == 1
    assert (station.layout.aside / stranger).is_dir()
    assert not (station.layout.media / stranger).exists()


def test_a_file_name_of_any_bytes_among_the_media_is_no_crash(station: SteppedStation) -> None:
    station.start()
    station.run(1)
    station.stop()
    (Path(str(station.layout.media)) / "\udcff\udcfe").write_bytes(b"hello")
    station.disk = FaultyDisk(station.config.data)
    station.start()
    station.run(1)
    station.stop()
    (event,) = [line for line in _check(station).kinds("event") if line["event"] == "set-aside"]
    assert "media/??" in str(event["data"])
    assert len(list(station.layout.aside.iterdir())) == 1


def test_a_camera_that_is_new_begins_at_the_start_that_names_it(tmp_path: Path) -> None:
    station = SteppedStation(tmp_path / "unit")
    station.start()
    station.run(3)
    station.stop()
    other = SteppedStation(tmp_path / "other", cameras=("cam1", "cam2"))
    station.config, station.cameras = _with_cameras_of(station, other), other.cameras
    station.clock.advance(SECOND)
    station.start()
    station.run(3)
    station.stop()
    checked = _check(station)
    assert checked.gaps("cam2") == ["starting"]
    assert checked.gaps("cam1") == ["starting", "stopped", "starting"]


def test_a_camera_may_not_vanish_from_the_configuration(tmp_path: Path) -> None:
    station = SteppedStation(tmp_path / "unit", cameras=("cam1", "cam2"))
    station.start()
    station.run(3)
    station.stop()
    before = station.layout.ledger.read_bytes()
    other = SteppedStation(tmp_path / "other")
    station.config = _with_cameras_of(station, other)
    with pytest.raises(OperatorError, match="cam2"):
        station.start()
    assert station.layout.ledger.read_bytes() == before


def _with_cameras_of(station: SteppedStation, other: SteppedStation) -> StationConfig:
    return replace(station.config, cameras=other.config.cameras)


def test_a_disk_of_another_unit_is_not_touched(station: SteppedStation) -> None:
    station.start()
    station.run(3)
    station.stop()
    before = station.layout.ledger.read_bytes()
    names = json.loads(station.layout.identity.read_bytes())
    station.layout.identity.write_text(json.dumps(names | {"unit": "u2"}))
    with pytest.raises(OperatorError, match="belongs to unit u2"):
        station.start()
    assert station.layout.ledger.read_bytes() == before


def test_a_ledger_of_another_unit_on_a_disk_that_says_ours_is_not_appended_to(station: SteppedStation) -> None:
    station.start()
    station.stop()
    before = station.layout.ledger.read_bytes()
    station.layout.identity.write_text(json.dumps({"election": "az-2026", "station": "57-002", "unit": "u9"}))
    station.name = "u9"
    with pytest.raises(OperatorError, match="belongs to unit u1"):
        station.start()
    assert station.layout.ledger.read_bytes() == before


@pytest.mark.parametrize("name", ["unit.json", "ledger.jws"])
def test_a_disk_that_was_not_prepared_or_lost_its_ledger_is_refused(station: SteppedStation, name: str) -> None:
    (station.config.data / name).unlink()
    with pytest.raises(OperatorError):
        station.start()


def test_preparing_is_done_once_and_may_be_begun_again_after_any_failed_step(tmp_path: Path) -> None:
    identity = DiskIdentity(election="az-2026", station="57-002", unit="u1")
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        layout = Layout(folder / "disk")
        disk = FaultyDisk(folder, fail_at=number)
        try:
            prepare(disk, layout, identity, RESERVE_BYTES)
        except (OSError, OperatorError):
            disk.lose_unsynced()
            if layout.identity.exists():
                assert read_disk_identity(layout) == identity
                continue
            prepare(disk.restarted(), layout, identity, RESERVE_BYTES)
        else:
            assert number > 8
            with pytest.raises(OperatorError, match="prepared already"):
                prepare(Disk(), layout, identity, RESERVE_BYTES)
        assert read_disk_identity(layout) == identity
        assert layout.ledger.read_bytes() == b""
        assert layout.reserve.stat().st_size == RESERVE_BYTES


def test_no_room_for_the_reserve_is_said_in_a_sentence(tmp_path: Path) -> None:
    disk = FaultyDisk(tmp_path)
    layout = Layout(tmp_path / "disk")
    disk.make_directory(layout.media)
    disk.create(layout.ledger).close()
    disk.full = True
    with pytest.raises(OperatorError, match="no room for a reserve"):
        prepare(disk, layout, DiskIdentity(election="a", station="b", unit="c"), RESERVE_BYTES)


def test_one_recorder_a_disk(tmp_path: Path) -> None:
    layout, pid = Layout(tmp_path), tmp_path / "recorder.pid"
    with locked(layout, pid), pytest.raises(OperatorError, match="Another recorder"), locked(layout, pid):
        pass
    with locked(layout, pid):
        pass
    with pytest.raises(OperatorError, match="cannot be opened"), locked(Layout(tmp_path / "nothing"), pid):
        pass


def test_where_the_reserve_finds_no_room_nothing_of_it_is_left(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "disk")

    class Partly(Disk):
        """An ext4 allocates what there is before it says that there is no more."""

        def set_aside_bytes(self, path: Path, size_bytes: int) -> None:
            path.write_bytes(b"x" * 100)
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(NoRoomError):
        prepare(Partly(), layout, DiskIdentity(election="a", station="b", unit="c"), RESERVE_BYTES)
    assert not layout.reserve.exists()


def test_a_torn_tail_on_a_disk_without_room_is_kept_out_of_the_reserve(station: SteppedStation) -> None:
    station.start()
    station.run(5)
    station.kill()
    with station.layout.ledger.open("ab") as file:
        file.write(b"torn")
    station.disk.full = True
    station.start()
    (tail,) = station.layout.aside.iterdir()
    assert tail.read_bytes() == b"torn"
    assert not station.layout.reserve.exists()


def test_of_a_torn_tail_what_the_disk_holds_is_kept_and_not_what_memory_remembers(
    station: SteppedStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.start()
    station.run(5)
    station.kill()
    with station.layout.ledger.open("ab") as file:
        file.write(b"torn")
    real = FaultyDisk.reread

    def bad_sector(disk: FaultyDisk, path: Path) -> io.BufferedReader:
        """Through memory it could not be read at all."""
        if path != station.layout.ledger:
            return real(disk, path)
        return io.BufferedReader(io.BytesIO(path.read_bytes().removesuffix(b"torn") + bytes(4)))

    monkeypatch.setattr(FaultyDisk, "reread", bad_sector)
    station.start()
    (tail,) = station.layout.aside.iterdir()
    assert tail.read_bytes() == bytes(4)


def test_media_that_the_disk_does_not_give_are_set_aside_and_recording_goes_on(
    station: SteppedStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.start()
    station.run(5.7)
    station.kill()
    real = FaultyDisk.reread

    def unreadable(disk: FaultyDisk, path: Path) -> object:
        if path.suffix == ".part" and "cam1" in path.parts:
            raise OSError(errno.EUCLEAN, "Structure needs cleaning")
        return real(disk, path)

    monkeypatch.setattr(FaultyDisk, "reread", unreadable)
    station.start()
    station.run(3)
    station.stop()
    (found,) = _set_aside(station)
    assert found["reason"] == "cannot be opened: Structure needs cleaning"
    assert {line["camera"] for line in _check(station).kinds("recovered")} == {"cam2"}


def _set_aside(station: SteppedStation) -> list[dict[str, object]]:
    events = [line for line in _check(station).kinds("event") if line["event"] == "set-aside"]
    return [line["data"] for line in events]  # type: ignore[misc]
