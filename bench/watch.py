"""What a viewer waits for: the first picture after opening a station's page, and how old a live picture is."""

import time
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.row import Row, median
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.latency import behind_s
from tests.browser.watching import viewer
from tests.browser.whole import SIZE, Whole, whole

REPEATS = 7
LOOKS = 20
FIRST_PICTURE_S = 2.0
GLASS_TO_GLASS_S = 6.0
SETTLED_MS = 8_000
"""The first seconds are those of joining."""
_FIRST_PICTURE = """since => new Promise((told, failed) => {
  const seconds = () => (performance.timeOrigin + performance.now()) / 1000 - since;
  setTimeout(() => failed(new Error('no picture in 20 s')), 20_000);
  const look = () => {
    const video = document.querySelector('video');
    if (!video) return setTimeout(look, 5);
    video.requestVideoFrameCallback(() => told(seconds()));
  };
  look();
})"""
"""Resolves with the seconds from ``since`` (UTC) until a picture was handed to the screen."""


def measure(folder: Path) -> list[Row]:
    """A station's camera, recorder, uplink, intake, publisher and site as processes, watched in headless Chromium."""
    if not CHROMIUM.exists():
        raise RuntimeError(f"{CHROMIUM} is missing; install it with: tools/setup browser")
    with whole(folder / "whole") as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        # So that the reference has something to play, and the live list its length.
        running.until(lambda: len(running.segments()) >= 12, "some are recorded")
        clip = _clip(running)
        opened = [_opened(browser, running.page()) for _ in range(REPEATS)]
        bare = [_bare(browser, clip) for _ in range(REPEATS)]
        ages = _ages(browser, running)
        browser.close()
    return [
        Row(
            name="open a live station's page to its first picture, checked, empty cache",
            value=median(opened),
            unit="s",
            runs=tuple(opened),
            target=FIRST_PICTURE_S,
            reference="Chromium opens a bare clip of the same camera",
            reference_value=median(bare),
            note=f"pictures of {SIZE[0]} by {SIZE[1]}",
        ),
        Row(
            name="glass to glass, live, segments of 2 s",
            value=median(ages),
            unit="s",
            runs=tuple(ages),
            target=GLASS_TO_GLASS_S,
            reference="a segment's own length, before which nothing of it can be signed",
            reference_value=2.0,
            note="from the camera's timestamp to the screen",
        ),
    ]


def _clip(running: Whole) -> str:
    """The address of ten seconds of the same camera, as a station's page offers them."""
    live = running.get(f"/hls/{running.camera()}/live.m3u8").decode()
    begin = datetime.fromisoformat(live.partition("#EXT-X-PROGRAM-DATE-TIME:")[2].partition("\n")[0])
    asked = f"{begin:%Y%m%dT%H%M%SZ}-{begin + timedelta(seconds=10):%Y%m%dT%H%M%SZ}"
    return f"{running.site}/clip/{running.camera()}/{asked}.mp4"


def _opened(browser: Browser, address: str) -> float:
    with viewer(browser) as viewing:
        since = time.time()
        viewing.page.goto(address, wait_until="commit")
        return _first_picture(viewing.page, since)


def _bare(browser: Browser, address: str) -> float:
    with viewer(browser) as viewing:
        since = time.time()
        viewing.page.set_content(f'<video src="{address}" muted autoplay></video>', wait_until="commit")
        return _first_picture(viewing.page, since)


def _first_picture(page: Page, since: float) -> float:
    seconds: float = page.evaluate(_FIRST_PICTURE, since)
    return seconds


def _ages(browser: Browser, running: Whole) -> list[float]:
    with viewer(browser) as viewing:
        page = viewing.page
        page.goto(running.page())
        viewing.plays()
        page.wait_for_timeout(SETTLED_MS)
        ages = []
        for _ in range(LOOKS):
            page.wait_for_timeout(500)
            ages.append(behind_s(running, viewing))
        return ages
