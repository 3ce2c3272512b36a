"""A station's state follows from facts by one rule."""

from dataclasses import replace

import pytest

from archive.account.state import (
    ARRIVING_US,
    GAP_US,
    HEARD_US,
    LATE_US,
    LIVE_US,
    SILENT_US,
    StationState,
    UnitFacts,
    decide,
)
from archive.roster import StationStatus
from evidence.words import Mode

NOW = 1_800_000_000_000_000
SECOND = 1_000_000
LIVE = UnitFacts(
    heard_us=NOW - SECOND,
    arrived_us=NOW - 2 * SECOND,
    recorded_us=NOW - SECOND,
    here_us=NOW - 3 * SECOND,
    mode=Mode.LIVE,
)


def state(unit: UnitFacts, *others: UnitFacts, status: StationStatus | None = StationStatus.RECORDED) -> StationState:
    return decide(status, [unit, *others], NOW).state


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, StationState.LIVE),
        ({"thin": True}, StationState.THINNED),
        ({"covered_us": NOW - 60 * SECOND}, StationState.DEGRADED),
        ({"lacks": True}, StationState.LIVE),
        ({"here_us": NOW - SECOND - LIVE_US}, StationState.LIVE),
        ({"here_us": NOW - 2 * SECOND - LIVE_US}, StationState.BACKFILLING),
        ({"here_us": None}, StationState.BACKFILLING),
        ({"here_us": None, "arrived_us": NOW - ARRIVING_US - SECOND}, StationState.RECORDING),
        ({"here_us": None, "arrived_us": None}, StationState.RECORDING),
        ({"recorded_us": NOW - LATE_US - 1, "here_us": NOW - LATE_US - 1}, StationState.BACKFILLING),
        ({"heard_us": NOW - HEARD_US - 1}, StationState.RECORDING),
        ({"heard_us": NOW - SILENT_US - 1, "arrived_us": None}, StationState.SILENT),
        ({"gap_us": NOW - 2 * SECOND - GAP_US}, StationState.NOT_RECORDING),
        ({"gap_us": NOW - GAP_US}, StationState.LIVE),
        ({"mode": Mode.UNARMED}, StationState.NOT_ARMED),
        ({"mode": None}, StationState.NOT_ARMED),
        ({"closed": True}, StationState.COMPLETE),
        ({"closed": True, "lacks": True}, StationState.BACKFILLING),
    ],
)
def test_the_state_of_a_unit(changes: dict[str, object], expected: StationState) -> None:
    assert state(replace(LIVE, **changes)) is expected  # type: ignore[arg-type]


def test_a_test_is_judged_like_a_live_record_and_marked_whatever_else_is_true() -> None:
    for changes in ({}, {"closed": True}, {"heard_us": None}, {"gap_us": 0}, {"covered_us": 0}):
        live = decide(StationStatus.RECORDED, [replace(LIVE, **changes)], NOW)
        test = decide(StationStatus.RECORDED, [replace(LIVE, mode=Mode.TEST, **changes)], NOW)
        assert not live.test
        assert test == replace(live, test=True)
    assert not decide(StationStatus.RECORDED, [], NOW).test


def test_the_unit_that_speaks_for_a_station_says_whether_it_is_a_test() -> None:
    yesterday = replace(LIVE, mode=Mode.TEST, heard_us=NOW - 3600 * SECOND, arrived_us=None)
    assert not decide(StationStatus.RECORDED, [LIVE, yesterday], NOW).test
    assert decide(StationStatus.EXEMPT, [yesterday], NOW).test, "an exempt station that sends a test shows that it does"


def test_the_list_says_who_is_not_recorded() -> None:
    assert state(LIVE, status=StationStatus.EXEMPT) is StationState.EXEMPT
    assert state(LIVE, status=StationStatus.NOT_COVERED) is StationState.NOT_COVERED
    assert state(LIVE, status=None) is StationState.LIVE
    assert decide(StationStatus.RECORDED, [], NOW).state is StationState.NEVER_SEEN


def test_the_unit_that_was_heard_last_speaks_for_its_station_and_both_must_be_complete() -> None:
    old = replace(LIVE, heard_us=NOW - 3600 * SECOND, arrived_us=None, recorded_us=NOW - 3600 * SECOND, lacks=True)
    assert state(old, LIVE) is state(LIVE, old) is StationState.LIVE
    closed = replace(LIVE, closed=True)
    assert state(closed, old) is StationState.BACKFILLING
    assert state(closed, replace(old, lacks=False)) is StationState.COMPLETE


def test_silence_and_closing_are_dated_and_the_last_proven_second_stays() -> None:
    silent = decide(None, [replace(LIVE, heard_us=NOW - 600 * SECOND, arrived_us=NOW - 500 * SECOND)], NOW)
    assert (silent.state, silent.since_us, silent.proven_us) == (
        StationState.SILENT,
        NOW - 500 * SECOND,
        NOW - SECOND,
    )
    closed = replace(LIVE, closed=True, closed_us=NOW - 90 * SECOND)
    assert decide(None, [closed], NOW).since_us == LIVE.arrived_us, "since the last of it came"
    assert decide(None, [replace(closed, lacks=True)], NOW).since_us == NOW - 90 * SECOND


def test_a_closed_record_of_a_unit_that_is_gone_is_silent_and_not_catching_up() -> None:
    gone = replace(LIVE, closed=True, lacks=True, heard_us=NOW - SILENT_US - 1, arrived_us=NOW - SILENT_US - 1)
    assert state(gone) is StationState.SILENT


def test_without_any_time_of_the_archive_nothing_is_claimed() -> None:
    nothing = UnitFacts(heard_us=None)
    assert decide(None, [nothing], NOW) == decide(None, [nothing], NOW + SECOND)
    assert state(nothing) is StationState.SILENT
