"""Every durable step fails once, in both forms; then the process dies or the power goes; the record must hold.

Invariant 9: a failed sync is final, and nothing since the last good one is trusted that was not read anew.
"""

import random
from enum import StrEnum
from pathlib import Path

import pytest

from appliance.pipeline import Pipeline
from appliance.upkeep.space import FLOOR_BYTES
from base.errors import OperatorError
from evidence.lines import Event
from evidence.words import Mode
from tests.fakes.checker import Checked
from tests.fakes.faultydisk import Failure
from tests.fakes.invariants import all_hold, head
from tests.fakes.stepped import SteppedStation

RECORDED_S = 3.6


class Aftermath(StrEnum):
    """What becomes of the unit once a step has failed."""

    DIES = "the process dies, the machine stays on"
    LOSES_ALL = "the power goes, all that was not synced is lost"
    LOSES_SOME = "the power goes, by chance some of what was not synced is there"


def _new(folder: Path, gop_seconds: int = 1) -> SteppedStation:
    return SteppedStation(folder, cameras=("cam1", "cam2"), gop_seconds=gop_seconds)


def _mark(pipeline: Pipeline) -> dict[str, object]:
    pipeline.enqueue(Event(event="opened", data={"by": "chair"}))
    return {}


def _live(station: SteppedStation, fail_at: int | None = None, failure: Failure = Failure.NOT_DONE) -> None:
    """A session: three segments and a mark from two cameras, and an orderly end."""
    station.start(fail_at=fail_at, failure=failure)
    station.run(RECORDED_S)
    station.command(_mark)
    station.stop()


def _afterwards(station: SteppedStation, aftermath: Aftermath, seed: int) -> None:
    match aftermath:
        case Aftermath.DIES:
            station.kill()
        case Aftermath.LOSES_ALL:
            station.lose_power()
        case Aftermath.LOSES_SOME:
            station.lose_power(random.Random(seed))


def _check(station: SteppedStation, told: tuple[int, str] | None) -> Checked:
    """The unit records on, the invariants hold, and nothing that was told as durable is gone."""
    station.start()
    station.run(2.5)
    station.stop()
    checked = all_hold(station, told)
    for camera in station.cameras:
        assert [line for line in checked.kinds("segment") if line["camera"] == camera]
    return checked


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("aftermath", Aftermath)
def test_the_record_holds_whichever_step_of_a_session_fails(ram: Path, aftermath: Aftermath, failure: Failure) -> None:
    whole = _new(ram / "whole")
    _live(whole)
    steps = len(whole.disk.steps)
    assert {name for name, _ in whole.disk.steps} >= {"reread", "append", "create", "write", "sync", "rename", "mkdir"}
    for number in range(steps):
        station = _new(ram / str(number))
        with pytest.raises(OSError, match="step"):
            _live(station, number, failure)
        assert not station.disk.after_failure, f"step {number} failed and the process went on"
        told = head(station)
        _afterwards(station, aftermath, number)
        _check(station, told)
        if aftermath is Aftermath.DIES:
            # What the process before had not made durable is gone only now.
            told = head(station)
            station.lose_power()
            _check(station, told)


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("before", Aftermath)
@pytest.mark.parametrize("after", [Aftermath.DIES, Aftermath.LOSES_ALL])
def test_the_record_holds_whichever_step_of_recovery_fails(
    ram: Path, before: Aftermath, after: Aftermath, failure: Failure
) -> None:
    number = 0
    recovered = 0
    while True:
        # Segments longer than a sync round: a part of one is durable when the session ends.
        station = _new(ram / str(number), gop_seconds=2)
        station.start()
        station.run(RECORDED_S)
        told = head(station)
        _afterwards(station, before, 7)
        try:
            station.start(fail_at=number, failure=failure)
        except OSError:
            assert not station.disk.after_failure
        else:
            assert number > 10, "recovery has more steps than that"
            assert recovered or before is Aftermath.LOSES_SOME
            return
        told = head(station) or told
        _afterwards(station, after, number)
        recovered += len(_check(station, told).kinds("recovered"))
        number += 1


@pytest.mark.parametrize("seed", range(40))
def test_the_record_holds_over_many_power_cuts_at_random(ram: Path, seed: int) -> None:
    chance = random.Random(seed)
    station = _new(ram / "station")
    told = None
    for _ in range(6):
        station.start()
        station.run(chance.uniform(0, 4))
        told = head(station)
        if chance.random() < 0.3:
            station.kill()
        else:
            station.lose_power(chance if chance.random() < 0.8 else None)
    _check(station, told)


PROCESSES = 3
"""Of a life: one that ends in good order (as above), one that is killed, one that closes the record."""


def _life(
    station: SteppedStation, fail: tuple[int, int] | None = None, failure: Failure = Failure.NOT_DONE
) -> list[int]:
    """Start, segments on two cameras, an event, a restart, a crash, a full disk that is pruned, the end of the record.

    ``fail`` names a process and its durable step. Returns how many steps each process had.
    """
    steps: list[int] = []
    for number in range(PROCESSES):
        station.start(fail_at=fail[1] if fail is not None and fail[0] == number else None, failure=failure)
        station.run(3.6)
        match number:
            case 0:
                station.command(_mark)
                station.stop()
            case 1:
                station.disk.room_bytes = FLOOR_BYTES - 1
                station.run(0.1)
                station.disk.room_bytes = None
                station.run(2)
                station.kill()
            case _:
                station.close()
        steps.append(len(station.disk.steps))
    return steps


@pytest.mark.faults
@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("aftermath", Aftermath)
@pytest.mark.parametrize("process", range(1, PROCESSES))
def test_the_invariants_hold_whichever_step_of_a_life_fails(
    ram: Path, process: int, aftermath: Aftermath, failure: Failure
) -> None:
    def new(name: str) -> SteppedStation:
        return SteppedStation(ram / name, cameras=("cam1", "cam2"), gop_seconds=1, mode=Mode.LIVE)

    whole = new("whole")
    steps = _life(whole)
    checked = all_hold(whole, head(whole))
    assert checked.kinds("pruned")
    assert checked.kinds("close")
    for number in range(steps[process]):
        station = new(str(number))
        with pytest.raises(OSError, match="step"):
            _life(station, (process, number), failure)
        assert not station.disk.after_failure, f"step {number} failed and the process went on"
        told = head(station)
        _afterwards(station, aftermath, number)
        station.disk.room_bytes = None
        if _closed(station):
            # Nothing is added to a record that is closed; what stands must hold.
            all_hold(station, told)
        else:
            _check(station, told)


def _closed(station: SteppedStation) -> bool:
    """Whether the next start finds the end of the record."""
    try:
        station.start()
    except OperatorError as error:
        return "closed" in str(error)
    station.kill()
    return False
