"""The queue: what needs an answer, who is called and when, over restarts, on virtual time."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.account.state import StationState, UnitFacts, decide
from archive.account.stations import StationFacts
from archive.names import UnitName
from archive.roster import RosterStation, StationStatus
from archive.supervision.database import SupervisionDatabase
from archive.supervision.notify.config import COMMON_KEYS, KEYS
from archive.supervision.queue.casebook import Casebook
from archive.supervision.queue.day import Day, Phase, read_day
from archive.supervision.queue.escalation import AGAIN_US, NEXT_US, next_level
from archive.supervision.queue.outbox import MOST_NAMED, SPACE_US, Outbox
from archive.supervision.queue.rules import CALM_US, WEIGHTS, Reason, Trouble, trouble, urgency
from archive.supervision.queue.tickets import Tickets
from base.errors import OperatorError
from evidence.certificate import Trust
from evidence.terms import Expected, Terms
from evidence.words import Mode
from evidence.words import Phase as Declared
from provisioning.authority import Authority

SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
MIDNIGHT = 1_801_947_600_000_000
DAY = Day(
    from_us=MIDNIGHT + 5 * HOUR,
    opens_us=MIDNIGHT + 8 * HOUR,
    closes_us=MIDNIGHT + 19 * HOUR,
    to_us=MIDNIGHT + 32 * HOUR,
)
CUT = MIDNIGHT + 23 * HOUR + 24 * MINUTE
LEVELS = {"duty": 1, "head": 2, "chief": 3}


def listed(name: str, status: StationStatus = StationStatus.RECORDED) -> RosterStation:
    constituency, number = name.split("-")
    return RosterStation(
        name=name,
        constituency=constituency,
        number=number,
        names={"az": name},
        addresses={},
        cameras=1,
        status=status,
        reason={},
    )


class Centre:
    """A supervision centre over a few stations, which can be restarted at any moment."""

    def __init__(self, folder: Path, day: Day | None = DAY) -> None:
        self._url, self._day = f"sqlite:///{folder / 'supervision.sqlite'}", day
        self.now_us = CUT
        self.units: dict[str, UnitFacts | None] = {}
        self.database = SupervisionDatabase(self._url)
        self._begin()

    def restart(self) -> None:
        self.database.close()
        self.database = SupervisionDatabase(self._url)
        self._begin()

    def _begin(self) -> None:
        self.book = Casebook(self.database, LEVELS, self._day)
        self.outbox, self.tickets = Outbox(self.database), Tickets(self.database)

    def facts(self, name: str) -> StationFacts:
        unit = self.units[name]
        status = StationStatus.RECORDED
        now = decide(status, [] if unit is None else [unit], self.now_us)
        return StationFacts(
            name=name,
            listed=listed(name),
            units=() if unit is None else (UnitName(station=name, unit="u1"),),
            state=now.state,
            since_us=now.since_us,
            proven_us=now.proven_us,
        )

    def live(self, name: str) -> None:
        now = self.now_us
        self.units[name] = UnitFacts(
            heard_us=now, arrived_us=now, recorded_us=now, here_us=now - 2 * SECOND, mode=Mode.LIVE
        )

    def pass_time(self, duration_us: int, *, live: tuple[str, ...] = ()) -> dict[str, list[int]]:
        """A look each five seconds. Which levels were told to whom, of all that was sent."""
        told: dict[str, list[int]] = {name: [] for name in LEVELS}
        for _ in range(duration_us // (5 * SECOND)):
            self.now_us += 5 * SECOND
            for name in live:
                self.live(name)
            self.book.take([self.facts(name) for name in self.units], self.now_us)
            for name in LEVELS:
                outgoing = self.outbox.due(name, self.now_us)
                if outgoing is not None:
                    told[name] += [case["level"] for case in json.loads(outgoing.message.body)["cases"]]
                    self.outbox.sent(outgoing, self.now_us)
        return told


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path)
    yield made
    made.database.close()


def test_f2_a_link_lost_at_23_24_is_told_within_a_minute_and_escalates_until_somebody_answers(centre: Centre) -> None:
    centre.live("57-002")
    assert centre.pass_time(MINUTE) == {"duty": [1], "head": [], "chief": []}
    (case,) = centre.book.shown()
    assert (case.reason, case.since_us, case.proven_us) == (Reason.NO_CONNECTION, CUT, CUT)
    assert case.opened_us - CUT <= MINUTE
    assert centre.pass_time(2 * NEXT_US) == {"duty": [], "head": [2], "chief": [3]}
    assert centre.pass_time(2 * AGAIN_US)["chief"] == [4, 5], "the highest are called again, until somebody answers"
    (case,) = centre.book.shown()
    assert case.reason is Reason.SILENT
    assert centre.book.acknowledge(case.number, "duty-1", "calling the chair", centre.now_us)
    assert not centre.book.acknowledge(case.number, "duty-2", "", centre.now_us)
    assert centre.pass_time(HOUR) == {"duty": [], "head": [], "chief": []}
    assert centre.book.needs_answer() == frozenset()


def test_whoever_answered_for_a_lost_link_is_asked_again_when_the_unit_is_silent(centre: Centre) -> None:
    centre.live("57-002")
    centre.pass_time(MINUTE)
    (case,) = centre.book.shown()
    centre.book.acknowledge(case.number, "duty-1", "", centre.now_us)
    assert centre.pass_time(5 * MINUTE)["duty"] == [1]
    (case,) = centre.book.shown()
    assert (case.reason, case.round, case.needs_answer) == (Reason.SILENT, 2, True)


@pytest.mark.parametrize("every_us", [5 * SECOND, 55 * SECOND, 125 * SECOND])
def test_restarts_lose_nothing_and_nobody_is_told_twice_of_one_level(centre: Centre, every_us: int) -> None:
    centre.live("57-002")
    told: dict[str, list[int]] = {name: [] for name in LEVELS}
    for _ in range(12 * MINUTE // every_us):
        for name, levels in centre.pass_time(every_us).items():
            told[name] += levels
        centre.restart()
    assert told == {"duty": [1], "head": [2], "chief": [3]}


def test_a_message_that_was_written_down_and_not_marked_is_sent_again_under_its_key(centre: Centre) -> None:
    centre.live("57-002")
    centre.now_us += MINUTE
    centre.book.take([centre.facts("57-002")], centre.now_us)
    before = centre.outbox.due("duty", centre.now_us)
    centre.restart()
    after = centre.outbox.due("duty", centre.now_us)
    assert before is not None
    assert after == before
    centre.outbox.sent(before, centre.now_us)
    assert centre.outbox.due("duty", centre.now_us + HOUR) is None


def test_a_message_that_is_not_taken_waits_longer_each_time_and_is_given_up_after_a_day(centre: Centre) -> None:
    centre.live("57-002")
    centre.now_us += MINUTE
    centre.book.take([centre.facts("57-002")], centre.now_us)
    tries, now_us = 0, centre.now_us
    while now_us < centre.now_us + 30 * HOUR:
        outgoing = centre.outbox.due("duty", now_us)
        if outgoing is not None:
            tries += 1
            centre.outbox.failed(outgoing, "answered 503", now_us)
            assert centre.outbox.due("duty", now_us + SECOND) is None
        now_us += 30 * SECOND
    assert 1_000 < tries <= 24 * 60 + 10


def test_a_thousand_stations_that_fall_silent_together_are_one_message(centre: Centre) -> None:
    for number in range(1000):
        centre.live(f"{number % 118 + 1}-{number:03d}")
    centre.now_us += MINUTE
    centre.book.take([centre.facts(name) for name in centre.units], centre.now_us)
    outgoing = centre.outbox.due("duty", centre.now_us)
    assert outgoing is not None
    body = json.loads(outgoing.message.body)
    assert (len(body["cases"]), body["more"]) == (MOST_NAMED, 900)
    assert outgoing.message.subject.endswith(" +997")
    centre.outbox.sent(outgoing, centre.now_us)
    assert centre.outbox.due("duty", centre.now_us + SPACE_US) is None


def test_a_link_that_comes_and_goes_is_one_case_and_ends_when_it_has_been_well_for_a_minute(centre: Centre) -> None:
    centre.live("57-002")
    for _ in range(5):
        centre.pass_time(MINUTE)
        centre.pass_time(30 * SECOND, live=("57-002",))
    (case,) = centre.book.shown()
    centre.pass_time(CALM_US + 10 * SECOND, live=("57-002",))
    (over,) = centre.book.shown()
    assert over.number == case.number
    assert over.ended_us is not None
    assert over.needs_answer, "it stays until somebody has answered for it"
    assert centre.book.acknowledge(over.number, "duty-1", "", centre.now_us)
    assert centre.book.shown() == []


def test_f5_a_unit_that_never_starts_is_seen_before_opening_and_mended_by_another(centre: Centre) -> None:
    centre.now_us = DAY.from_us - MINUTE
    centre.units["57-014"] = None
    assert centre.pass_time(2 * HOUR)["duty"] == []
    told = centre.pass_time(2 * MINUTE)
    assert told["duty"] == [1]
    assert centre.now_us < DAY.opens_us - 50 * MINUTE
    (ticket,) = centre.tickets.newest()
    assert (ticket.station, ticket.constituency, ticket.reason) == ("57-014", "57", Reason.NEVER_SEEN)
    assert ticket.opened_by is None
    centre.pass_time(10 * MINUTE)
    mended_us = centre.now_us
    centre.pass_time(2 * MINUTE, live=("57-014",))
    (ticket,) = centre.tickets.newest()
    assert (ticket.closed_by, ticket.closed_us is not None) == (None, True)
    assert ticket.mended_us is not None
    assert 0 <= ticket.mended_us - mended_us <= 5 * SECOND
    assert [step.what for step in centre.tickets.steps(ticket.number)] == ["opened", "mended"]
    (repairs,) = centre.tickets.repairs()
    assert (repairs.constituency, repairs.mended) == ("57", 1)
    assert repairs.mean_us == repairs.longest_us == ticket.mended_us - DAY.eve_us


def test_a_unit_that_is_on_and_not_armed_is_a_case_within_the_window_only(centre: Centre) -> None:
    centre.now_us = DAY.from_us - 10 * MINUTE
    centre.live("57-014")

    def unarmed() -> StationFacts:
        centre.live("57-014")
        unit = centre.units["57-014"]
        assert unit is not None
        centre.units["57-014"] = UnitFacts(heard_us=unit.heard_us, recorded_us=unit.recorded_us, mode=Mode.UNARMED)
        return centre.facts("57-014")

    centre.book.take([unarmed()], centre.now_us)
    assert centre.book.shown() == []
    centre.now_us = DAY.from_us
    centre.book.take([unarmed()], centre.now_us)
    (case,) = centre.book.shown()
    assert case.reason is Reason.NOT_ARMED


def test_a_ticket_is_opened_and_closed_by_hand_with_a_reason_only(centre: Centre) -> None:
    centre.live("57-002")
    facts = centre.facts("57-002")
    with pytest.raises(ValueError, match="a reason is needed"):
        centre.tickets.open(facts, Reason.DEGRADED, "duty-1", " ", centre.now_us)
    number = centre.tickets.open(facts, Reason.DEGRADED, "duty-1", "curtain", centre.now_us)
    assert centre.tickets.open(facts, Reason.DEGRADED, "duty-2", "curtain", centre.now_us) == number
    with pytest.raises(ValueError, match="more than 500 letters"):
        centre.tickets.close(number, "duty-1", "x" * 501, centre.now_us)
    assert centre.tickets.close(number, "duty-1", "gone", centre.now_us + MINUTE)
    assert not centre.tickets.close(number, "duty-1", "gone", centre.now_us + MINUTE)
    steps = [(step.what, step.operator, step.detail) for step in centre.tickets.steps(number)]
    assert steps == [("opened", "duty-1", "curtain"), ("closed", "duty-1", "gone")]
    assert centre.tickets.repairs() == [], "nobody knows that it was mended"


def test_a_centre_that_cannot_see_says_so_ends_no_case_and_goes_on_calling(centre: Centre) -> None:
    centre.live("57-002")
    centre.pass_time(MINUTE)
    for _ in range(30):
        centre.now_us += 5 * SECOND
        centre.book.take(None, centre.now_us)
    assert {(case.reason, case.level, case.ended_us) for case in centre.book.shown()} == {
        (Reason.BLIND, 2, None),
        (Reason.NO_CONNECTION, 2, None),
    }


def test_a_finding_is_told_once_and_an_answer_is_its_end(centre: Centre) -> None:
    found = Trouble(station="57-002", about="lost-by-archive", reason=Reason.FINDING, since_us=CUT)
    centre.book.take([], CUT, [found])
    (case,) = centre.book.shown()
    centre.book.take([], CUT + MINUTE, [found])
    assert centre.book.acknowledge(case.number, "duty-1", "", CUT + MINUTE)
    centre.book.take([], CUT + HOUR, [found])
    assert centre.book.shown() == []


def test_what_is_exempt_or_in_no_list_needs_no_answer(centre: Centre) -> None:
    facts = StationFacts(name="57-009", listed=None, units=(), state=StationState.SILENT, since_us=CUT, proven_us=None)
    assert trouble(facts, DAY, CUT + HOUR) is None


def test_the_order_is_by_voters_and_time_at_risk_and_by_phase() -> None:
    def of(reason: Reason, minutes: int, voters: int | None, phase: Phase = Phase.VOTING) -> int:
        return urgency(reason, CUT, voters, phase, CUT + minutes * MINUTE)

    assert of(Reason.SILENT, 10, 1500) > of(Reason.SILENT, 10, 1000) == of(Reason.SILENT, 10, None)
    assert of(Reason.SILENT, 10, 1000) > of(Reason.SILENT, 5, 1000)
    assert of(Reason.NOT_RECORDING, 5, 900) > of(Reason.NO_CONNECTION, 10, 900)
    assert of(Reason.SILENT, 5, 900, Phase.COUNTING) > of(Reason.SILENT, 5, 900)


def test_a_clock_that_went_far_back_is_not_waited_for() -> None:
    assert next_level(1, CUT, 3, CUT - HOUR) == 2
    assert next_level(1, CUT, 3, CUT - SECOND) is None
    assert [DAY.phase(us) for us in (DAY.from_us - 1, DAY.from_us, DAY.eve_us, DAY.opens_us, CUT, DAY.to_us)] == list(
        Phase
    )


def test_the_day_is_that_of_the_signed_profile(tmp_path: Path) -> None:
    authority = Authority.generate("az-2027")
    times = (("opened", DAY.opens_us), ("closed", DAY.closes_us))
    phases = tuple(Expected(phase=Declared(name), at_us=at_us) for name, at_us in times)
    path = tmp_path / "profile.jws"
    path.write_text(
        authority.sign_profile_with(
            Terms(phases=phases),
            title="Election",
            mode=Mode.LIVE,
            from_us=DAY.from_us,
            to_us=DAY.to_us - MINUTE,
            margin_s=60,
            time_zone="Asia/Baku",
            witnesses=0,
        )
    )
    trust = Trust.from_pem(authority.root_pem)
    assert read_day(path, trust, "az-2027") == DAY
    with pytest.raises(OperatorError, match="of another election"):
        read_day(path, trust, "az-2028")
    path.write_text("torn")
    with pytest.raises(OperatorError, match="cannot be used"):
        read_day(path, trust, "az-2027")


def test_the_reference_names_every_reason_with_its_weight_and_every_key_of_a_notifier() -> None:
    page = Path("docs/reference/notify.md").read_text()
    told = dict(re.findall(r"^\| `([a-z-]+)` \|[^|]+\| (\d+) \|$", page, re.MULTILINE))
    assert told == {reason.value: str(weight) for reason, weight in WEIGHTS.items()}
    keys = re.search(r"\| key \| of \|.*?\n\n", page, re.DOTALL)
    assert keys is not None
    named = set(re.findall(r"`([a-z]+)`", "".join(line.split("|")[1] for line in keys[0].strip().split("\n"))))
    assert named == COMMON_KEYS.union(*KEYS.values())
