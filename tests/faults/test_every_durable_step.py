"""Every durable step fails once, in both forms; then the process dies or the power goes; the record must hold."""

import json
import random
from enum import StrEnum
from pathlib import Path

import pytest

from appliance.pipeline import Pipeline
from evidence.lines import Event, line_hash
from tests.fakes.checker import Checked, check_record
from tests.fakes.faultydisk import Failure
from tests.fakes.stepped import SteppedStation, verdict_codes

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


def _head(station: SteppedStation) -> tuple[int, str] | None:
    path = station.config.run / "head.json"
    if not path.exists():
        return None
    head = json.loads(path.read_bytes())
    return head["seq"], head["sha256"]


def _afterwards(station: SteppedStation, aftermath: Aftermath, seed: int) -> None:
    match aftermath:
        case Aftermath.DIES:
            station.kill()
        case Aftermath.LOSES_ALL:
            station.lose_power()
        case Aftermath.LOSES_SOME:
            station.lose_power(random.Random(seed))


def _check(station: SteppedStation, head: tuple[int, str] | None) -> Checked:
    """The unit records on, and nothing that was told as durable is gone."""
    station.start()
    station.run(2.5)
    station.stop()
    checked = check_record(station.config.data)
    assert verdict_codes(station) <= {"open-end", "media-unnamed"}
    if head is not None:
        assert line_hash(checked.texts[head[0]]) == head[1], "a line that was told as durable is gone"
    for camera in station.cameras:
        assert [line for line in checked.kinds("segment") if line["camera"] == camera]
    return checked


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("aftermath", Aftermath)
def test_the_record_holds_whichever_step_of_a_session_fails(
    tmp_path: Path, aftermath: Aftermath, failure: Failure
) -> None:
    whole = _new(tmp_path / "whole")
    _live(whole)
    steps = len(whole.disk.steps)
    assert {name for name, _ in whole.disk.steps} >= {"reread", "append", "create", "write", "sync", "rename", "mkdir"}
    for number in range(steps):
        station = _new(tmp_path / str(number))
        with pytest.raises(OSError, match="step"):
            _live(station, number, failure)
        assert not station.disk.after_failure, f"step {number} failed and the process went on"
        head = _head(station)
        _afterwards(station, aftermath, number)
        _check(station, head)
        if aftermath is Aftermath.DIES:
            # What the process before had not made durable is gone only now.
            head = _head(station)
            station.lose_power()
            _check(station, head)


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("before", Aftermath)
@pytest.mark.parametrize("after", [Aftermath.DIES, Aftermath.LOSES_ALL])
def test_the_record_holds_whichever_step_of_recovery_fails(
    tmp_path: Path, before: Aftermath, after: Aftermath, failure: Failure
) -> None:
    number = 0
    recovered = 0
    while True:
        # Segments longer than a sync round: a part of one is durable when the session ends.
        station = _new(tmp_path / str(number), gop_seconds=2)
        station.start()
        station.run(RECORDED_S)
        head = _head(station)
        _afterwards(station, before, 7)
        try:
            station.start(fail_at=number, failure=failure)
        except OSError:
            assert not station.disk.after_failure
        else:
            assert number > 10, "recovery has more steps than that"
            assert recovered or before is Aftermath.LOSES_SOME
            return
        head = _head(station) or head
        _afterwards(station, after, number)
        recovered += len(_check(station, head).kinds("recovered"))
        number += 1


@pytest.mark.parametrize("seed", range(40))
def test_the_record_holds_over_many_power_cuts_at_random(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    station = _new(tmp_path / "station")
    head = None
    for _ in range(6):
        station.start()
        station.run(chance.uniform(0, 4))
        head = _head(station)
        if chance.random() < 0.3:
            station.kill()
        else:
            station.lose_power(chance if chance.random() < 0.8 else None)
    _check(station, head)
