"""Back-off, ceilings, rates and what Retry-After asks for: arithmetic on injected clocks and chance."""

import random
from datetime import UTC, datetime

import pytest

from appliance.uplink.answers import MOST_PAUSE_S, pause_s
from appliance.uplink.backoff import LEAST_S, MOST_S, BackOff
from appliance.uplink.pace import BUSY_NS, SECOND_NS, WINDOW_NS, Carried, Ceiling, Rate
from tests.fakes.clock import FakeClock


def test_waits_grow_from_a_second_to_a_minute_and_no_further() -> None:
    back_off = BackOff(random.Random(1))
    waits = [back_off.failed() for _ in range(30)]
    assert all(LEAST_S <= wait <= MOST_S for wait in waits)
    assert waits[0] <= 2
    assert all(wait >= MOST_S / 2 for wait in waits[6:])


def test_two_stations_do_not_wait_alike() -> None:
    one, other = BackOff(random.Random(1)), BackOff(random.Random(2))
    assert [one.failed() for _ in range(5)] != [other.failed() for _ in range(5)]


def test_the_same_chance_gives_the_same_waits() -> None:
    one, other = BackOff(random.Random(1)), BackOff(random.Random(1))
    assert [one.failed() for _ in range(5)] == [other.failed() for _ in range(5)]


def test_after_a_success_the_next_failure_is_the_first_one() -> None:
    back_off = BackOff(random.Random(1))
    for _ in range(10):
        back_off.failed()
    back_off.worked()
    assert back_off.failed() <= 2


def test_no_ceiling_means_no_wait() -> None:
    ceiling = Ceiling(None, FakeClock().boot_ns)
    assert [ceiling.wait_s(1 << 20) for _ in range(3)] == [0, 0, 0]


def test_a_ceiling_is_kept_on_average_and_lost_time_is_not_made_up_for() -> None:
    clock = FakeClock()
    ceiling = Ceiling(80, clock.boot_ns)
    sent_at = []
    for _ in range(5):
        clock.advance(round(ceiling.wait_s(10_000) * 1e9))
        sent_at.append(clock.boot_ns() // SECOND_NS)
    assert sent_at == [0, 1, 2, 3, 4]
    clock.advance(100 * SECOND_NS)
    assert [ceiling.wait_s(10_000), ceiling.wait_s(10_000)] == [0, 1.0]


def test_the_time_to_finish_follows_from_the_last_minute() -> None:
    clock = FakeClock(boot_ns=SECOND_NS)
    rate = Rate(clock.boot_ns)
    assert (rate.seconds_for(0), rate.seconds_for(1)) == (0, None)
    for _ in range(10):
        rate.add(1_000)
        clock.advance(SECOND_NS)
    assert rate.seconds_for(5_000) == 5
    clock.advance(WINDOW_NS)
    assert rate.seconds_for(5_000) is None


def _carry(carried: Carried, clock: FakeClock, size_bytes: int, seconds: int) -> None:
    with carried.going():
        clock.advance(seconds * SECOND_NS)
        carried.add(size_bytes)


def test_what_a_link_carries_is_judged_by_the_time_in_which_something_was_on_its_way() -> None:
    clock = FakeClock()
    carried = Carried(clock.boot_ns)
    assert carried.bytes_s() is None
    for _ in range(3):
        _carry(carried, clock, 2_000, 2)
        clock.advance(60 * SECOND_NS)
    assert carried.bytes_s() == 1_000
    assert carried.bytes_s(7 * SECOND_NS) is None, "not enough has been seen for that"


def test_two_at_a_time_count_once() -> None:
    clock = FakeClock()
    carried = Carried(clock.boot_ns)
    with carried.going():
        clock.advance(SECOND_NS)
        with carried.going():
            clock.advance(2 * SECOND_NS)
            carried.add(9_000)
        clock.advance(SECOND_NS)
        carried.add(3_000)
    assert carried.bytes_s() == 3_000


def test_what_a_link_carried_before_is_forgotten() -> None:
    clock = FakeClock()
    carried = Carried(clock.boot_ns)
    for _ in range(50):
        _carry(carried, clock, 100_000, 1)
    _carry(carried, clock, 100_000, 3 * BUSY_NS // SECOND_NS)
    assert carried.bytes_s() == 100_000 // 60
    _carry(carried, clock, 100_000, 1)
    assert carried.bytes_s() == 200_000 // 61


NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("0", 0),
        (" 17 ", 17),
        ("999999999999999999999", MOST_PAUSE_S),
        ("Fri, 01 May 2026 12:00:30 GMT", 30),
        ("Fri, 01 May 2026 11:00:00 GMT", 0),
        ("Sun, 01 May 2050 11:00:00 GMT", MOST_PAUSE_S),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_more_than_an_hour(value: str | None, wait: float | None) -> None:
    assert pause_s(value, NOW) == wait
