"""The verify page and the one-file verifier as a running archive hands them out, from the camera to the verdict."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from evidence.lines import Segment
from tests.browser.watching import viewer
from tests.browser.whole import CAMERA, Whole, whole

pytestmark = pytest.mark.browser

FILES = "input[type=file][multiple]:not([accept])"
ENOUGH = 4


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("whole")) as running:
        running.until(lambda: len(public(running)) >= ENOUGH, "some segments are public")
        yield running


def public(running: Whole) -> list[Segment]:
    """What the site gives out, as the station's ledger names it."""
    return [body for body in running.segments() if is_public(running, body)]


def is_public(running: Whole, body: Segment) -> bool:
    try:
        return bool(running.get(address_of(body)))
    except OSError:
        return False


def address_of(body: Segment) -> str:
    return f"/media/{body.sha256[:2]}/{body.sha256}.m4s"


def outcome_of(page: Page, classes: str) -> str:
    expect(page.locator(".outcome")).to_have_class(f"outcome {classes}", timeout=30_000)
    return page.locator(".outcome").inner_text()


def test_a_segment_from_the_stations_own_disk_is_genuine_and_one_bit_less_is_altered(
    running: Whole, browser: Browser, tmp_path: Path
) -> None:
    body = public(running)[0]
    with viewer(browser) as viewing:
        page = viewing.page
        page.goto(f"{running.site}/en/verify")
        data = running.get(address_of(body))
        for name, there, classes in (("own.m4s", data, "genuine"), ("bent.m4s", bent(data), "altered")):
            (tmp_path / name).write_bytes(there)
            page.set_input_files(FILES, tmp_path / name)
            text = outcome_of(page, classes)
            assert name in text
            assert body.sha256 in text
        # An altered file is looked for in every list of its time, and not each of them is there.
        assert [text for text in viewing.complaints if "404" not in text] == []


def bent(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("lang", ["az", "ru"])
def test_a_link_to_a_segment_is_checked_as_the_page_opens(lang: str, running: Whole, browser: Browser) -> None:
    station, body = running.stations[0], public(running)[1]
    with viewer(browser) as viewing:
        viewing.page.goto(f"{running.site}/{lang}/verify#{address_of(body)}")
        text = outcome_of(viewing.page, "genuine")
        assert {"az": "Əsl yazıdır", "ru": "Подлинная запись"}[lang] in text
        for name in (station.name, station.unit, CAMERA):
            assert name in text
        assert viewing.complaints == []


def test_the_one_file_from_the_site_checks_what_the_site_gave_without_it(
    running: Whole, browser: Browser, tmp_path: Path
) -> None:
    page_bytes = running.get("/verifier/unbroken-verifier.html")
    digest = running.get("/verifier/unbroken-verifier.html.sha256").decode()
    assert digest == f"{hashlib.sha256(page_bytes).hexdigest()}  unbroken-verifier.html\n"
    assert digest.split()[0] in running.get("/en/verify").decode()
    (tmp_path / "verifier.html").write_bytes(page_bytes)
    (tmp_path / "segment.m4s").write_bytes(running.get(address_of(public(running)[2])))
    unit = f"{running.stations[0].name}/{running.stations[0].unit}"
    (tmp_path / "ledger.jws").write_bytes(running.get(f"/ledger/{unit}/0.jws"))
    context = browser.new_context(offline=True, locale="en-GB")
    page = context.new_page()
    page.goto((tmp_path / "verifier.html").as_uri())
    given = [tmp_path / "segment.m4s", tmp_path / "ledger.jws", running.folder / "root.pem"]
    page.set_input_files(FILES, given)
    expect(page.locator(".outcome").first).to_have_class("outcome genuine", timeout=30_000)
    context.close()


def test_a_link_to_a_clip_is_fetched_and_proves_itself(running: Whole, browser: Browser) -> None:
    now = datetime.now(UTC)
    first, last = (f"{now + timedelta(seconds=off):%Y%m%dT%H%M%SZ}" for off in (-3600, 60))
    address = f"/clip/{running.camera()}/{first}-{last}"
    running.until(lambda: len(running.told(f"{address}.json")["parts"]) == 1, "there is a film")
    with viewer(browser) as viewing:
        page = viewing.page
        page.goto(f"{running.site}/en/verify#{address}.mp4")
        outcome = page.locator(".outcome")
        expect(outcome).to_contain_text("clip: lines", timeout=30_000)
        for text in (running.stations[0].name, CAMERA, "part-only", "Recording of the election"):
            expect(outcome).to_contain_text(text)
        # What goes on may hold lines whose media are not public yet; what is there is good.
        assert "media-changed" not in outcome.inner_text()
        assert "signature-wrong" not in outcome.inner_text()
        assert viewing.complaints == []
