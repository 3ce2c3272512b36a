"""The mosaic in Chromium: tiles that this browser alone remembers, and that rest when nobody sees them."""

import pytest
from playwright.sync_api import Page

from tests.browser.playing import PlayerSite, live_list, wait

pytestmark = pytest.mark.browser

TILES = "[...document.querySelectorAll('.mosaic-tile[data-tile]')].map((tile) => tile.dataset.tile)"
REMEMBERED = "JSON.parse(localStorage.getItem('unbroken.mosaic'))"
VIDEO = "document.querySelector('.mosaic video')"


@pytest.fixture
def mosaic(player_site: PlayerSite) -> PlayerSite:
    """A station that is live, and the page."""
    entries = player_site.entries

    def live(seconds: float) -> str:
        last = min(5 + int(seconds / 2), len(entries))
        return live_list(entries[max(0, last - 8) : last], max(0, last - 8))

    player_site.answers.live = live
    player_site.put_facts([], state="live")
    body = (
        '<div class="mosaic" data-zone="Asia/Baku" data-lang="en" data-verify="/en/how" data-page="/en/stations/">'
        "</div>"
        '<div class="below">Below</div>'
    )
    player_site.put_page("mosaic.html", body, "/static/t/player/mosaic.js")
    return player_site


def test_a_station_is_added_plays_with_its_seal_and_is_remembered_here_only(page: Page, mosaic: PlayerSite) -> None:
    page.goto(f"{mosaic.origin}/mosaic.html")
    wait(page, "document.querySelectorAll('.mosaic-tile.is-empty').length === 4")
    page.get_by_label("Number, for example 57-002").fill("57 002")
    page.keyboard.press("Enter")
    wait(page, "document.querySelector('.mosaic .seal')?.dataset.seal === 'checked'")
    assert page.evaluate(TILES) == [mosaic.station]
    assert page.evaluate(f"{VIDEO}.muted")
    assert page.evaluate(REMEMBERED) == {"size": 4, "tiles": [mosaic.station]}
    assert page.evaluate("document.cookie") == ""
    assert page.locator(".mosaic-link").get_attribute("href") == f"/en/stations/{mosaic.station}"
    page.reload()
    wait(page, f"{VIDEO} && {VIDEO}.getVideoPlaybackQuality().totalVideoFrames > 5")
    page.get_by_label("Remove 57-002").click()
    wait(page, f"{TILES}.length === 0")
    assert page.evaluate(REMEMBERED) == {"size": 4, "tiles": []}


def test_a_station_that_does_not_exist_is_told_and_a_link_adds_one(page: Page, mosaic: PlayerSite) -> None:
    page.goto(f"{mosaic.origin}/mosaic.html?add=99-999")
    wait(page, "document.querySelector('.mosaic-told').textContent !== ''")
    assert page.locator(".mosaic-told").text_content() == "There is no polling station 99-999."
    page.goto(f"{mosaic.origin}/mosaic.html?add={mosaic.station}")
    wait(page, f"{TILES}.length === 1")
    assert page.evaluate("location.search") == ""


def test_a_tile_out_of_sight_rests_and_comes_back(page: Page, mosaic: PlayerSite) -> None:
    page.goto(f"{mosaic.origin}/mosaic.html?add={mosaic.station}")
    wait(page, f"{VIDEO} && {VIDEO}.readyState >= 3")
    page.evaluate(
        "(() => { const below = document.querySelector('.below'); below.style.marginTop = '4000px'; "
        "below.scrollIntoView(); })()"
    )
    wait(page, f"{VIDEO}.readyState === 0")
    page.evaluate("scrollTo(0, 0)")
    wait(page, f"{VIDEO}.readyState >= 3")


def test_what_a_browser_remembers_wrongly_costs_nothing(page: Page, mosaic: PlayerSite) -> None:
    for remembered in ("{", "null", '{"size": 7, "tiles": ["<b>", 5, "../x", "57-002"]}', '{"tiles": "57-002"}'):
        page.goto(f"{mosaic.origin}/mosaic.html")
        page.evaluate("(text) => localStorage.setItem('unbroken.mosaic', text)", remembered)
        page.reload()
        wait(page, "document.querySelectorAll('.mosaic-tile').length === 4")
        assert page.evaluate(TILES) == ([mosaic.station] if "size" in remembered else [])
