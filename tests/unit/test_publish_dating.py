"""The dates of live entries: made once, from what was known."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.publish.dating import SLACK_US, Dating, date

NOW_US = 1_800_000_000_000_000
SECOND = 10**9


def around(us: int, error_us: int = 1_000) -> tuple[int, int]:
    return us - error_us, us + error_us


def test_the_first_date_is_the_middle_of_what_is_known() -> None:
    dating = date(None, around(NOW_US), 5 * SECOND, 7 * SECOND, stored_us=0)
    assert not dating.arrival
    assert dating.at(5 * SECOND) == NOW_US


def test_without_utc_a_segment_ended_when_it_arrived() -> None:
    dating = date(None, None, 5 * SECOND, 7 * SECOND, stored_us=NOW_US)
    assert dating.arrival
    assert dating.at(7 * SECOND) == NOW_US
    assert date(dating, None, 7 * SECOND, 9 * SECOND, stored_us=NOW_US + 60_000_000) == dating, "one offset a boot"


@pytest.mark.parametrize("drift_us", [-SLACK_US, 0, SLACK_US])
def test_an_offset_serves_while_what_is_known_allows_it(drift_us: int) -> None:
    now = date(None, around(NOW_US, 0), 0, 1, stored_us=0)
    assert date(now, around(NOW_US + drift_us, 0), 0, 1, stored_us=0) == now


def test_an_offset_that_is_contradicted_is_given_up_for_a_better_one() -> None:
    now = date(None, around(NOW_US, 0), 0, 1, stored_us=0)
    later = date(now, around(NOW_US + SLACK_US + 1, 0), 0, 1, stored_us=0)
    assert later.at(0) == NOW_US + SLACK_US + 1


def test_utc_takes_the_place_of_arrival_as_soon_as_it_is_known() -> None:
    arrival = date(None, None, 0, 2 * SECOND, stored_us=NOW_US)
    assert date(arrival, around(arrival.at(0)), 0, 2 * SECOND, stored_us=NOW_US).arrival is False


def test_a_boot_whose_utc_is_forgotten_keeps_its_dates() -> None:
    now = date(None, around(NOW_US), 0, 1, stored_us=0)
    assert date(now, None, SECOND, 2 * SECOND, stored_us=5) == now


@dataclass(frozen=True)
class Look:
    error_us: int
    wrong_us: int


@given(st.lists(st.builds(Look, st.integers(0, 10**7), st.integers(-(10**7), 10**7)), max_size=30))
def test_every_date_lies_within_what_was_known_and_a_little(looks: list[Look]) -> None:
    now: Dating | None = None
    for number, look in enumerate(looks):
        from_ns = number * 2 * SECOND
        middle = NOW_US + from_ns // 1_000 + look.wrong_us
        now = date(now, around(middle, look.error_us), from_ns, from_ns + 2 * SECOND, stored_us=0)
        assert abs(now.at(from_ns) - middle) <= look.error_us + SLACK_US + 1
