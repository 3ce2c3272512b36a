"""A recorder in virtual time: what cameras, disk and clock may do to it, and what the record says of that."""

import itertools
import json
import threading
from pathlib import Path

import pytest

from appliance.capture.camera import AccessUnit
from appliance.pipeline import Pipeline
from appliance.store.storage import Storage
from appliance.upkeep.space import FLOOR_BYTES
from base.errors import OperatorError
from base.service import Service
from evidence.lines import Event
from evidence.words import Mode
from tests.fakes.checker import Checked, check_record
from tests.fakes.station import SECOND
from tests.fakes.stepped import SteppedStation


@pytest.fixture
def station(tmp_path: Path) -> SteppedStation:
    return SteppedStation(tmp_path / "unit", cameras=("cam1", "cam2"))


def _check(station: SteppedStation) -> Checked:
    return check_record(station.config.data)


def _event(pipeline: Pipeline) -> dict[str, object]:
    pipeline.enqueue(Event(event="opened"))
    return {"marked": True}


def test_a_camera_that_dies_leaves_closed_pieces_of_gap_and_comes_back_as_a_new_run(station: SteppedStation) -> None:
    station.start()
    station.run(5)
    station.cameras["cam1"].failing = "cable"
    station.run(35)
    station.pipeline.lanes[0].bridge.put_break("no picture for 5 s")
    station.cameras["cam1"].failing = None
    station.cameras["cam1"].start(station.pipeline.lanes[0].bridge.put)
    station.run(5)
    station.stop()
    checked = _check(station)
    assert checked.gaps("cam1") == ["starting", "camera", "camera", "camera", "camera"]
    assert checked.gaps("cam2") == ["starting"]
    assert [run["run"] for run in checked.kinds("run") if run["camera"] == "cam1"] == [0, 1]
    (event,) = [line for line in checked.kinds("event") if line["event"] == "camera-restart"]
    assert event["data"] == {"reason": "no picture for 5 s"}


def test_a_camera_that_never_delivers_is_a_gap_from_the_first_line_on(station: SteppedStation) -> None:
    station.cameras["cam2"].failing = "not there"
    station.start()
    station.run(30)
    station.stop()
    assert _check(station).gaps("cam2") == ["starting"] * 3


