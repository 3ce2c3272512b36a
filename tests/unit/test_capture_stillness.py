"""A picture that stands still to the last bit is found; noise, darkness and a restart that did not help are borne."""

import numpy as np

from appliance.capture.picture import Plane
from appliance.capture.stillness import FIRST_NS, LONGEST_NS, Stillness

SECOND = 1_000_000_000


def _room(seed: int) -> Plane:
    return np.random.default_rng(seed).integers(16, 235, (64, 96), dtype=np.uint8)


def _first_too_still(stillness: Stillness, picture: Plane, from_s: int) -> int:
    return next(at for at in range(from_s, from_s + 4000) if stillness.too_still(picture, at * SECOND))


def test_a_repeated_picture_is_found_after_half_a_minute() -> None:
    assert _first_too_still(Stillness(), _room(1), 0) == FIRST_NS // SECOND


def test_pictures_of_a_sensor_never_stand_still() -> None:
    stillness = Stillness()
    assert not any(stillness.too_still(_room(at), at * SECOND) for at in range(200))


def test_a_dark_room_proves_nothing() -> None:
    stillness = Stillness()
    dark = np.full((64, 96), 16, dtype=np.uint8)
    assert not any(stillness.too_still(dark, at * SECOND) for at in range(200))


def test_where_a_restart_does_not_help_the_next_comes_ever_later_up_to_a_ceiling() -> None:
    stillness, picture, at = Stillness(), _room(1), 0
    waits: list[int] = []
    for _ in range(8):
        found = _first_too_still(stillness, picture, at)
        waits.append(found - at)
        at = found + 1
    assert waits == [30, 60, 120, 240, 480, LONGEST_NS // SECOND, LONGEST_NS // SECOND, LONGEST_NS // SECOND]


def test_a_picture_that_changes_again_makes_it_watchful_again() -> None:
    stillness, picture = Stillness(), _room(1)
    at = _first_too_still(stillness, picture, 0)
    stillness.too_still(_room(2), (at + 1) * SECOND)
    stillness.too_still(_room(3), (at + 2) * SECOND)
    assert _first_too_still(stillness, _room(3), at + 2) == at + 2 + FIRST_NS // SECOND
