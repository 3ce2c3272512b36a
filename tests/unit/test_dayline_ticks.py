"""Ticks of the day line: round times of the place, also where the clocks change."""

import pytest

from evidence.day.line import HOUR_US, SECOND_US, Axis, Stretch, date_text, ticks


def stretch(axis: Axis, from_us: int, to_us: int) -> Stretch:
    """A stretch without words."""
    return Stretch(axis=axis, from_us=from_us, to_us=to_us)


def test_ticks_stand_on_round_local_hours() -> None:
    found = ticks(stretch(Axis.UTC, 90 * SECOND_US, 4 * HOUR_US), 6, lambda _: 4 * 3600)
    assert [tick.label for tick in found] == ["05:00", "06:00", "07:00", "08:00"]


def test_a_zone_with_half_an_hour_has_round_local_hours_too() -> None:
    found = ticks(stretch(Axis.UTC, 0, 3 * HOUR_US), 4, lambda _: 5 * 3600 + 1800)
    assert [tick.label for tick in found] == ["06:00", "07:00", "08:00"]


def test_the_first_tick_and_each_new_day_carry_the_date() -> None:
    found = ticks(stretch(Axis.UTC, 22 * HOUR_US, 26 * HOUR_US), 6)
    assert [tick.date for tick in found] == ["1970-01-01", "", "1970-01-02", "", ""]


def test_after_a_change_of_the_clocks_the_labels_tell_the_new_local_time() -> None:
    found = ticks(stretch(Axis.UTC, 0, 4 * HOUR_US), 6, lambda us: 7200 if us < 2 * HOUR_US else 3600)
    assert [tick.label for tick in found] == ["02:00", "03:00", "03:00", "04:00", "05:00"]


def test_boot_time_counts_past_a_day() -> None:
    found = ticks(stretch(Axis.BOOT, 0, 30 * HOUR_US), 3)
    assert [tick.label for tick in found] == ["+00:00", "+12:00", "+24:00"]


def test_half_a_minute_has_ticks_of_seconds() -> None:
    found = ticks(stretch(Axis.BOOT, 12_250_000, 43_500_000), 4)
    assert [tick.label for tick in found] == ["+00:00:20", "+00:00:30", "+00:00:40"]


def test_a_stretch_that_misses_every_coarse_tick_gets_finer_ones() -> None:
    found = ticks(stretch(Axis.UTC, 2 * HOUR_US + 1, 5 * HOUR_US + 1), 1)
    assert found


def test_years_between_two_moments_give_few_ticks() -> None:
    assert len(ticks(stretch(Axis.UTC, 0, 56 * 365 * 24 * HOUR_US), 10)) <= 11


def test_a_day_outside_the_calendar_has_no_name() -> None:
    assert date_text(-(2**53)) != date_text(2**53)
    assert date_text(2**62) == ""


def test_a_stretch_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        stretch(Axis.UTC, 5, 5)
