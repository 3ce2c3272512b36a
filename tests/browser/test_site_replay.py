"""A day with a hole, a long hole and a reboot, from the station's signature to the picture in Chromium."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser

from evidence.words import Cause
from tests.browser.scripted import ScriptedSite, at, scripted, stands_us
from tests.browser.watching import Viewer, viewer
from tests.fakes.archive_unit import media_of

pytestmark = pytest.mark.browser

S = 1_000_000
LONG_S = 900
OFF_S = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """UTC, in microseconds, of what happened; the site that shows it, and the digests of segments in their order."""

    site: ScriptedSite
    begin: int
    hole: int
    after_hole: int
    long: int
    after_long: int
    off: int
    on: int
    end: int
    media: tuple[str, ...]

    @property
    def page(self) -> str:
        return self.site.url("/en/stations/57-002")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with scripted(tmp_path_factory.mktemp("day"), ["57-002", "57-003"]) as site:
        station = site.station()
        station.begin()
        station.arm()
        station.event("opened")
        times = [stands_us(station)]
        station.segments(15)
        times.append(stands_us(station))
        station.gap(seconds=10, cause=Cause.CAMERA)
        station.run()
        times.append(stands_us(station))
        station.segments(15)
        times.append(stands_us(station))
        station.gap(seconds=LONG_S, cause=Cause.DISK_FULL)
        station.run()
        times.append(stands_us(station))
        station.segments(10)
        times.append(stands_us(station))
        ended = station.reboot(off_seconds=OFF_S)
        station.start("power", evidence={"boot_changed": 1})
        station.gap(to_ns=station.boot_ns, cause=Cause.POWER, from_boot=ended)
        station.run()
        station.gap(seconds=1, cause=Cause.STARTING)
        times.append(stands_us(station))
        station.segments(15)
        station.event("closed")
        station.close()
        times.append(stands_us(station))
        site.deliver(station)
        both = site.station("57-003", cameras=("cam-0", "cam-1"))
        both.begin()
        both.arm()
        for _ in range(12):
            for camera in both.camera_ids:
                both.segment(camera)
        both.close()
        site.deliver(both)
        names = ("begin", "hole", "after_hole", "long", "after_long", "off", "on", "end")
        placed = dict(zip(names, times, strict=True))
        yield Day(site=site, media=tuple(media_of(station)), **placed)


def watch(day: Day, viewing: Viewer, utc_us: int) -> None:
    viewing.page.goto(day.page + at(utc_us))


def seek_with_slider(viewing: Viewer, utc_us: int) -> None:
    """As a person does who lets go of it there."""
    set_value = """(slider, seconds) => {
      slider.value = String(seconds);
      for (const name of ['input', 'change']) slider.dispatchEvent(new Event(name, { bubbles: true }));
    }"""
    viewing.page.locator(".player-day input").evaluate(set_value, utc_us // S)


def close_to(utc_us: int, within_ms: float = 1_500) -> Any:
    """The picture shows that time, and is there."""
    return lambda now: now.ready >= 2 and now.at is not None and abs(now.at_ms - utc_us / 1_000) <= within_ms


def test_a_deep_link_opens_at_its_second_with_a_green_seal(day: Day, browser: Browser) -> None:
    with viewer(browser) as viewing:
        watch(day, viewing, day.begin + 13 * S)
        viewing.until(close_to(day.begin + 13 * S, 1_000), "that second")
        shown = viewing.plays()
        assert (shown.seal, shown.dated, shown.width) == ("checked", "UTC", 320)
        assert "2026-05-01" in shown.clock


def test_a_seek_into_a_hole_says_what_is_missing_and_plays_behind_it(day: Day, browser: Browser) -> None:
    with viewer(browser) as viewing:
        watch(day, viewing, day.begin + 2 * S)
        viewing.plays()
        seek_with_slider(viewing, day.hole + 4 * S)
        shown = viewing.until(lambda now: now.kind == "hole", "it is told")
        assert "nothing was recorded" in shown.notice
        shown = viewing.until(close_to(day.after_hole, 2_500), "the first picture behind")
        viewing.plays()
        assert viewing.camera().seal == "checked"


def test_play_crosses_a_hole_by_itself(day: Day, browser: Browser) -> None:
    with viewer(browser) as viewing:
        watch(day, viewing, day.hole - 4 * S)
        viewing.plays()
        shown = viewing.until(lambda now: now.at is not None and now.at_ms > day.after_hole / 1_000 + 500, "behind it")
        assert shown.kind == "hole"
        assert shown.seal == "checked"


def test_a_seek_into_a_long_hole_goes_on_at_its_end_and_names_the_cause(day: Day, browser: Browser) -> None:
    with viewer(browser) as viewing:
        watch(day, viewing, day.long + LONG_S * S // 2)
        viewing.until(close_to(day.after_long, 2_500), "the first picture behind")
        shown = viewing.plays()
        assert (shown.kind, shown.seal) == ("hole", "checked")
        assert "disk" in shown.notice.lower(), shown.notice


def test_play_crosses_a_reboot_into_another_session_and_checks_that_too(day: Day, browser: Browser) -> None:
    with viewer(browser) as viewing:
        watch(day, viewing, day.off - 5 * S)
        viewing.plays()
        shown = viewing.until(lambda now: now.at is not None and now.at_ms > day.on / 1_000 + 2_500, "the second boot")
        assert (shown.seal, shown.kind) == ("checked", "hole")


def test_the_day_line_seeks_by_keyboard_and_by_mouse(day: Day, browser: Browser) -> None:
    with viewer(browser) as viewing:
        watch(day, viewing, day.begin + 2 * S)
        viewing.plays()
        picture = viewing.page.locator(".wide[data-dayline]")
        picture.locator("a").filter(has_text="Verified video").last.focus()
        viewing.page.keyboard.press("Enter")
        viewing.until(close_to(day.on, 3_000), "the last piece")
        box = picture.locator("svg").bounding_box()
        assert box is not None
        picture.locator("svg").click(position={"x": box["width"] * 0.02, "y": box["height"] * 0.42})
        shown = viewing.until(lambda now: now.at is not None and now.at_ms < day.hole / 1_000, "the first piece")
        assert shown.seal == "checked"


def test_two_cameras_play_side_by_side_and_in_step(day: Day, browser: Browser) -> None:
    with viewer(browser) as viewing:
        viewing.page.goto(day.site.url("/en/stations/57-003") + at(day.begin + 6 * S))
        viewing.plays()
        viewing.plays(camera=1)
        viewing.page.wait_for_timeout(1_000)
        one, other = viewing.camera(0), viewing.camera(1)
        assert abs(one.at_ms - other.at_ms) < 1_500
        assert (one.seal, other.seal) == ("checked", "checked")


def test_a_segment_that_is_altered_at_the_server_is_red_and_never_shown(day: Day, browser: Browser) -> None:
    index = 20
    path = day.site.published(day.media[index])
    before = path.read_bytes()
    data = bytearray(before)
    data[-20] ^= 1
    path.unlink()  # a link: the archive's own copy stays as it is
    path.write_bytes(data)
    begin = day.after_hole + (index - 15) * 2 * S
    try:
        with viewer(browser) as viewing:
            watch(day, viewing, begin - 3 * S)
            shown = viewing.until(lambda now: now.seal == "wrong", "red")
            assert "media-changed" in shown.said, shown.said
            seen: list[float] = []

            def passed(at_ms: float) -> bool:
                seen.append(at_ms)
                return at_ms > begin / 1_000 + 2_500

            viewing.until(lambda now: now.at is not None and passed(now.at_ms), "play goes on behind it")
            inside = [at_ms for at_ms in seen if begin / 1_000 + 300 < at_ms < begin / 1_000 + 1_700]
            assert inside == []
            assert viewing.camera().seal == "wrong", "it stays red"
    finally:
        path.write_bytes(before)


def test_a_changed_list_that_names_another_stations_video_is_red(day: Day, browser: Browser) -> None:
    """Whoever serves the list can put anything into it; the line decides."""
    other = day.site.get("/hls/57-003/u1/cam-0/2026-05-01T11Z.m3u8").body.decode()
    with viewer(browser) as viewing:
        viewing.page.route(
            "**/hls/57-002/u1/cam-0/2026-05-01T11Z.m3u8",
            lambda route: route.fulfill(body=other, content_type="application/vnd.apple.mpegurl"),
        )
        watch(day, viewing, day.begin + 5 * S)
        shown = viewing.until(lambda now: now.seal == "wrong", "red")
        assert shown.width == 0


def test_backfill_is_in_the_hours_list_once_it_arrives_and_never_in_the_live_list(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with scripted(tmp_path_factory.mktemp("backfill")) as site:
        station = site.station()
        station.begin()
        station.arm()
        begin = stands_us(station)
        station.segments(20)
        digests = list(media_of(station))
        late = digests[5:15]
        site.deliver(station, [*digests[:5], *digests[15:]])
        hour, live = "/hls/57-002/u1/cam-0/2026-05-01T11Z.m3u8", "/hls/57-002/u1/cam-0/live.m3u8"
        before, live_before = site.get(hour).body.decode(), site.get(live).body.decode()
        assert before.count("#EXTINF") == 10
        with viewer(browser) as viewing:
            viewing.page.goto(site.url("/en/stations/57-002") + at(begin + 20 * S))
            shown = viewing.until(lambda now: now.kind == "hole", "it is told")
            assert "not here yet" in shown.notice or "on its way" in shown.notice, shown.notice
            viewing.until(lambda now: now.at is not None and now.at_ms >= begin / 1_000 + 29_000, "plays behind")
            site.deliver(station, digests)
            for _ in range(40):
                if site.get(hour).body.decode().count("#EXTINF") == 20:
                    break
                viewing.page.wait_for_timeout(500)
            else:
                pytest.fail("the hour's list never grows")
            viewing.page.reload()
            viewing.page.goto(site.url("/en/stations/57-002") + at(begin + 20 * S))
            viewing.until(close_to(begin + 20 * S, 1_500), "what was missing")
            assert viewing.plays().seal == "checked"
        listed = site.get(live).body.decode()
        assert listed == live_before
        assert not any(sha256 in listed for sha256 in late)


def test_a_thinned_station_holds_its_last_picture_with_its_time_until_the_next_one_comes(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with scripted(tmp_path_factory.mktemp("thinned")) as site:
        station = site.station()
        station.begin()
        station.arm()
        station.segments(30)
        site.deliver(station, list(media_of(station))[::3])
        assert site.told("/open/stations/57-002.json")["state"] == "thinned"
        with viewer(browser) as viewing:
            viewing.page.goto(site.url("/en/stations/57-002"))
            viewing.plays()
            held: list[str] = []
            newest: list[float] = []
            for _ in range(9):
                station.segment()
                site.deliver(station, list(media_of(station))[::3])
                for _ in range(8):
                    viewing.page.wait_for_timeout(250)
                    shown = viewing.camera()
                    newest.append(shown.at_ms)
                    if shown.kind == "held":
                        held.append(shown.notice)
            assert held, "the picture stands for four of six seconds"
            assert all("Last picture: 2026-05-01 16:" in notice for notice in held)
            assert newest == sorted(newest), "it never goes back"
            assert newest[-1] - newest[0] > 8_000, "it goes on with every segment that comes"
            assert viewing.camera().seal == "checked"
            assert viewing.complaints == []
