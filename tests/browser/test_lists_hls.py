"""Lists as hls.js reads them, from a real archive: what it makes of holes, reboots and dates, and how it reloads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from archive.site.lists.hours import HOUR_US, UtcHour
from evidence.words import Cause
from tests.fakes.archive import RunningArchive, timeless_authority
from tests.fakes.archive_unit import armed_station, deliver
from tests.fakes.listsite import ListSite
from tests.fakes.station import NOON_US, SECOND, Station

pytestmark = pytest.mark.browser

HLS = Path(__file__).parents[2] / "archive/site/vendor/hls.light.min.js"
UNIT = "/hls/57-002/u1/cam-0"
NOON = f"{UNIT}/{UtcHour(number=NOON_US // HOUR_US)}.m3u8"
LOAD = """async (list) => {
  const { default: Hls } = await import('/hls.js');
  document.body.innerHTML = '<video muted></video>';
  const hls = new Hls({ enableWorker: false }), video = document.querySelector('video');
  window.seen = { details: null, fatal: [], hls, video };
  hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => { window.seen.details = details; });
  hls.on(Hls.Events.ERROR, (_, { fatal, details }) => { if (fatal) window.seen.fatal.push(details); });
  hls.loadSource(list);
  hls.attachMedia(video);
  video.play();
}"""
FRAGMENTS = """() => window.seen.details?.fragments.map((f) => ({
  gap: !!f.gap, cc: f.cc, date: f.programDateTime, seconds: f.duration, sn: f.sn,
  tag: f.tagList.find(([name]) => name === 'EXT-X-UNBROKEN')?.[1] ?? null }))"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    running = RunningArchive(tmp_path_factory.mktemp("archive"), timeless_authority())
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def station(archive: RunningArchive) -> Station:
    """Three segments, five seconds without a picture, a new run of two, a reboot, three more."""
    station = armed_station(archive, 3)
    station.gap(seconds=5)
    station.run()
    station.segments(2)
    ended = station.reboot()
    station.start("power")
    station.gap(to_ns=station.boot_ns + SECOND, cause=Cause.POWER, from_boot=ended)
    station.run()
    station.segments(3)
    deliver(archive.uplink(), station)
    return station


@pytest.fixture(scope="module")
def site(archive: RunningArchive, station: Station) -> Iterator[ListSite]:
    assert station.lines
    with ListSite(archive) as running:
        running.publish()
        yield running


@pytest.fixture
def player(page: Page, site: ListSite) -> Page:
    """A page of the lists' own origin, with hls.js."""

    def hls(route: Route) -> None:
        route.fulfill(body=HLS.read_bytes(), content_type="text/javascript")

    page.route("**/hls.js", hls)
    page.goto(site.url("/hls/nothing/here/at/all.m3u8"))
    return page


def test_hls_js_sees_gaps_discontinuities_dates_and_our_tag(player: Page, station: Station) -> None:
    player.evaluate(LOAD, NOON)
    player.wait_for_function("() => window.seen.details !== null")
    fragments = player.evaluate(FRAGMENTS)
    assert [fragment["gap"] for fragment in fragments] == [False] * 3 + [True] * 3 + [False] * 5
    assert [fragment["cc"] for fragment in fragments] == [0] * 6 + [1] * 2 + [2] * 3
    begin_ms = NOON_US / 1000 + 21_000
    assert fragments[0]["date"] == begin_ms
    assert fragments[6]["date"] == begin_ms + 11_000
    assert [fragment["tag"] is None for fragment in fragments] == [fragment["gap"] for fragment in fragments]
    assert fragments[0]["tag"].startswith("BRANCH=0,SEQ=5,RUN=2,START=0,MODE=LIVE,DATE=UTC")


def test_hls_js_plays_an_hour_up_to_its_hole(player: Page) -> None:
    player.evaluate(LOAD, NOON)
    player.wait_for_function("() => window.seen.video.currentTime > 4", timeout=30_000)
    assert player.evaluate("() => window.seen.fatal") == []
    assert player.evaluate("() => window.seen.video.getVideoPlaybackQuality().totalVideoFrames") > 15


def test_hls_js_waits_for_the_next_entry_and_plays_on(
    player: Page, archive: RunningArchive, site: ListSite, station: Station
) -> None:
    asked: list[str] = []
    player.on("request", lambda request: asked.append(request.url))
    player.evaluate(LOAD, f"{UNIT}/live.m3u8")
    player.wait_for_function("() => window.seen.details !== null")
    before = player.evaluate("() => window.seen.details.endSN")
    uplink = archive.uplink()
    for _ in range(4):
        station.segments(1)
        deliver(uplink, station)
        site.publish()
        player.wait_for_timeout(2_000)
    player.wait_for_function(f"() => window.seen.details.endSN === {before + 4}", timeout=30_000)
    assert any("_HLS_msn=" in url for url in asked)
    assert player.evaluate("() => window.seen.fatal") == []
    assert player.evaluate("() => window.seen.details.live")