def test_what_a_slow_disk_cannot_take_is_dropped_and_told_as_overload(station: SteppedStation) -> None:
    station.start()
    station.run(5)
    for _ in range(300):  # the disk holds the recorder up for half a minute
        station.clock.advance(SECOND // 10)
        station.shoot()
    station.run(5)
    station.stop()
    checked = _check(station)
    assert checked.gaps("cam1") == ["starting", "overload"]
    gap = checked.kinds("gap")[-1]
    assert 9 * SECOND < int(str(gap["to_ns"])) - int(str(gap["from_ns"])) < 13 * SECOND
    traffic = station.pipeline.lanes[0].bridge.traffic()
    recorded = sum(int(str(line["frames"])) for line in checked.kinds("segment") if line["camera"] == "cam1")
    segmenter = station.pipeline.lanes[0].segmenter
    assert recorded + traffic.pictures_dropped + segmenter.late + segmenter.undecodable == traffic.pictures_in


def test_no_line_follows_close_whatever_was_asked_for_in_the_same_moment(station: SteppedStation) -> None:
    station.start()
    station.run(45)

    def close(pipeline: Pipeline) -> dict[str, object]:
        pipeline.close_record("persons")
        return {}

    station.disk.room_bytes = FLOOR_BYTES - 1
    first = station.pipeline.submit(close)
    others = [station.pipeline.submit(each) for each in (_event, close)]
    stop = threading.Event()
    station.pipeline.run(stop)
    station.session.storage.close()
    assert first.result(timeout=0) == {}
    for other in [*others, station.pipeline.submit(_event)]:
        with pytest.raises(OperatorError, match="ending"):
            other.result(timeout=0)
    checked = _check(station)
    assert checked.lines[-1]["kind"] == "close"
    with pytest.raises(OperatorError, match="closed"):
        station.start()


def test_a_record_is_closed_to_the_instant_also_for_a_camera_that_is_dead(station: SteppedStation) -> None:
    station.cameras["cam2"].failing = "not there"
    station.start()
    station.run(7.3)
    station.close()
    checked = _check(station)
    assert checked.lines[-1]["to_ns"] == checked.cameras["cam1"].at_ns == checked.cameras["cam2"].at_ns
    assert checked.gaps("cam2") == ["starting"]


def test_an_asker_who_hangs_up_costs_nothing(station: SteppedStation) -> None:
    station.start()
    station.run(1)
    before, during = station.pipeline.submit(_event), station.pipeline.submit(_event)
    assert before.cancel()
    station.pipeline.step()
    assert not during.cancel()
    assert during.result(timeout=0) == {"marked": True}
    station.run(3)
    station.stop()
    assert [line["event"] for line in _check(station).kinds("event")] == ["opened", "stopped"]


def test_an_answer_comes_only_once_what_was_asked_for_is_durable(station: SteppedStation) -> None:
    station.start()
    station.run(1)
    seen: list[bytes] = []
    future = station.pipeline.submit(_event)
    future.add_done_callback(lambda _: seen.append(station.layout.ledger.read_bytes()))
    station.pipeline.step()
    assert json.loads((station.config.run / "head.json").read_text())["size_bytes"] == len(seen[0])
    assert len(seen[0].splitlines()) > 1


def test_a_durable_step_that_fails_inside_a_command_ends_the_process(station: SteppedStation) -> None:
    station.start()
    station.run(1)
    steps = len(station.disk.steps)

    def arm(pipeline: Pipeline) -> dict[str, object]:
        pipeline.enqueue(Event(event="opened"))
        pipeline.commit()
        return {}

    station.disk._fail_at = steps + 1
    asked, waiting = station.pipeline.submit(arm), station.pipeline.submit(_event)
    with pytest.raises(OSError, match="step"):
        station.pipeline.run(threading.Event())
    for future in (asked, waiting):
        with pytest.raises(OperatorError, match="ending"):
            future.result(timeout=0)
    assert not station.disk.after_failure


def test_a_clock_that_is_set_while_recording_costs_no_picture_and_is_told(station: SteppedStation) -> None:
    station.clock.set_utc(None)
    station.start()
    station.run(5)
    station.clock.set_utc(1_800_000_000_000_000)
    station.run(5)
    station.clock.set_utc(1_700_000_000_000_000)
    station.run(5)
    station.clock.error_us = None
    station.run(5)
    station.stop()
    checked = _check(station)
    assert [(line["change"], line["step_us"] is None) for line in checked.kinds("clock")] == [
        ("gained", True),
        ("step", False),
        ("lost", False),
    ]
    assert checked.gaps("cam1") == ["starting"]
    assert sum(int(str(line["frames"])) for line in checked.kinds("segment") if line["camera"] == "cam1") == 100
    assert all(line["utc_us"] is None for line in checked.lines[:5])


def test_an_error_text_of_any_bytes_becomes_a_line(station: SteppedStation) -> None:
    station.start()
    station.run(3)
    station.pipeline.lanes[0].bridge.put_break("no file \udcff" + "x" * 500)
    station.run(3)
    station.stop()
    (event,) = [line for line in _check(station).kinds("event") if line["event"] == "camera-restart"]
    assert str(event["data"]).count("x") == 200 - len("no file ?")


def test_a_source_that_says_it_is_live_before_it_was_armed_is_not_believed_within_a_segment(
    station: SteppedStation,
) -> None:
    station.start()
    station.run(3)
    camera = station.cameras["cam1"]
    camera.edit = lambda unit: unit if unit.keyframe else AccessUnit(unit.data, unit.boot_ns, False, Mode.LIVE)
    station.run(4)
    station.stop()
    assert {line["mode"] for line in _check(station).kinds("segment")} == {"UNARMED"}


def test_arming_is_durable_before_a_picture_says_so_and_lasts_over_a_restart(station: SteppedStation) -> None:
    station.start()
    station.run(3)
    station.arm(Mode.TEST)
    station.run(5)
    station.kill()
    station.start()
    station.run(5)
    station.stop()
    checked = _check(station)
    modes = [line["mode"] for line in checked.lines if line["kind"] in ("segment", "recovered")]
    armed = next(n for n, line in enumerate(checked.kinds("segment")) if line["mode"] == "TEST")
    assert modes[:armed] == ["UNARMED"] * armed
    assert set(modes[armed:]) == {"TEST"}


def test_status_can_be_asked_for_while_the_pipeline_works(station: SteppedStation) -> None:
    station.start()
    done = threading.Event()
    seen: list[dict[str, object]] = []

    def ask() -> None:
        while not done.is_set():
            seen.append(station.pipeline.status())

    thread = threading.Thread(target=ask)
    thread.start()
    station.run(20)
    done.set()
    thread.join()
    assert seen
    json.dumps(seen[-1])
    published = json.loads((station.config.run / "status.json").read_text())
    assert [camera["camera"] for camera in published["cameras"]] == ["cam1", "cam2"]
    assert published["cameras"][0]["recorded_to_ns"] > 20 * SECOND


def test_recording_goes_on_without_a_place_for_status_files(station: SteppedStation) -> None:
    station.start()
    station.run(3)
    for path in station.config.run.iterdir():
        path.unlink()
    station.config.run.rmdir()
    station.run(5)
    station.stop()
    assert _check(station).gaps("cam1") == ["starting"]


class _Told(Service):
    """Remembers what the service manager would be told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def _notify(self, state: str) -> bool:
        self.told.append(state)
        return True


def test_the_service_is_ready_and_the_watchdog_fed_by_committed_lines_alone(station: SteppedStation) -> None:
    service = _Told()
    station.service = service
    station.cameras["cam2"].failing = "not there"
    station.start()
    station.run(8)
    assert [told for told in service.told if not told.startswith("STATUS=")] == []
    station.run(10)
    assert "READY=1" in service.told
    fed = service.told.count("WATCHDOG=1")
    assert fed
    for _ in range(600):
        station.clock.advance(SECOND // 10)
    assert service.told.count("WATCHDOG=1") == fed


def test_a_run_is_committed_at_once_because_without_its_line_nothing_could_be_recovered(
    station: SteppedStation,
) -> None:
    station.start()
    station.run(0.1)
    assert len(_check(station).kinds("run")) == 2


def test_a_round_is_due_one_second_after_the_last_one_ended_however_long_that_took(
    station: SteppedStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.start()
    station.run(4)
    rounds: list[tuple[int, int]] = []
    real = Storage.commit

    def slow(storage: Storage) -> object:
        began_ns = station.clock.boot_ns()
        lines = real(storage)
        station.clock.advance(3 * SECOND)
        rounds.append((began_ns, station.clock.boot_ns()))
        return lines

    monkeypatch.setattr(Storage, "commit", slow)
    station.run(10)
    waits = [began_ns - ended_ns for (_, ended_ns), (began_ns, _) in itertools.pairwise(rounds)]
    assert set(waits) == {SECOND}
    station.run(2)
    station.stop()
    assert _check(station).gaps("cam1") == ["starting"]
