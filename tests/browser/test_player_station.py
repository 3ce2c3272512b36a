"""The player of a station's page in Chromium: real signed segments, lists of the site's form, every segment checked."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page

from archive.site.lists import form
from provisioning.authority import Authority
from tests.browser.playing import Entry, PlayerSite, at_address, hour_name, iso, live_list, replay_list, wait
from tests.fakes.rig import BOOT_ID

pytestmark = pytest.mark.browser

SEAL = "document.querySelector('.seal').dataset.seal"
VIDEO = "document.querySelector('video')"
FRAMES = f"{VIDEO}.getVideoPlaybackQuality().totalVideoFrames"
CLOCK = "document.querySelector('.player-clock')"
DATE = f"Date.parse({CLOCK}.getAttribute('datetime'))"
NOTICE = "document.querySelector('.player-notice')"
SECOND = 1_000_000
AXE = Path(__file__).parents[2] / ".cache/npm/node_modules/axe-core/axe.min.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A page, what it complained of and asked for."""

    page: Page
    complaints: list[str]
    requests: list[str]


@pytest.fixture
def seen(page: Page) -> Iterator[Seen]:
    """A page that must not complain, nor ask another host for anything."""
    watched = Seen(page=page, complaints=[], requests=[])
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("console", lambda message: watched.complaints.append(message.text) if _is_policy(message.text) else None)
    page.on("request", lambda request: watched.requests.append(request.url))
    yield watched
    assert watched.complaints == []
    hosts = {url.split("/")[2] for url in watched.requests if not url.startswith(("blob:", "data:"))}
    assert hosts <= {page.url.split("/")[2]}


def _is_policy(text: str) -> bool:
    return "Content Security Policy" in text


def whole(site: PlayerSite) -> list[tuple[int, int, str, str | None]]:
    """All of the record is there."""
    last = site.entries[-1]
    return [(site.entries[0].date_us, last.date_us + last.duration_us, "segment", None)]


def holed(site: PlayerSite, first: int, behind: int) -> str:
    """A list from which the entries from ``first`` up to ``behind`` are left out; the facts say: a power failure."""
    entries = site.entries
    begin, end = entries[first].date_us, entries[behind].date_us
    last = entries[-1].date_us + entries[-1].duration_us
    site.put_facts(
        [(entries[0].date_us, begin, "segment", None), (begin, end, "gap", "power"), (end, last, "segment", None)]
    )
    return replay_list([*entries[:first], form.DISCONTINUITY, *entries[behind:]])


def live_of(site: PlayerSite, entries: list[Entry], ready: int = 5) -> None:
    """Publish so many entries at once, then one every two seconds; the newest eight are in the list."""

    def live(seconds: float) -> str:
        last = min(ready + int(seconds / 2), len(entries))
        return live_list(entries[max(0, last - 8) : last], max(0, last - 8))

    site.answers.live = live


def notice(page: Page) -> str:
    return str(page.evaluate(f"{NOTICE}.hidden ? '' : {NOTICE}.textContent"))


def test_live_plays_with_a_green_seal_and_asks_for_lines_as_every_viewer_does(
    seen: Seen, player_site: PlayerSite
) -> None:
    page, entries = seen.page, player_site.entries
    live_of(player_site, list(entries))
    player_site.put_facts(whole(player_site), state="live")
    page.goto(player_site.put_station_page())
    wait(page, f"{SEAL} === 'checked' && {FRAMES} > 50")
    assert page.evaluate("document.querySelector('.player-state').textContent") == "Live"
    assert page.evaluate(f"{VIDEO}.muted")
    wait(page, f"{DATE} >= {entries[6].date_us / 1000}")
    ranges = [path.split("/")[-1] for path in player_site.answers.asked if path.startswith("/ledger/")]
    # Each from the line behind the entry before to its own: the same addresses whoever asks, whenever they came.
    expected = {f"{before.seq + 1}-{entry.seq}.jws" for before, entry in pairwise(entries)}
    segments = set(ranges) - {f"{entries[0].start_seq}-{entries[0].start_seq}.jws"}
    assert segments - {f"{entries[0].run_seq}-{entries[0].run_seq}.jws"} <= expected
    assert page.evaluate(SEAL) == "checked"


