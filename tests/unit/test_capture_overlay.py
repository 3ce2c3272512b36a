"""The caption: what it says, and that it can be seen after encoding."""

import numpy as np
import pytest

from appliance.capture.overlay import Overlay, caption
from appliance.capture.paint import reading_at
from appliance.capture.picture import Canvas, Plane
from base.clock import Reading
from evidence.words import Mode

EARLY_US = 1_795_335_303_000_000  # 2026-11-22T08:15:03Z


def reading(boot_ns: int = 0, utc_us: int | None = None, error_us: int | None = None) -> Reading:
    return Reading(boot_ns=boot_ns, utc_us=utc_us, error_us=error_us)


def grey(width: int, height: int) -> Plane:
    return np.full((height * 3 // 2, width), 128, dtype=np.uint8)


def drawn(moment: Reading, mode: Mode, width: int = 1280, height: int = 720) -> Canvas:
    canvas = Canvas.over(grey(width, height), width, height)
    Overlay(width, height, "57-002", "cam1").paint(canvas, moment, mode)
    return canvas


def test_a_proven_clock_shows_utc_and_its_error_rounded_up() -> None:
    line, band = caption("57-002", "cam1", reading(utc_us=EARLY_US + 999_999, error_us=10_001), Mode.LIVE)
    assert line == "57-002  cam1   2026-11-22 08:15:03 UTC ±0.02 s"
    assert band == ""


def test_an_error_of_seconds_is_shown_in_full() -> None:
    line, _ = caption("57-002", "cam1", reading(utc_us=EARLY_US, error_us=16_000_000), Mode.LIVE)
    assert line.endswith("UTC ±16.00 s")


def test_an_unproven_clock_says_so() -> None:
    line, _ = caption("57-002", "cam1", reading(utc_us=EARLY_US), Mode.LIVE)
    assert line == "57-002  cam1   2026-11-22 08:15:03 UTC  clock not proven"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "+00:00:00"), (3_723, "+01:02:03"), (86_399, "+23:59:59"), (360_000, "+100:00:00")]
)
def test_an_unset_clock_shows_boot_time(seconds: int, text: str) -> None:
    line, _ = caption("57-002", "cam1", reading(boot_ns=seconds * 10**9 + 999_999_999), Mode.LIVE)
    assert line == f"57-002  cam1   TIME UNSET {text}"


@pytest.mark.parametrize(("mode", "word"), [(Mode.TEST, "TEST"), (Mode.UNARMED, "UNARMED"), (Mode.LIVE, "")])
def test_the_band_names_the_mode_unless_live(mode: Mode, word: str) -> None:
    assert caption("57-002", "cam1", reading(), mode)[1] == word


def test_the_caption_is_of_the_moment_of_the_picture_not_of_painting() -> None:
    later = reading(boot_ns=5_000_000_000, utc_us=EARLY_US, error_us=20)
    assert reading_at(later, 3_999_999_999).utc_us == EARLY_US - 1_000_001
    assert reading_at(reading(boot_ns=5_000_000_000), 3_000_000_000) == reading(boot_ns=3_000_000_000)


def test_the_caption_is_bright_on_dark_at_the_top_and_leaves_the_rest_alone() -> None:
    canvas = drawn(reading(utc_us=EARLY_US), Mode.LIVE)
    corner = canvas.y[:30, :600]
    assert corner.max() > 220
    assert np.median(corner) == 16
    assert (canvas.y[30:] == 128).all()


def test_modes_differ_in_the_band_over_the_whole_width() -> None:
    live, test, unarmed = (
        drawn(reading(utc_us=EARLY_US), mode).y[-30:] for mode in (Mode.LIVE, Mode.TEST, Mode.UNARMED)
    )
    assert (live == 128).all()
    for left in range(0, 1280, 320):
        part = slice(left, left + 320)
        assert test[:, part].max() > 200
        assert unarmed[:, part].min() < 40
        assert (test[:, part] != unarmed[:, part]).mean() > 0.9


def test_the_text_changes_with_the_second_and_not_before() -> None:
    first, same, next_second = (
        drawn(reading(utc_us=EARLY_US + offset), Mode.LIVE).y[:30] for offset in (0, 900_000, 1_000_000)
    )
    assert (first == same).all()
    assert (first != next_second).any()


def test_a_long_line_shrinks_until_its_end_fits() -> None:
    canvas = Canvas.over(grey(320, 240), 320, 240)
    Overlay(320, 240, "constituency-57-station-002", "camera-1").paint(canvas, reading(utc_us=EARLY_US), Mode.LIVE)
    box = np.flatnonzero(canvas.y[0] == 16)
    assert 200 < box.max() < 319


def test_letters_it_does_not_have_become_question_marks() -> None:
    plain, odd = (Canvas.over(grey(640, 360), 640, 360) for _ in range(2))
    Overlay(640, 360, "?", "a").paint(plain, reading(), Mode.LIVE)
    Overlay(640, 360, "\u0259", "a").paint(odd, reading(), Mode.LIVE)
    assert (plain.y == odd.y).all()


def test_another_picture_size_is_refused() -> None:
    with pytest.raises(ValueError, match="overlay for 640x360"):
        Overlay(640, 360, "a", "b").paint(Canvas.over(grey(320, 240), 320, 240), reading(), Mode.LIVE)
