"""One table from list and ledgers: it adds up whatever they say, and names every station they disagree about."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.account.readiness import Ready, readiness
from archive.account.reconciliation import Contradiction, reconcile
from archive.account.state import StationState, UnitFacts, decide
from archive.account.stations import LineAt, StationFacts, total
from archive.names import UnitName
from archive.roster import RosterStation, StationStatus, parse_roster
from base.errors import OperatorError
from evidence.words import Mode
from tests.fakes.facts import ROSTER

NOW = 1_800_000_000_000_000


def listed(name: str, status: StationStatus = StationStatus.RECORDED, cameras: int = 1) -> RosterStation:
    constituency, number = name.split("-")
    return RosterStation(
        name=name,
        constituency=constituency,
        number=number,
        names={"az": name},
        addresses={},
        cameras=cameras if status is StationStatus.RECORDED else 0,
        status=status,
        reason={},
    )


def station(
    name: str,
    state: StationState,
    *units: str,
    status: StationStatus | None = StationStatus.RECORDED,
    test: bool = False,
    recording: int = 0,
    cameras: int | None = None,
    gap: str | None = None,
) -> StationFacts:
    names = tuple(UnitName(station=name, unit=unit) for unit in units)
    head = LineAt(name=names[0], branch=0, seq=900) if names else None
    return StationFacts(
        name=name,
        listed=None if status is None else listed(name, status),
        units=names,
        state=state,
        since_us=None,
        proven_us=None,
        test=test,
        recording=names[:recording],
        head=head,
        gap=None if gap is None or head is None else (gap, LineAt(name=head.name, branch=0, seq=890)),
        cameras=cameras,
    )


STATIONS = st.builds(
    station,
    st.integers(1, 40).map(lambda number: f"57-{number:03d}"),
    st.sampled_from(StationState),
    st.sampled_from(["u1", "u2"]),
    status=st.sampled_from([*StationStatus, None]),
    test=st.booleans(),
    recording=st.integers(0, 1),
    cameras=st.sampled_from([None, 1, 2]),
)


@given(st.lists(STATIONS, max_size=60))
def test_the_sums_hold_whatever_list_and_ledgers_say(stations: list[StationFacts]) -> None:
    table = reconcile(stations, NOW)
    names = {each.name for each in stations}
    assert table.listed - table.exempt - table.not_covered == table.recorded + len(table.missing)
    assert table.expected == table.recorded + len(table.missing)
    assert table.listed + table.unlisted == len(names), "every station is counted once"
    assert len({each.station for each in table.missing}) == len(table.missing)


@given(st.lists(STATIONS, max_size=60, unique_by=lambda each: each.name))
def test_it_says_the_same_as_the_numbers_of_the_day(stations: list[StationFacts]) -> None:
    table, totals = reconcile(stations, NOW), total(stations, NOW)
    assert (table.expected, table.recorded, len(table.missing)) == (totals.expected, totals.recorded, totals.missing)
    assert (table.exempt, table.not_covered, table.unlisted) == (totals.exempt, totals.not_covered, totals.unlisted)


def test_the_confused_morning_of_a_commission_is_one_table_with_a_cause_and_evidence_for_each() -> None:
    """F4: hospitals nobody marked, dead and faulty units, early ones, and a list that contradicts the ledgers."""
    hospitals = [station(f"1-{n}", StationState.NEVER_SEEN) for n in range(1, 4)]
    dead = [station(f"2-{n}", StationState.SILENT, "u1") for n in range(1, 6)]
    faulty = [station(f"3-{n}", StationState.NOT_RECORDING, "u1", gap="disk-error") for n in range(1, 5)]
    early = [station(f"4-{n}", StationState.LIVE, "u1", recording=1) for n in range(1, 6)]
    wrong = [
        *(station(f"5-{n}", StationState.EXEMPT, "u1", status=StationStatus.EXEMPT) for n in range(1, 4)),
        *(station(f"6-{n}", StationState.LIVE, "u1", "u2", recording=2) for n in range(1, 3)),
        *(station(f"7-{n}", StationState.LIVE, "u1", status=None) for n in range(1, 3)),
        *(station(f"8-{n}", StationState.LIVE, "u1", cameras=2) for n in range(1, 4)),
    ]
    table = reconcile([*hospitals, *dead, *faulty, *early, *wrong], NOW)
    assert (table.listed, table.exempt, table.recorded, len(table.missing)) == (25, 3, 10, 12)
    causes = {each.station: (each.cause, each.gap, each.line and each.line.seq) for each in table.missing}
    assert causes["1-1"] == ("never-seen", None, None)
    assert causes["2-1"] == ("silent", None, 900)
    assert causes["3-1"] == ("not-recording", "disk-error", 890), "the line that tells the gap"
    assert not any(name.startswith("4-") for name in causes), "who began early is recorded"
    assert {each.station for each in table.contradictions} == {each.name for each in wrong}
    with pytest.raises(OperatorError) as refused:
        table.require_sound()
    assert all(each.name in str(refused.value) for each in wrong)


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (station("1-1", StationState.NOT_COVERED, "u1", status=StationStatus.NOT_COVERED), "not-covered-delivers"),
        (station("1-1", StationState.EXEMPT, "u1", status=StationStatus.EXEMPT), "exempt-delivers"),
        (station("1-1", StationState.LIVE, "u1", "u2", recording=2), "two-units"),
        (station("1-1", StationState.LIVE, "u1", cameras=2), "cameras"),
        (station("1-1", StationState.SILENT, "u1", status=None), "unlisted"),
    ],
)
def test_each_contradiction_is_named(facts: StationFacts, what: str) -> None:
    (found,) = reconcile([facts], NOW).contradictions
    assert (found.station, found.what.value) == ("1-1", what)
    assert {each.value for each in Contradiction} >= {what}


def test_a_station_named_twice_counts_once_and_is_named() -> None:
    twice = station("1-1", StationState.LIVE, "u1")
    table = reconcile([twice, twice], NOW)
    assert (table.listed, table.recorded) == (1, 1)
    assert [each.what for each in table.contradictions] == [Contradiction.DUPLICATE]
    rows = ROSTER.split(b"\n")
    with pytest.raises(ValueError, match="57-002 stands in the list twice"):
        parse_roster(b"\n".join([*rows, rows[1]]))


def test_a_replaced_unit_is_no_contradiction_and_a_test_is_missing_as_a_test() -> None:
    assert reconcile([station("1-1", StationState.LIVE, "u1", "u2", recording=1)], NOW).contradictions == ()
    (missing,) = reconcile([station("1-1", StationState.LIVE, "u1", test=True)], NOW).missing
    assert missing.cause == "test"


def test_an_early_record_is_judged_like_any_other() -> None:
    """Nothing in the rule knows the window: what a unit recorded too early is accepted."""
    facts = UnitFacts(heard_us=NOW, arrived_us=NOW, recorded_us=NOW, here_us=NOW, mode=Mode.LIVE)
    rules: Mapping[str, StationStatus | None] = {"listed": StationStatus.RECORDED}
    assert decide(rules["listed"], [facts], NOW).state is StationState.LIVE


@given(st.lists(STATIONS, max_size=60))
def test_the_eve_of_the_poll_splits_the_same_sum(stations: list[StationFacts]) -> None:
    eve = readiness(stations, NOW)
    split = [eve.count(each) for each in (Ready.TESTED, Ready.FAILED, Ready.NO_NETWORK)]
    assert sum(split) == eve.table.expected
    assert eve.count(Ready.EXEMPT) == eve.table.exempt
    assert eve.count(Ready.NOT_COVERED) == eve.table.not_covered
    assert len(eve.stations) == eve.table.listed


@pytest.mark.parametrize(
    ("facts", "ready", "gap"),
    [
        (station("1-1", StationState.COMPLETE, "u1", test=True), Ready.TESTED, None),
        (station("1-1", StationState.NOT_RECORDING, "u1", test=True, gap="camera"), Ready.FAILED, "camera"),
        (station("1-1", StationState.DEGRADED, "u1", test=True), Ready.FAILED, None),
        (station("1-1", StationState.NOT_ARMED, "u1"), Ready.FAILED, None),
        (station("1-1", StationState.SILENT, "u1", test=True), Ready.NO_NETWORK, None),
        (station("1-1", StationState.NEVER_SEEN), Ready.NO_NETWORK, None),
        (station("1-1", StationState.EXEMPT, status=StationStatus.EXEMPT), Ready.EXEMPT, None),
    ],
)
def test_each_station_is_tested_failed_exempt_or_without_network(
    facts: StationFacts, ready: Ready, gap: str | None
) -> None:
    (told,) = readiness([facts], NOW).stations
    assert (told.ready, told.gap) == (ready, gap)
