"""F3 and F8 of the failures that elections have seen, to the second, from the unit's signature to the viewer.

F3: somebody stood before the lens while a box was exchanged, and it took days until anybody knew. What detects it is
another part; from the unit's signed events on, this is the way to the public.
F8: viewers were shown other pictures for some minutes, then the genuine ones again.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from evidence.lines import Event
from tests.browser.scripted import ScriptedSite, at, scripted, stands_us
from tests.browser.watching import viewer
from tests.fakes.archive import timeless_authority
from tests.fakes.archive_unit import media_of
from tests.fakes.filmed import FilmedStation
from tests.fakes.station import NOON_US

pytestmark = pytest.mark.browser

S = 1_000_000
COVERED_US = int(datetime(2026, 5, 1, 8, 7, 10, tzinfo=UTC).timestamp()) * S
"""12:07:10 in the election's zone."""
CLEAR_US = COVERED_US + 14 * S
PUBLIC_S = 20


def tell(station: FilmedStation, event: str, utc_us: int) -> int:
    """The unit signs an event of one of its cameras; its line."""
    boot_ns = (utc_us - (station.utc_us or 0)) * 1_000
    station.append(Event(event=event, camera="cam-0", data={}), stamp=station.stamp(boot_ns))
    return len(station.lines) - 1


def public_within(site: ScriptedSite, what: str, seq: int) -> float:
    """Seconds until an event is on every page that tells of it."""
    began = time.monotonic()
    address = f"/gaps/57-002/u1/0/{seq}"
    shown = {"/en/gaps": address, "/en/stations/57-002": address, "/open/gaps.json": what, f"/en{address}": "12:07:"}
    for path, text in shown.items():
        while text not in (answer := site.get(path)).body.decode() or answer.status != 200:
            assert time.monotonic() - began < PUBLIC_S, f"{path} does not tell of {what}"
            time.sleep(0.2)
    return time.monotonic() - began


def test_f3_a_view_that_is_covered_is_public_within_seconds_and_its_link_opens_there(
    browser: Browser, tmp_path: Path
) -> None:
    with scripted(tmp_path, opening_us=COVERED_US - 45 * S) as site:
        station = site.station()
        station.begin(seconds=1)
        station.arm()
        station.segments(12)
        assert stands_us(station) == COVERED_US
        covered = tell(station, "view-covered", COVERED_US)
        station.segment()
        site.deliver(station)
        took = [public_within(site, "view-covered", covered)]
        site.get("/open/stations/57-002.json")
        assert site.told("/open/stations/57-002.json")["state"] == "degraded"
        station.segments(6)
        assert stands_us(station) == CLEAR_US
        changes = [tell(station, event, CLEAR_US) for event in ("view-restored", "scene-changed")]
        station.segments(5)
        site.deliver(station)
        took += [public_within(site, "scene-changed", changes[1])]
        print(f"\npublic after {', '.join(f'{seconds:.1f} s' for seconds in took)}")
        with viewer(browser) as viewing:
            page = viewing.page
            page.goto(site.url("/en/gaps"))
            page.get_by_role("link", name="View covered").first.click()
            expect(page).to_have_url(site.url(f"/en/gaps/57-002/u1/0/{covered}"))
            expect(page.locator("main")).to_contain_text("12:07:10")
            page.locator("main a[href*='/stations/57-002?t=']").first.click()
            shown = viewing.until(lambda now: now.ready >= 2 and now.at is not None, "a picture")
            assert abs(shown.at_ms - COVERED_US / 1_000) <= 1_000, shown
            assert viewing.plays().seal == "checked"
            for lang in ("az", "ru"):
                page.goto(site.url(f"/{lang}/gaps/57-002/u1/0/{changes[1]}"))
                expect(page.locator("main")).to_contain_text("12:07:24")


def test_f8_other_pictures_are_red_at_once_and_the_genuine_ones_around_them_green(
    browser: Browser, tmp_path: Path
) -> None:
    with scripted(tmp_path) as site:
        station = site.station()
        station.begin()
        station.arm()
        begin = stands_us(station)
        station.segments(55)
        site.deliver(station)
        shown_instead = other_pictures(list(media_of(station).values()))
        digests = list(media_of(station))
        first, behind = 30, 33
        for index in range(first, behind):
            path = site.published(digests[index])
            path.unlink()
            path.write_bytes(shown_instead[index])
        foreign_us, genuine_us = begin + first * 2 * S, begin + behind * 2 * S
        with viewer(browser) as viewing:
            page = viewing.page
            page.goto(site.url("/en/stations/57-002") + at(begin + 2 * S))
            before = viewing.plays()
            assert before.seal == "checked", before.said
            page.goto(site.url("/en/stations/57-002") + at(foreign_us - 4 * S))
            viewing.plays()
            began = time.monotonic()
            shown = viewing.until(lambda now: now.seal == "wrong", "red")
            assert "media-changed" in shown.said, shown.said
            seen: list[float] = []

            def passed(at_ms: float | None) -> bool:
                seen.append(at_ms or 0)
                return at_ms is not None and at_ms > genuine_us / 1_000 + 500

            shown = viewing.until(lambda now: passed(now.at_ms if now.at else None), "play goes on behind", 40)
            # The player may stand at the beginning of an entry, to ask for it; none of their pictures moves.
            inside = [ms for ms in seen if foreign_us / 1_000 < ms < genuine_us / 1_000]
            assert not [ms for ms in inside if (ms - foreign_us / 1_000) % 2_000 > 150], inside
            assert shown.seal == "wrong", "it stays red"
            print(f"\nfrom the last genuine picture to the next: {time.monotonic() - began:.1f} s")
            page.goto(site.url("/en/stations/57-002") + at(genuine_us + 4 * S))
            assert viewing.plays().seal == "checked", "behind"
            for index, word in ((first - 1, "genuine"), (first, "altered"), (behind, "genuine")):
                sha256 = digests[index]
                page.goto("about:blank")
                page.goto(site.url(f"/en/verify#/media/{sha256[:2]}/{sha256}.m4s"))
                expect(page.locator(".outcome")).to_have_class(f"outcome {word}", timeout=15_000)


def other_pictures(genuine: Sequence[bytes]) -> list[bytes]:
    """Of another film under the same names: the first box, which says whose it is and when, is the genuine one's."""
    forger = FilmedStation(timeless_authority("another"), seed="forger", utc_us=NOON_US)
    forger.begin()
    forger.arm()
    forger.segments(len(genuine))
    forged = media_of(forger).values()
    return [own[: _box(own)] + other[_box(other) :] for own, other in zip(genuine, forged, strict=True)]


def _box(data: bytes) -> int:
    """How long the first box is."""
    return int.from_bytes(data[:4])