def test_a_tampered_segment_is_told_in_red_never_appended_and_play_goes_on_behind_it(
    seen: Seen, player_site: PlayerSite
) -> None:
    page, entries = seen.page, player_site.entries
    player_site.answers.tampered = {entries[4].segment.sha256}
    player_site.put_hour(replay_list(entries))
    player_site.put_facts(whole(player_site))
    page.goto(f"{player_site.put_station_page()}?t={at_address(entries[3].date_us)}")
    wait(page, f"{SEAL} === 'wrong'")
    assert "media-changed" in page.evaluate("document.querySelector('.seal').textContent")
    wait(page, f"{DATE} > {entries[5].date_us / 1000 + 500}")
    buffered = page.evaluate(
        f"[...Array({VIDEO}.buffered.length).keys()].map((n) => [{VIDEO}.buffered.start(n), {VIDEO}.buffered.end(n)])"
    )
    left_out = sum(entry.duration_us for entry in entries[:4]) / 1e6 + 1
    assert not any(begin <= left_out <= end for begin, end in buffered)
    assert page.evaluate(SEAL) == "wrong"


def test_live_a_tampered_segment_is_passed_over(seen: Seen, player_site: PlayerSite) -> None:
    page, entries = seen.page, player_site.entries
    player_site.answers.tampered = {entries[6].segment.sha256}
    live_of(player_site, list(entries))
    player_site.put_facts(whole(player_site), state="live")
    page.goto(player_site.put_station_page())
    wait(page, f"{SEAL} === 'wrong'")
    wait(page, f"{DATE} > {entries[8].date_us / 1000}")


def test_without_web_crypto_the_seal_is_grey_and_the_video_plays(seen: Seen, player_site: PlayerSite) -> None:
    page = seen.page
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined });")
    player_site.put_hour(replay_list(player_site.entries))
    player_site.put_facts(whole(player_site))
    page.goto(f"{player_site.put_station_page()}?t={at_address(player_site.entries[0].date_us)}")
    wait(page, f"{FRAMES} > 20")
    assert page.evaluate(SEAL) == "unchecked"
    assert page.locator(".seal-word").text_content() == "Not checked here"


def another_root(site: PlayerSite, text: str) -> str:
    site.answers.texts["/trust.pem"] = Authority.generate("sample-2027").root_pem.decode()
    return text


def no_root(site: PlayerSite, text: str) -> str:
    del site.answers.texts["/trust.pem"]
    return text


def no_lines(site: PlayerSite, text: str) -> str:
    site.answers.ledgers.clear()
    return text


def another_line(site: PlayerSite, text: str) -> str:
    return text.replace(f"SEQ={site.entries[0].seq},", f"SEQ={site.entries[1].seq},", 1)


def another_run(site: PlayerSite, text: str) -> str:
    run = site.entries[0].run_seq
    return text.replace(f"RUN={run},", f"RUN={run + 1},")


def another_session(site: PlayerSite, text: str) -> str:
    return text.replace("START=0,", f"START={site.entries[0].run_seq},")


def another_init(site: PlayerSite, text: str) -> str:
    site.answers.tampered.add(site.entries[0].init_sha256)
    return text


def another_date(site: PlayerSite, text: str) -> str:
    texts = [entry.text(date_us=entry.date_us + 300 * SECOND) for entry in site.entries]
    return replay_list(texts, site.entries[0].init_sha256)


def a_broken_chain(site: PlayerSite, text: str) -> str:
    (lines,) = site.answers.ledgers.values()
    before = site.entries[2].seq - 1
    lines[before] = lines[before - 1]
    return text


def no_tag(site: PlayerSite, text: str) -> str:
    return re.sub("#EXT-X-UNBROKEN.*\n", "", text)


WRONGS = (
    another_root,
    no_root,
    no_lines,
    another_line,
    another_run,
    another_session,
    another_init,
    another_date,
    a_broken_chain,
    no_tag,
)


@pytest.mark.parametrize("wrong", WRONGS, ids=[wrong.__name__ for wrong in WRONGS])
def test_nothing_that_a_site_gets_wrong_is_green(
    wrong: Callable[[PlayerSite, str], str], seen: Seen, player_site: PlayerSite
) -> None:
    page, first = seen.page, player_site.entries[0]
    begin_us = first.date_us + (300 * SECOND if wrong is another_date else 0)
    text = wrong(player_site, replay_list(player_site.entries))
    player_site.put_facts([])
    for at in (first.date_us, begin_us):
        player_site.answers.texts[f"/hls/{player_site.path}/{hour_name(at)}.m3u8"] = text
    page.goto(f"{player_site.put_station_page()}?t={at_address(begin_us)}")
    wait(page, f"{SEAL} === 'wrong'")


