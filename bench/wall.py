"""The wall of a thousand stations in Chromium: first paint, filter, scroll, and how soon a fault is on it."""

import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from archive.account.state import StationState
from bench.row import Row, median
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.test_wall import FILTER_MS, SCROLL_MS
from tests.fakes.supervised import Supervised, supervised

STATIONS = 1_000
REPEATS = 5
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def measure(folder: Path) -> list[Row]:
    """The real centre over a list of stations whose states are set; a fault is seen from the centre's next look on."""
    folder = folder / "wall"
    folder.mkdir()
    with supervised(folder, STATIONS) as centre, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        paints: list[float] = []
        filters: list[float] = []
        scrolls: list[float] = []
        for _ in range(REPEATS):
            context = browser.new_context()
            page = context.new_page()
            _open(page, centre)
            paints.append(page.evaluate(_PAINT) / 1_000)
            scrolls.append(page.evaluate(SCROLL_MS))
            filters.append(page.evaluate(FILTER_MS))
            context.close()
        faults = [_fault_s(browser.new_page(), centre, f"57-00{number + 1}") for number in range(REPEATS)]
        browser.close()
    note = f"{STATIONS:,} stations, empty cache, headless Chromium, over the loopback"
    return [
        _row("wall: first paint", paints, "s", 1.0, note),
        _row("wall: filter", filters, "ms", 100, "typed into the form until it is laid out"),
        _row("wall: a step of scrolling", scrolls, "ms", 100, "the worst of 20"),
        _row("wall: a fault on it", faults, "s", 15, "from the state's change; deciding takes up to 15 s more"),
    ]


def _open(page: Page, centre: Supervised) -> None:
    page.goto(f"{centre.origin}/en/")
    page.get_by_text("Connected: changes come by themselves.").wait_for()


def _fault_s(page: Page, centre: Supervised, name: str) -> float:
    _open(page, centre)
    begun = time.monotonic()
    centre.turn(name, StationState.SILENT)
    page.wait_for_selector(f"#t-{name}.state-silent.alert")
    took_s = time.monotonic() - begun
    page.close()
    return took_s


def _row(name: str, values: list[float], unit: str, target: float, note: str) -> Row:
    return Row(name=name, value=median(values), unit=unit, runs=tuple(values), target=target, note=note)
