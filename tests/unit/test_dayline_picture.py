"""The day line as a picture: what is true can be seen, in every size, and nothing a camera says breaks out of it."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from evidence.coverage import State
from evidence.day.glyph import DARK, LIGHT, Palette
from evidence.day.line import HOUR_US, Axis, Band, DayLine, Flag, Lane, Piece, Pin, Stretch
from evidence.day.picture import render_band_key, render_day, render_key, render_pin_key
from evidence.day.size import NARROW, PAGE, STRIP, THREAD, Size
from evidence.words import Cause, Mode

SVG = "{http://www.w3.org/2000/svg}"
GOLDEN = Path(__file__).with_name("dayline_small.svg")
SIZES = (PAGE, NARROW, STRIP, THREAD)


def piece(state: State, first: float, last: float, **members: object) -> Piece:
    """A piece in hours of the one stretch."""
    return Piece(stretch=0, from_us=int(first * HOUR_US), to_us=int(last * HOUR_US), state=state, **members)  # type: ignore[arg-type]


def day(
    *pieces: Piece, pins: tuple[Pin, ...] = (), bands: tuple[Band, ...] = (), flags: tuple[Flag, ...] = ()
) -> DayLine:
    """Ten hours of one camera."""
    lane = Lane(camera="cam0", pieces=pieces, pins=pins, bands=bands)
    stretch = Stretch(axis=Axis.UTC, from_us=0, to_us=10 * HOUR_US)
    return DayLine(title="A day", text="In words.", stretches=(stretch,), lanes=(lane,), flags=flags)


def full_day() -> DayLine:
    """One of everything."""
    return day(
        piece(State.GAP, 0, 0.01, cause="starting"),
        piece(State.SEGMENT, 0.01, 4, soft_us=HOUR_US // 10),
        piece(State.RECOVERED, 4, 4.1),
        piece(State.GAP, 4.1, 5, cause="power", label="no power", href="#gap-1"),
        piece(State.MISSING, 5, 6),
        piece(State.DAMAGED, 6, 7),
        piece(State.PRUNED, 7, 7.5),
        piece(State.HELD, 7.5, 8),
        piece(State.UNEXPLAINED, 8, 9),
        piece(State.SEGMENT, 9, 10),
        pins=(Pin(stretch=0, at_us=6 * HOUR_US, label="changed", href="#finding-1"),),
        bands=(Band(stretch=0, from_us=0, to_us=4 * HOUR_US, mode=Mode.UNARMED),),
        flags=(Flag(stretch=0, at_us=2 * HOUR_US, label="Opened"), Flag(stretch=0, at_us=9 * HOUR_US, label="Closed")),
    )


def parse(svg: str) -> ElementTree.Element:
    """The picture as XML."""
    return ElementTree.fromstring(svg)


def classes(svg: str) -> set[str]:
    """The classes of everything drawn."""
    return {element.get("class", "") for element in parse(svg).iter()}


@pytest.mark.parametrize("size", SIZES)
def test_every_size_is_well_formed_and_has_a_title_and_a_description(size: Size) -> None:
    root = parse(render_day(full_day(), size))
    assert root.findtext(f"{SVG}title") == "A day"
    assert root.findtext(f"{SVG}desc") == "In words."
    assert root.get("aria-labelledby") == "day-title"


@pytest.mark.parametrize("size", SIZES)
def test_every_state_has_its_own_drawing_in_every_size(size: Size) -> None:
    drawn = {
        state: render_day(day(piece(state, 2, 4, cause="power" if state is State.GAP else "")), size) for state in State
    }
    assert len(set(drawn.values())) == len(State)


def test_no_two_states_differ_by_colour_alone() -> None:
    colourless = {re.sub(r"day-(empty|bad|known)", "day-outline", render_key(state, cause="power")) for state in State}
    assert len(colourless) == len(State)


def test_every_cause_has_its_own_glyph_and_a_later_one_is_drawn_as_unknown() -> None:
    glyphs = {cause: render_key(State.GAP, cause=cause) for cause in Cause}
    assert len(set(glyphs.values())) == len(Cause)
    assert render_key(State.GAP, cause="flooded") == glyphs[Cause.UNKNOWN]


def test_a_gap_of_a_second_can_be_seen_in_a_day() -> None:
    short = piece(State.GAP, 5, 5 + 1 / 3600, cause="power")
    svg = render_day(day(piece(State.SEGMENT, 0, 5), short, piece(State.SEGMENT, 5 + 1 / 3600, 10)))
    gap = next(element for element in parse(svg).iter() if element.get("class") == "day-empty")
    assert float(gap.get("width", "0")) >= PAGE.least
    assert "day-glyph" in classes(svg)


def test_many_short_gaps_do_not_drown_the_video() -> None:
    pieces = [piece(State.GAP, n / 100, n / 100 + 0.0001, cause="power") for n in range(1000)]
    svg = render_day(day(piece(State.SEGMENT, 0, 10), *pieces))
    empty = sum(float(e.get("width", "0")) for e in parse(svg).iter() if e.get("class") in ("day-empty", "day-thin"))
    assert 0 < empty < PAGE.width / 2


def test_a_thread_with_a_finding_is_red_and_120_by_6() -> None:
    svg = render_day(full_day(), THREAD)
    assert parse(svg).get("viewBox") == "0 0 120 6"
    assert "day-pin" in classes(svg)
    assert not list(parse(svg).iter(f"{SVG}text"))


def test_test_and_unarmed_are_named_on_the_page_and_marked_in_every_size() -> None:
    for mode in (Mode.TEST, Mode.UNARMED):
        band = Band(stretch=0, from_us=0, to_us=HOUR_US // 10, mode=mode)
        marked = day(piece(State.SEGMENT, 0, 10), bands=(band,))
        assert any(text.text == mode for text in parse(render_day(marked)).iter(f"{SVG}text"))
        assert all(f"day-{mode}" in classes(render_day(marked, size)) for size in SIZES)


def test_uncertain_time_has_soft_edges_as_wide_as_the_uncertainty() -> None:
    sharp = render_day(day(piece(State.SEGMENT, 2, 8)))
    soft = render_day(day(piece(State.SEGMENT, 2, 8, soft_us=HOUR_US // 2)))
    assert "url(#day-segment-in)" in soft
    assert "url(#day-segment-in)" not in sharp
    core = next(element for element in parse(soft).iter() if element.get("class") == "day-segment")
    assert float(core.get("width", "0")) == pytest.approx((PAGE.width - 2) * 0.5, abs=1)


def test_hostile_texts_are_escaped() -> None:
    evil = '</title><script>alert("1")</script>&\x00\x1b\ud800'
    lane = Lane(camera=evil, pieces=(piece(State.GAP, 1, 2, cause=evil, label=evil),))
    stretch = Stretch(axis=Axis.BOOT, from_us=0, to_us=10 * HOUR_US, caption=evil, before=evil)
    flag = Flag(stretch=0, at_us=1, label=evil)
    svg = render_day(DayLine(title=evil, text=evil, stretches=(stretch, stretch), lanes=(lane,), flags=(flag,)))
    assert not list(parse(svg).iter(f"{SVG}script"))
    assert "<script" not in svg
    svg.encode()


@pytest.mark.parametrize("href", ["https://example.org/", "//example.org/", "javascript:alert(1)", " #x"])
def test_a_link_that_leads_elsewhere_is_refused(href: str) -> None:
    with pytest.raises(ValueError, match="within its own page"):
        render_day(day(piece(State.GAP, 1, 2, href=href)))


def test_a_name_that_could_break_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        render_day(full_day(), name='x" onload="')


def test_pins_that_would_overlap_become_one_with_their_number() -> None:
    pins = tuple(Pin(stretch=0, at_us=5 * HOUR_US + n, label=f"finding {n}") for n in range(3))
    texts = [text.text for text in parse(render_day(day(pins=pins))).iter(f"{SVG}text")]
    assert "3" in texts


def test_boots_without_utc_lie_side_by_side_with_a_break_between() -> None:
    stretches = tuple(
        Stretch(axis=Axis.BOOT, from_us=0, to_us=HOUR_US, caption="TIME UNSET", detail=detail, before="?" if n else "")
        for n, detail in enumerate(("aaaa", "bbbb"))
    )
    svg = render_day(DayLine(title="", text="", stretches=stretches, lanes=(Lane(camera="cam0"),)))
    texts = [text.text for text in parse(svg).iter(f"{SVG}text")]
    assert "TIME UNSET · aaaa" in texts
    assert "TIME UNSET · bbbb" in texts
    assert "+00:30" in texts
    assert "day-break" in classes(svg)


def test_ten_thousand_boots_still_fit_on_the_axis() -> None:
    stretches = tuple(Stretch(axis=Axis.BOOT, from_us=0, to_us=1 + n) for n in range(10_000))
    last = Piece(stretch=9_999, from_us=0, to_us=10_000, state=State.SEGMENT)
    svg = render_day(DayLine(title="", text="", stretches=stretches, lanes=(Lane(camera="c", pieces=(last,)),)), STRIP)
    (drawn,) = (element for element in parse(svg).iter() if element.get("class") == "day-segment")
    assert float(drawn.get("x", "")) + float(drawn.get("width", "")) <= STRIP.width + 0.1


@pytest.mark.parametrize("size", SIZES)
def test_the_same_values_give_the_same_bytes(size: Size) -> None:
    assert render_day(full_day(), size, styled=True) == render_day(full_day(), size, styled=True)


def test_a_small_picture_is_what_was_once_approved() -> None:
    assert render_day(full_day(), STRIP, styled=True) + "\n" == GOLDEN.read_text()


def test_legend_samples_are_well_formed() -> None:
    for sample in (render_band_key(Mode.TEST), render_pin_key(), render_key(State.DAMAGED)):
        parse(sample)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("colour", ["ink", "muted", "accent", "red", "amber", "violet"])
@pytest.mark.parametrize("ground", ["ground", "wash"])
def test_text_has_a_contrast_of_four_and_a_half(palette: Palette, colour: str, ground: str) -> None:
    assert contrast(getattr(palette, colour), getattr(palette, ground)) >= 4.5