def test_another_unit_than_the_page_names_is_never_green(seen: Seen, player_site: PlayerSite) -> None:
    page = seen.page
    station, unit, camera = player_site.path.split("/")
    answers = player_site.answers
    answers.ledgers[f"{station}/u-0002"] = answers.ledgers.pop(f"{station}/{unit}")
    for hour in {hour_name(entry.date_us) for entry in player_site.entries}:
        answers.texts[f"/hls/{station}/u-0002/{camera}/{hour}.m3u8"] = replay_list(player_site.entries)
    player_site.put_facts([])
    address = player_site.put_station_page(cameras=[f"u-0002/{camera}"])
    page.goto(f"{address}?t={at_address(player_site.entries[0].date_us)}")
    wait(page, f"{SEAL} === 'wrong'")
    assert "start-mismatch" in page.evaluate("document.querySelector('.seal').textContent")


def test_a_seek_into_a_hole_says_what_is_known_of_it_and_goes_on_at_the_next_picture(
    seen: Seen, player_site: PlayerSite
) -> None:
    page, entries = seen.page, player_site.entries
    player_site.put_hour(holed(player_site, 4, 9))
    page.goto(f"{player_site.put_station_page()}?t={at_address(entries[6].date_us)}")
    wait(page, f"!{NOTICE}.hidden && {FRAMES} > 5")
    assert "power failure" in notice(page)
    wait(page, f"{DATE} >= {entries[9].date_us / 1000}")
    assert page.evaluate(SEAL) == "checked"


def test_what_is_left_out_of_a_list_keeps_the_clock_right_and_is_told_when_it_is_passed(
    seen: Seen, player_site: PlayerSite
) -> None:
    page, entries = seen.page, player_site.entries
    player_site.put_hour(holed(player_site, 4, 9))
    page.goto(f"{player_site.put_station_page()}?t={at_address(entries[3].date_us)}")
    wait(page, f"{DATE} >= {entries[9].date_us / 1000 + 500}")
    assert "power failure" in notice(page)
    # The stamp in the caption is the date of the entry plus what was played of it.
    date, shown = page.evaluate(f"[{DATE}, {CLOCK}.textContent]")
    assert shown.endswith(f"{iso(date * 1000)[11:19]} UTC")


def test_the_day_is_played_across_the_hour_and_the_address_names_the_second(
    seen: Seen, player_site: PlayerSite
) -> None:
    page, entries = seen.page, player_site.entries
    # Lists of two hours as the player asks for them: the second begins where the first ends.
    first, second = hour_name(entries[0].date_us), hour_name(entries[0].date_us + 3600 * SECOND)
    answers = player_site.answers
    shift_us = 3600 * SECOND - entries[0].date_us % (3600 * SECOND) - 4 * SECOND
    early = [entry.text(date="ARRIVAL", date_us=entry.date_us + shift_us) for entry in entries[:2]]
    late = [entry.text(date="ARRIVAL", date_us=entry.date_us + shift_us) for entry in entries[2:]]
    for name, texts in ((first, early), (second, late)):
        answers.texts[f"/hls/{player_site.path}/{name}.m3u8"] = replay_list(texts, entries[0].init_sha256)
    begin_us = entries[0].date_us + shift_us
    player_site.put_facts([(begin_us, begin_us + 28 * SECOND, "segment", None)])
    page.goto(f"{player_site.put_station_page()}?t={at_address(begin_us)}")
    wait(page, f"{DATE} >= {(begin_us + 6 * SECOND) / 1000}")
    assert page.evaluate(SEAL) == "wrong", "the pictures are moved to the end of an hour, and the signed clock says so"
    assert "time of arrival" in page.evaluate(f"{CLOCK}.textContent")
    wait(page, "location.search.length > 0 && !location.search.includes('00%3A00%3A00')")
    asked = [path for path in answers.asked if path.startswith("/hls/")]
    assert [path.split("/")[-1] for path in asked] == [f"{first}.m3u8", f"{second}.m3u8"]


