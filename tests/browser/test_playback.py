"""A recorded run in Chromium, through nothing but Media Source Extensions."""

import shutil
from pathlib import Path
from typing import TypedDict

import pytest
from playwright.sync_api import Page

from appliance.capture.mask import Mask
from tests.browser.site import Site
from tests.fakes.footage import BIKES_PICTURE, Recording, record

pytestmark = pytest.mark.browser

PICTURES = 260
FRAME_S = 1 / BIKES_PICTURE.fps
RATE = 4
PROFILES = {"constrained-baseline": ("ultrafast", "avc1.42c0"), "high": ("veryfast", "avc1.6400")}
"""x264's preset that makes each, and how its RFC 6381 name begins."""
Range = tuple[float, float]
MASK = Mask.parse([[[0, 0], [2000, 0], [2000, 2000]]])


class Played(TypedDict):
    """What the page says after playing."""

    time: float
    decoded: int
    width: int
    height: int
    error: str | None


@pytest.fixture(scope="module", params=PROFILES)
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Real footage, once for each profile."""
    preset, codec = PROFILES[request.param]
    made = record(tmp_path_factory.mktemp("unit") / "unit", PICTURES, mask=MASK, preset=preset)
    assert made.run.codec.lower().startswith(codec)
    return made


@pytest.fixture
def player(page: Page, site: Site, recording: Recording) -> Page:
    """The player's page, with the recording beside it."""
    shutil.copy(Path(__file__).with_name("player.html"), site.folder)
    for path in (recording.init, *map(recording.path, recording.segments)):
        shutil.copy(path, site.folder)
    page.goto(f"{site.origin}/player.html")
    return page


def load(player: Page, recording: Recording, indexes: list[int]) -> list[Range]:
    """Give the player the init segment and these segments; the ranges that it can play, in seconds of boot time."""
    files = [recording.init.name, *(recording.path(recording.segments[index]).name for index in indexes)]
    ranges = player.evaluate("([codec, files]) => load(codec, files)", [recording.run.codec, files])
    return [(begin, end) for begin, end in ranges]


def play(player: Page, begin: float, end: float) -> Played:
    """Play until a frame before ``end``."""
    played: Played = player.evaluate(
        "([from, until, rate]) => play(from, until, rate)", [begin, end - 2 * FRAME_S, RATE]
    )
    return played


def span(recording: Recording, first: int, last: int) -> Range:
    """What the ledger says of a stretch of segments, in seconds."""
    return recording.segments[first].from_ns / 1e9, recording.segments[last].to_ns / 1e9


def near(found: Range, told: Range) -> bool:
    """Within a frame at both ends."""
    return abs(found[0] - told[0]) < FRAME_S and abs(found[1] - told[1]) < FRAME_S


def test_a_whole_run_plays_from_its_first_picture_to_its_last(player: Page, recording: Recording) -> None:
    last = len(recording.segments) - 1
    (whole,) = load(player, recording, list(range(last + 1)))
    told = span(recording, 0, last)
    assert near(whole, told)
    played = play(player, *whole)
    assert played["error"] is None
    assert played["time"] >= told[1] - 3 * FRAME_S
    assert played["decoded"] >= PICTURES / 2
    assert (played["width"], played["height"]) == (BIKES_PICTURE.width, BIKES_PICTURE.height)


def test_a_viewer_who_joins_late_begins_with_any_segment(player: Page, recording: Recording) -> None:
    (joined,) = load(player, recording, [3, 4])
    assert near(joined, span(recording, 3, 4))
    played = play(player, *joined)
    assert played["error"] is None
    assert played["time"] > joined[0] + 3
    assert played["decoded"] > 0


def test_a_missing_segment_is_a_hole_of_its_own_length(player: Page, recording: Recording) -> None:
    before, after = load(player, recording, [0, 1, 3, 4])
    assert near(before, span(recording, 0, 1))
    assert near(after, span(recording, 3, 4))
    missing = recording.segments[2]
    assert abs((after[0] - before[1]) - (missing.to_ns - missing.from_ns) / 1e9) < FRAME_S
    played = play(player, *after)
    assert played["error"] is None
    assert played["decoded"] > 0
