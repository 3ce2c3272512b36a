"""Every page of the site in every language: for screen readers, on a phone, in the dark, without JavaScript."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.country import FINISHED, LIVE, Country, country
from tests.browser.watching import viewer

pytestmark = pytest.mark.browser

CACHE = Path(__file__).parents[2] / ".cache"
AXE = CACHE / "npm/node_modules/axe-core/axe.min.js"
PICTURES = CACHE / "screenshots"
LANGUAGES = ("az", "en", "ru")
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}
ALSO_SMALL_AND_DARK = ("home", "station-finished")

_JUDGE = """async rules => {
  const options = { resultTypes: ['violations'], ...(rules && { runOnly: { type: 'rule', values: rules } }) };
  const { violations } = await axe.run(document, options);
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
}"""
_TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const whole = document.documentElement.scrollWidth;
  if (whole <= width) return [];
  const out = [...document.querySelectorAll('body *')].filter((it) => it.getBoundingClientRect().right > width + 1);
  return [`${whole} px wide`, ...out.slice(0, 4).map((it) => it.outerHTML.slice(0, 120))];
}"""
_TOO_SMALL = """() => {
  const links = 'nav a, footer li a, .chips a, .grid a';
  const controls = 'button, select, input:not([type=hidden]), summary';
  const isSeen = (it) => it.checkVisibility() && !it.closest('.skip') && it.getBoundingClientRect().width > 0;
  const height = (it) => it.getBoundingClientRect().height;
  const found = [...document.querySelectorAll(`${links}, ${controls}`)].filter((it) => isSeen(it) && height(it) < 43.5);
  return found.slice(0, 5).map((it) => `${Math.round(height(it))} px: ${it.outerHTML.slice(0, 100)}`);
}"""


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    with country(tmp_path_factory.mktemp("country")) as land:
        yield land


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_is_fit_for_screen_readers_phones_and_the_dark(land: Country, browser: Browser, lang: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    axe = AXE.read_text()
    wrong: list[str] = []
    # axe brings a script of its own, which the pages' policy forbids; every other test leaves the policy on.
    with viewer(browser, bypass_csp=True, viewport=DESK) as viewing:
        page = viewing.page
        for name, path in land.paths().items():
            page.set_viewport_size(DESK)
            page.emulate_media(color_scheme="light")
            page.goto(land.site.url(f"/{lang}{path}"))
            if name == "station-live":
                viewing.plays()
            page.evaluate(axe)
            wrong += [f"{name}: {fault}" for fault in page.evaluate(_JUDGE, None)]
            _picture(page, f"{lang}-{name}")
            if lang != "en" and name not in ALSO_SMALL_AND_DARK:
                continue  # colours and widths are those of the English page; words were judged above
            page.emulate_media(color_scheme="dark")
            wrong += [f"{name}, dark: {fault}" for fault in page.evaluate(_JUDGE, ["color-contrast"])]
            if name in ALSO_SMALL_AND_DARK:
                _picture(page, f"{lang}-{name}-dark")
            page.emulate_media(color_scheme="light")
            page.set_viewport_size(PHONE)
            wrong += [f"{name}, phone: {fault}" for fault in page.evaluate(_TOO_WIDE) + page.evaluate(_TOO_SMALL)]
            if name in ALSO_SMALL_AND_DARK:
                _picture(page, f"{lang}-{name}-phone")
        assert page.evaluate("document.documentElement.lang") == lang
    print(f"\npictures of the pages: {PICTURES.relative_to(CACHE.parent)}")
    assert wrong == [], "\n" + "\n".join(wrong)


def test_the_judges_would_see_a_page_that_is_not_fit(land: Country, browser: Browser) -> None:
    with viewer(browser, bypass_csp=True, viewport=PHONE) as viewing:
        page = viewing.page
        page.goto(land.site.url("/en/how"))
        page.evaluate(AXE.read_text())
        page.evaluate("""() => document.querySelector('main').insertAdjacentHTML('beforeend',
            '<p style="color: #bbb; background: #fff">pale</p><p style="width: 500px">wide</p>' +
            '<button style="min-height: 0; height: 20px"></button>')""")
        found = page.evaluate(_JUDGE, None)
        assert {fault.split(":")[0] for fault in found} == {"color-contrast", "button-name"}
        assert page.evaluate(_TOO_WIDE)
        assert page.evaluate(_TOO_SMALL)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_can_be_read_without_javascript(land: Country, browser: Browser, lang: str) -> None:
    with viewer(browser, java_script_enabled=False) as viewing:
        page = viewing.page
        leads: set[str] = set()
        for name, path in land.paths().items():
            answer = page.goto(land.site.url(f"/{lang}{path}"))
            assert answer is not None
            assert (answer.status == 404) == (name == "not-found"), name
            assert "set-cookie" not in answer.headers
            assert "'unsafe" not in answer.headers["content-security-policy"]
            assert len(page.locator("main").inner_text()) > 60, name
            assert page.locator("h1").count() == 1, name
            hrefs = [link.get_attribute("href") or "" for link in page.locator("a[href]").all()]
            leads |= {
                page.url.split("?")[0].rsplit("/", 1)[0] + "/" + href if href[0] not in "/#?h" else href
                for href in hrefs
            }
        own = sorted(lead for lead in leads if lead.startswith("/"))
        assert len(own) > 100
        dead = [lead for lead in own if land.site.get(lead.split("#")[0]).status >= 400]
        assert dead == []
        station = land.site.url(f"/{lang}/stations/{FINISHED}")
        page.goto(station)
        table = page.locator("details table").first
        assert table.locator("tr").count() > 5, "the day in words"
        page.goto(land.site.url(f"/{lang}/stations/{LIVE}"))
        assert page.locator("noscript").first.inner_text().strip()


def test_downloads_of_a_stations_page_work_without_javascript(land: Country, browser: Browser) -> None:
    with viewer(browser, java_script_enabled=False) as viewing:
        page = viewing.page
        page.goto(land.site.url(f"/en/stations/{FINISHED}"))
        with page.expect_download() as waiting:
            page.locator("form.clip button").click()
        path = waiting.value.path()
        assert path.read_bytes()[4:8] == b"ftyp"
        assert waiting.value.suggested_filename.endswith(".mp4")


def _picture(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