def test_a_step_back_from_live_stays_in_the_live_list_and_further_back_is_replayed_by_boot_time(
    seen: Seen, player_site: PlayerSite
) -> None:
    """Live dates by arrival, as of a unit whose clock was never set: replay counts from the boot."""
    page, entries = seen.page, player_site.entries
    boot = BOOT_ID
    hour = entries[0].segment.from_ns // (3600 * 10**9)
    by_boot = [entry.text(date="BOOT", date_us=entry.segment.from_ns // 1000) for entry in entries]
    name = f"/hls/{player_site.path}/{boot}+{hour:02}.m3u8"
    player_site.answers.texts[name] = replay_list(by_boot, entries[0].init_sha256)
    begin, end = (iso(each // 1000) for each in (entries[0].segment.from_ns, entries[-1].segment.to_ns))
    span = {"from": begin, "to": end, "state": "segment", "cause": None, "boot": boot}
    camera = {"unit": player_site.path.split("/")[1], "camera": "cam1", "state": "live", "spans": [span]}
    facts = {"station": player_site.station, "state": "live", "cameras": [camera]}
    player_site.answers.texts[f"/open/stations/{player_site.station}.json"] = json.dumps(facts)
    live_of(player_site, list(entries), ready=len(entries))
    arriving = player_site.answers.live
    assert arriving is not None
    player_site.answers.live = lambda seconds: arriving(seconds).replace("DATE=UTC", "DATE=ARRIVAL")
    page.goto(player_site.put_station_page())
    wait(page, f"{SEAL} === 'checked' && {FRAMES} > 10")
    page.get_by_label("Pause").click()
    wait(page, f"{VIDEO}.paused")
    first = page.evaluate(DATE)
    page.get_by_label("10 seconds back").click()
    wait(page, f"{DATE} < {first - 8000}")
    assert f"{boot}+{hour:02}" not in " ".join(player_site.answers.asked)
    page.get_by_label("10 seconds back").click()
    wait(page, f"{CLOCK}.textContent.includes('after switching on')")
    assert name in player_site.answers.asked
    assert page.evaluate(SEAL) == "checked"
    assert page.evaluate("location.search").startswith(f"?t={boot}")


def test_live_that_stands_says_of_which_time_its_last_picture_is(seen: Seen, player_site: PlayerSite) -> None:
    page = seen.page
    live_of(player_site, list(player_site.entries[:5]))
    player_site.put_facts(whole(player_site), state="thinned")
    page.goto(player_site.put_station_page())
    wait(page, f"{NOTICE}.dataset.kind === 'held'")
    assert notice(page).startswith("Last picture: ")
    assert "reduced" in notice(page)


def test_without_anything_live_the_page_says_so_and_looks_again(seen: Seen, player_site: PlayerSite) -> None:
    page = seen.page
    player_site.put_facts([], state="silent")
    page.goto(player_site.put_station_page())
    wait(page, f"!{NOTICE}.hidden")
    assert notice(page) == "Nothing live now."
    live_of(player_site, list(player_site.entries))
    wait(page, f"{FRAMES} > 5")
    wait(page, f"{NOTICE}.hidden")


def test_everything_works_by_keyboard_alone_and_has_a_name(seen: Seen, player_site: PlayerSite) -> None:
    page, entries = seen.page, player_site.entries
    player_site.put_hour(replay_list(entries))
    player_site.put_facts(whole(player_site))
    page.goto(f"{player_site.put_station_page()}?t={at_address(entries[2].date_us)}")
    wait(page, f"{FRAMES} > 5")
    wait(page, "!document.querySelector('.player-day').hidden")  # the day's extent comes with the facts
    names: list[str] = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()"
        )
        if name in names:
            break
        names.append(name)
        if name == "Pause":
            page.keyboard.press("Enter")
            wait(page, f"{VIDEO}.paused")
    assert {"Pause", "10 seconds back", "10 seconds forward", "Go to live", "Speed", "Time of day"} <= set(names)
    small = page.evaluate(
        "[...document.querySelectorAll('.player button, .player select, .player input, .player summary')]"
        ".filter((each) => each.getBoundingClientRect().height < 44).map((each) => each.outerHTML)"
    )
    assert small == []
    slider = page.locator(".player-day input")
    slider.focus()
    before = page.evaluate(DATE)
    page.keyboard.press("End")
    wait(page, f"{DATE} > {before + 10_000}")
    assert slider.get_attribute("aria-valuetext")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("lang", ["az", "en", "ru"])
def test_the_player_passes_axe_in_each_language(lang: str, seen: Seen, player_site: PlayerSite) -> None:
    page, entries = seen.page, player_site.entries
    player_site.answers.tampered = {entries[4].segment.sha256}
    player_site.put_hour(replay_list(entries))
    player_site.put_facts(whole(player_site))
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{player_site.put_station_page(lang)}?t={at_address(entries[3].date_us)}")
    wait(page, f"{SEAL} === 'wrong' && {FRAMES} > 5")
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run('.player').then(({ violations }) => violations"
        ".filter(({ impact }) => ['serious', 'critical'].includes(impact)).map(({ id, nodes }) => [id, nodes[0].html]))"
    )
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_two_cameras_replay_in_step_and_one_alone_can_be_chosen(seen: Seen, player_site: PlayerSite) -> None:
    page, entries = seen.page, player_site.entries
    player_site.put_hour(replay_list(entries))
    player_site.put_facts(whole(player_site))
    named = "/".join(player_site.path.split("/")[1:])
    address = player_site.put_station_page(cameras=[named, named])
    page.goto(f"{address}?t={at_address(entries[1].date_us)}")
    clocks = "[...document.querySelectorAll('.player-clock')].map((each) => Date.parse(each.getAttribute('datetime')))"
    wait(page, f"{clocks}.length === 2 && {clocks}.every((ms) => ms > {entries[1].date_us / 1000 + 1000})")
    # One is thrown out of step; it comes back.
    page.evaluate("(() => { document.querySelectorAll('video')[1].currentTime += 3; })()")
    wait(page, f"Math.abs({clocks}[0] - {clocks}[1]) > 1700")
    wait(page, f"Math.abs({clocks}[0] - {clocks}[1]) < 1000")
    page.get_by_label("All cameras").select_option(label="Only Camera 2")
    wait(page, "document.querySelectorAll('.player-camera:not([hidden])').length === 1")
    wait(page, "!document.querySelectorAll('video')[1].paused && document.querySelectorAll('video')[1].readyState >= 3")
    assert page.evaluate("document.querySelectorAll('video')[0].readyState") == 0


def test_a_hole_of_one_camera_costs_nothing_of_what_the_other_shows(seen: Seen, player_site: PlayerSite) -> None:
    page, entries = seen.page, player_site.entries
    # The record has one camera; unchecked, its segments stand in for those of a second one.
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined });")
    player_site.put_hour(holed(player_site, 4, 9))
    station, unit, _ = player_site.path.split("/")
    for hour in {hour_name(entry.date_us) for entry in entries}:
        player_site.answers.texts[f"/hls/{station}/{unit}/cam2/{hour}.m3u8"] = replay_list(entries)
    address = player_site.put_station_page(cameras=[f"{unit}/cam1", f"{unit}/cam2"])
    page.goto(f"{address}?t={at_address(entries[3].date_us)}")
    clocks = "[...document.querySelectorAll('.player-clock')].map((each) => Date.parse(each.getAttribute('datetime')))"
    wait(page, f"{clocks}.length === 2 && {clocks}.every((ms) => ms >= {entries[3].date_us / 1000})")
    page.get_by_label("Speed").select_option("2")
    inside = entries[6].date_us / 1000
    wait(page, f"{clocks}[1] > {inside} && {clocks}[1] < {inside + 4000}")
    held = page.evaluate(clocks)
    assert held[0] >= entries[9].date_us / 1000
    assert "power failure" in notice(page)
    wait(page, f"{clocks}.every((ms) => ms > {entries[10].date_us / 1000})")


def test_a_click_in_the_day_line_seeks_to_its_place_and_a_link_to_its_second(
    seen: Seen, player_site: PlayerSite
) -> None:
    page, entries = seen.page, player_site.entries
    player_site.put_hour(replay_list(entries))
    player_site.put_facts(whole(player_site))
    begin, end = entries[0].date_us, entries[-1].date_us + entries[-1].duration_us
    address = player_site.put_station_page()
    picture = (
        f'<div data-dayline data-places="[[0, 800, {begin}, {end}]]"><svg viewBox="0 0 800 40" width="800" height="40">'
        f'<a href="?t={at_address(begin)}"><rect width="800" height="40" fill="#0b5cad"/></a></svg></div>'
    )
    name = "/" + address.split("/")[-1]
    player_site.answers.texts[name] = player_site.answers.texts[name].replace("</main>", picture + "</main>")
    page.goto(f"{address}?t={at_address(begin)}")
    wait(page, f"{FRAMES} > 5")
    page.locator("[data-dayline] svg").click(position={"x": 400, "y": 20})
    middle = (begin + end) / 2000
    wait(page, f"{DATE} >= {middle - 500}")
    assert page.evaluate(DATE) < middle + 3000
    assert page.evaluate(f"{VIDEO}.played.length") > 1
    wait(page, "!document.querySelector('.dayline-mark').hidden")
    page.locator("[data-dayline] a").focus()
    page.keyboard.press("Enter")
    wait(page, f"{DATE} < {begin / 1000 + 3000}")
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1
