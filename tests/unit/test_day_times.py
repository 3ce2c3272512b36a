"""Durations and uncertainties in words never promise more than is known."""

import pytest

from base.zones import find_zone
from evidence.day.times import bounds_text, length, uncertainty


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (12_499, "12.4 s"),
        (60_000, "1 min"),
        (134_000, "2 min 14 s"),
        (71_880_000, "19 h 58 min"),
        (3_605_000, "1 h 5 s"),
        (435_600_000, "5 d 1 h"),
    ],
)
def test_lengths_are_told_in_words(duration_ms: int, text: str) -> None:
    assert length(duration_ms) == text


@pytest.mark.parametrize(
    ("half_us", "text"),
    [(1, "1 ms"), (80_001, "81 ms"), (1_200_001, "1.3 s"), (999_999, "1000 ms"), (240_000_001, "5 min")],
)
def test_uncertainty_is_rounded_up(half_us: int, text: str) -> None:
    assert uncertainty(half_us) == text


def test_bounds_are_told_where_they_differ() -> None:
    words = ("at least {least}", "{least} to {most}")
    assert bounds_text((2_000, 2_000), *words) == "2.0 s"
    assert bounds_text((2_000, 2_001), *words) == "2.0 s"
    assert bounds_text((2_000, 60_000), *words) == "2.0 s to 1 min"
    assert bounds_text((31_000, None), *words) == "at least 31.0 s"


def test_a_zone_knows_its_summer() -> None:
    zone = find_zone("Europe/Berlin")
    assert zone is not None
    assert zone.offset_at(1_767_225_600_000_000) == 3600
    assert zone.offset_at(1_782_864_000_000_000) == 7200
    assert find_zone("Europe/Nowhere") is None
    assert find_zone(None) is None
