"""A hole in a list hangs hls.js; our skipper plays on behind it. Both are shown, so that the skipper stays needed."""

from pathlib import Path
from typing import TypedDict, cast

import pytest
from playwright.sync_api import Page

from archive.site.lists import form
from tests.browser.playing import Entry, PlayerSite, live_list, replay_list, wait

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
HOLE_S = 600
LIST = "/hls/list.m3u8"


class Seen(TypedDict):
    """What the page says: counts, media time (s), date (ms), decoded frames, readyState, latency (s)."""

    skips: int
    fatal: int
    gaps: int
    ends: int
    time: float
    date: float | None
    frames: int
    ready: int
    latency: float


def begin(page: Page, site: PlayerSite, query: str) -> None:
    """Open the page of hls.js with or without the skipper."""
    for name in ("skipper.html", "skipper-page.js"):
        site.answers.texts[f"/{name}"] = (HERE / name).read_text()
    page.goto(f"{site.origin}/skipper.html?{query}")
    wait(page, "window.look")


def look(page: Page) -> Seen:
    return cast(Seen, page.evaluate("look()"))


def with_hole(entries: tuple[Entry, ...], filled_s: int, at: int = 3) -> str:
    """A list of which a hole, filled with gap entries, follows the entry ``at``; later dates move by its length."""
    hole_us = filled_s * 1_000_000
    begin_us = entries[at].date_us
    gaps = [form.date(begin_us + n * 2_000_000) + form.gap(2_000_000) for n in range(filled_s // 2)]
    later = [entry.text(date_us=entry.date_us + hole_us) for entry in entries[at:]]
    return replay_list([*entries[:at], *gaps, *later])


def end_of(entries: tuple[Entry, ...], count: int) -> float:
    """Where the media time of so many entries ends, seconds."""
    return sum(entry.duration_us for entry in entries[:count]) / 1e6


@pytest.fixture
def ten_minutes(player_site: PlayerSite) -> PlayerSite:
    player_site.answers.texts[LIST] = with_hole(player_site.entries, HOLE_S)
    return player_site


def test_without_the_skipper_a_hole_of_ten_minutes_hangs_the_player(page: Page, ten_minutes: PlayerSite) -> None:
    begin(page, ten_minutes, f"list={LIST}&rate=4")
    hole = end_of(ten_minutes.entries, 3)
    # At the hole it goes from entry to entry, about one a second; six of them say that it is not past it.
    wait(page, "look().gaps >= 6 && look().ready < 3", 40)
    seen = look(page)
    assert hole - 0.5 < seen["time"] < hole + 30
    assert seen["fatal"] == 0


def test_the_skipper_plays_on_behind_a_hole_of_ten_minutes(page: Page, ten_minutes: PlayerSite) -> None:
    begin(page, ten_minutes, f"list={LIST}&rate=4&skip=1")
    beyond = end_of(ten_minutes.entries, 3) + HOLE_S
    wait(page, f"look().time > {beyond + 2}", 30)
    seen = look(page)
    assert seen["skips"] == 1
    assert seen["fatal"] == 0
    # The wall clock went on over the hole: ten minutes lie between the entries before and after it.
    shown_s = (seen["date"] or 0) / 1000 - ten_minutes.entries[0].date_us / 1e6
    assert abs(shown_s - seen["time"]) < 0.5


def test_without_the_skipper_a_seek_into_the_hole_hangs_the_player(page: Page, ten_minutes: PlayerSite) -> None:
    begin(page, ten_minutes, f"list={LIST}&at=300")
    wait(page, "look().gaps >= 5 && look().time >= 300", 40)
    seen = look(page)
    assert seen["ready"] < 3
    assert seen["time"] < 310


def test_the_skipper_plays_on_behind_a_hole_into_which_one_seeks(page: Page, ten_minutes: PlayerSite) -> None:
    begin(page, ten_minutes, f"list={LIST}&at=300&skip=1")
    beyond = end_of(ten_minutes.entries, 3) + HOLE_S
    wait(page, f"look().time > {beyond + 1} && look().ready >= 3", 30)
    assert look(page)["fatal"] == 0


def test_a_hole_that_reaches_the_end_of_a_list_is_told_as_its_end(page: Page, player_site: PlayerSite) -> None:
    entries = player_site.entries
    gaps = [form.gap(2_000_000)] * 20
    player_site.answers.texts[LIST] = replay_list([*entries[:3], *gaps])
    begin(page, player_site, f"list={LIST}&rate=4&skip=1")
    wait(page, "look().ends > 0", 30)
    assert look(page)["skips"] == 0


def test_a_hole_in_mid_play_of_a_live_list_is_crossed(page: Page, player_site: PlayerSite) -> None:
    entries = player_site.entries
    marked, behind = 5, 9  # entries without video, each published in its time like the others

    def live(seconds: float) -> str:
        last = min(4 + int(seconds / 1.5), len(entries))
        first = max(0, last - 10)
        text = form.head(9, 2) + f"#EXT-X-MEDIA-SEQUENCE:{first}\n" + form.init_map(entries[0].init_sha256)
        for at in range(first, last):
            hole = form.date(entries[at].date_us) + form.gap(entries[at].duration_us)
            text += hole if marked <= at < behind else entries[at].text()
        return text

    player_site.answers.live = live
    begin(page, player_site, "list=/hls/s/live.m3u8&skip=1")
    wait(page, "look().frames > 25", 30)
    assert look(page)["time"] < end_of(entries, marked)
    wait(page, f"look().time > {end_of(entries, behind) + 1}", 30)
    # Whether hls.js or the skipper comes first does not matter here: nobody waits.
    assert look(page)["fatal"] == 0


def test_what_is_left_out_with_a_new_date_keeps_the_wall_clock_right(page: Page, player_site: PlayerSite) -> None:
    entries = player_site.entries
    player_site.answers.texts[LIST] = replay_list([*entries[:3], form.DISCONTINUITY, *entries[8:]])
    begin(page, player_site, f"list={LIST}&rate=2")
    within = end_of(entries, 3) + 1.5
    wait(page, f"look().time > {within}", 30)
    seen = look(page)
    told_s = entries[8].date_us / 1e6 + (seen["time"] - end_of(entries, 3))
    assert abs((seen["date"] or 0) / 1000 - told_s) < 0.2
    assert (seen["skips"], seen["fatal"]) == (0, 0)


def test_a_live_list_without_some_entries_plays_on(page: Page, player_site: PlayerSite) -> None:
    entries = [entry for n, entry in enumerate(player_site.entries) if n not in (6, 7, 8)]

    def live(seconds: float) -> str:
        last = min(5 + int(seconds / 2), len(entries))
        return live_list(entries[max(0, last - 8) : last], max(0, last - 8))

    player_site.answers.live = live
    begin(page, player_site, "list=/hls/s/live.m3u8&skip=1")
    date_ms = entries[6].date_us / 1000
    wait(page, f"look().date > {date_ms + 1000}", 40)
    assert look(page)["fatal"] == 0
