"""A recorder in virtual time whose cameras and disk are failing it (invariant 8): what is done and told."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.capture.camera import AccessUnit
from appliance.pipeline import Pipeline
from appliance.upkeep.faults import CAMERA_SILENT, DISK_SHORT
from appliance.upkeep.ladder import PROCESS_AFTER_NS, REBOOT_UPTIME_NS, Rung
from appliance.upkeep.space import FLOOR_BYTES, Space
from evidence.lines import Event
from tests.fakes.checker import Checked, check_record
from tests.fakes.station import SECOND
from tests.fakes.stepped import SteppedStation, verdict_codes


@pytest.fixture
def station(tmp_path: Path) -> SteppedStation:
    station = SteppedStation(tmp_path / "unit", cameras=("cam1", "cam2"))
    station.supervised = True
    return station


def _check(station: SteppedStation) -> Checked:
    return check_record(station.config.data)


def _events(checked: Checked, name: str) -> list[dict[str, object]]:
    return [line for line in checked.kinds("event") if line["event"] == name]


def _run_until_rung(station: SteppedStation, most_s: int) -> int:
    """Let time pass in seconds until the recorder is to end; how many."""
    for second in range(most_s):
        station.run(1, step_ns=SECOND)
        if station.pipeline.rung is not None:
            return second + 1
    raise AssertionError("no rung")


def test_without_any_picture_for_a_minute_the_process_ends_and_says_so(station: SteppedStation) -> None:
    station.start()
    station.run(5)
    for camera in station.cameras.values():
        camera.failing = "cable"
    assert _run_until_rung(station, 100) == PROCESS_AFTER_NS // SECOND
    assert station.pipeline.rung is Rung.PROCESS
    assert station.pipeline.faults() == [CAMERA_SILENT]
    assert station.pipeline.status()["recording"] is False
    station.stop()
    checked = _check(station)
    last = checked.lines[-1]
    assert (last["event"], last["data"]) == ("process-restart", {"silent": "cam1, cam2", "hanging": ""})
    station.clock.advance(3 * SECOND)
    station.start()
    for camera in station.cameras.values():
        camera.failing = None
    station.run(5)
    station.stop()
    checked = _check(station)
    assert checked.kinds("start")[1]["ended"] == "process-restart"
    assert set(checked.gaps("cam1")[1:-1]) == {"camera"}
    assert verdict_codes(station) == {"open-end"}


def test_processes_that_do_not_help_come_ever_later_and_a_reboot_after_half_an_hour(station: SteppedStation) -> None:
    for camera in station.cameras.values():
        camera.failing = "driver"
    waits, rungs = [], []
    for _ in range(6):
        station.start()
        for lane in station.pipeline.lanes:
            lane.bridge.put_break("no picture for 5 s")
        waits.append(_run_until_rung(station, 2000))
        rungs.append(station.pipeline.rung)
        station.stop()
        if rungs[-1] is Rung.REBOOT:
            break
    assert waits[:4] == [60, 120, 240, 480]
    assert rungs[-1] is Rung.REBOOT
    assert station.clock.boot_ns() >= REBOOT_UPTIME_NS
    station.lose_power()
    station.start()
    station.stop()
    assert _check(station).kinds("start")[-1]["ended"] == "reboot"
    assert set(_check(station).gaps("cam1")) == {"camera"}


def test_one_picture_makes_the_ladder_begin_anew(station: SteppedStation) -> None:
    for camera in station.cameras.values():
        camera.failing = "driver"
    station.start()
    _run_until_rung(station, 100)
    station.stop()
    station.start()
    for camera in station.cameras.values():
        camera.failing = None
    station.run(5)
    assert station.session.state.restarts == 0
    station.stop()


def test_a_dead_camera_beside_a_living_one_ends_nothing(station: SteppedStation) -> None:
    station.start()
    station.cameras["cam2"].failing = "cable"
    station.run(700, step_ns=SECOND)
    assert station.pipeline.rung is None
    assert station.pipeline.status()["fault"] == CAMERA_SILENT.code
    assert station.pipeline.status()["recording"] is True
    station.stop()


def test_without_a_service_manager_the_recorder_goes_on_waiting(station: SteppedStation) -> None:
    station.supervised = False
    station.start()
    for camera in station.cameras.values():
        camera.failing = "cable"
    station.run(600, step_ns=SECOND)
    assert station.pipeline.rung is None
    station.stop()


def _rubbish(unit: AccessUnit) -> AccessUnit:
    return AccessUnit(b"\0\0\1rubbish", unit.boot_ns, unit.keyframe, unit.mode)


def _backwards(unit: AccessUnit) -> AccessUnit:
    return AccessUnit(unit.data, 10**9, unit.keyframe, unit.mode)


@pytest.mark.parametrize("edit", [_rubbish, _backwards])
def test_a_camera_of_which_nothing_can_be_used_is_started_anew(station: SteppedStation, edit: object) -> None:
    station.start()
    station.run(3)
    lane = station.pipeline.lanes[0]
    station.cameras["cam1"].edit = edit  # type: ignore[assignment]
    station.run(5)
    assert lane.bridge.take_refusal() is None
    station.run(15)
    assert lane.bridge.take_refusal() == "none of its pictures can be used"
    assert station.pipeline.lanes[1].bridge.take_refusal() is None
    station.stop()
    assert verdict_codes(station) == {"open-end"}


def test_while_the_disk_is_full_no_camera_is_blamed(station: SteppedStation) -> None:
    station.start()
    station.arm()
    station.run(4)
    station.disk.room_bytes = 0
    station.run(200, step_ns=SECOND // 5)
    assert station.pipeline.rung is None
    assert all(lane.bridge.take_refusal() is None for lane in station.pipeline.lanes)
    station.stop()


def _small_disk(station: SteppedStation, seconds: int) -> None:
    """Leave room for so long at the configured bitrate, which is what counts until a minute has been measured."""
    rate = sum(lane.picture.bitrate for lane in station.pipeline.lanes) // 8
    station.disk.room_bytes = FLOOR_BYTES + seconds * rate


def test_before_the_disk_is_full_the_bitrate_is_lowered_and_a_line_says_so(station: SteppedStation) -> None:
    station.start()
    station.arm()
    station.run(75)
    station.disk.room_bytes = FLOOR_BYTES + 10_000
    station.run(1)
    assert station.cameras["cam1"].bitrates == [5_000]
    assert station.pipeline.faults() == [DISK_SHORT]
    station.run(70)
    assert station.cameras["cam1"].bitrates == [5_000, 2_500]
    station.disk.room_bytes = 1 << 40
    station.run(140)
    assert station.cameras["cam2"].bitrates == [5_000, 2_500, 5_000, 10_000]
    assert station.pipeline.faults() == []
    station.stop()
    lines = [line["data"] for line in _events(_check(station), "bitrate") if line["camera"] == "cam1"]
    assert lines[0] == {"from": 10_000, "to": 5_000, "room": FLOOR_BYTES + 10_000}
    assert len(lines) == 4
    assert verdict_codes(station) == {"open-end"}


def test_an_encoder_that_has_to_start_anew_for_it_leaves_a_gap_with_that_cause(station: SteppedStation) -> None:
    station.cameras["cam1"].changes_bitrate = False
    station.start()
    station.arm()
    station.run(75)
    station.disk.room_bytes = FLOOR_BYTES + 10_000
    station.run(1)
    lane = station.pipeline.lanes[0]
    reason = lane.bridge.take_refusal()
    assert reason == "started anew for another bitrate"
    # What its keeper does then.
    station.cameras["cam1"].stop()
    lane.bridge.put_break(reason)
    station.run(1)
    station.cameras["cam1"].start(lane.bridge.put)
    station.run(3)
    station.stop()
    assert _check(station).gaps("cam1") == ["starting", "reconfigured"]
    assert _check(station).gaps("cam2") == ["starting"]


def test_while_unarmed_media_may_go_the_picture_stays_as_good_as_it_is(station: SteppedStation) -> None:
    station.start()
    station.run(75)
    station.disk.room_bytes = FLOOR_BYTES + 10_000
    station.run(5)
    assert station.cameras["cam1"].bitrates == []
    station.stop()


def test_heat_and_low_voltage_are_shown_while_they_last(station: SteppedStation) -> None:
    station.start()

    def note(event: Event) -> None:
        def put(pipeline: Pipeline) -> dict[str, object]:
            pipeline.enqueue(event)
            return {}

        station.command(put)

    note(Event(event="power", data={"under_voltage": 1}))
    note(Event(event="thermal", data={"too_hot": 1, "milli_c": 85_000}))
    assert [fault.code for fault in station.pipeline.faults()] == [3001, 3002]
    note(Event(event="power", data={"under_voltage": 0}))
    assert [fault.code for fault in station.pipeline.faults()] == [3002]
    station.stop()


def test_a_picture_from_the_future_costs_a_moment_and_not_the_hours_until_then(station: SteppedStation) -> None:
    station.start()
    station.run(5)
    ahead = [10 * 3600 * SECOND]

    def edit(unit: AccessUnit) -> AccessUnit:
        return replace(unit, boot_ns=unit.boot_ns + ahead.pop()) if unit.keyframe and ahead else unit

    station.cameras["cam1"].edit = edit
    station.run(10)
    station.stop()
    checked = _check(station)
    assert checked.gaps("cam1") == ["starting", "camera"]
    hole = checked.kinds("gap")[-1]
    assert int(str(hole["to_ns"])) - int(str(hole["from_ns"])) < 3 * SECOND
    assert verdict_codes(station) == {"open-end"}


def test_a_camera_that_delivers_only_rubbish_is_given_time_after_each_new_start(station: SteppedStation) -> None:
    station.start()
    station.cameras["cam1"].edit = _rubbish
    lane = station.pipeline.lanes[0]
    restarts = 0
    for _ in range(600):
        station.run(0.1)
        reason = lane.bridge.take_refusal()
        if reason is not None:
            restarts += 1
            # What its keeper does then.
            lane.bridge.put_break(reason)
    assert 4 <= restarts <= 7
    station.stop()


def test_a_driver_that_hangs_beside_a_living_camera_interrupts_that_one_ever_more_rarely(
    station: SteppedStation,
) -> None:
    station.cameras["cam2"].failing = "driver"
    waits = []
    for _ in range(3):
        station.start()
        station.pipeline.lanes[1].hangs = lambda: True
        waits.append(_run_until_rung(station, 3000))
        assert station.pipeline.rung is Rung.PROCESS
        station.stop()
    assert waits == [600, 1200, 2400]
    station.cameras["cam2"].failing = None
    station.start()
    station.run(5)
    assert station.session.state.restarts == 0
    station.stop()


def test_whoever_asks_for_the_status_touches_nothing_that_the_storage_thread_works_with(
    station: SteppedStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.start()
    station.run(5)
    left_s = station.pipeline.status()["seconds_left"]
    # Measuring forgets what is older than a minute; two threads at once would forget it twice.
    monkeypatch.delattr(Space, "rate")
    assert station.pipeline.status()["seconds_left"] == left_s
