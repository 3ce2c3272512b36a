"""The verify page in Chromium: what people drop or paste, in three languages, by keyboard; and as one file, offline."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from archive.site.onefile import one_file
from tests.browser.site import Site
from tests.browser.verifysite import CAMERA, CASES, STATION, UNIT, lay_out, segments

pytestmark = pytest.mark.browser

ONE = CASES / "one-camera"
AXE = Path(__file__).parents[2] / ".cache/npm/node_modules/axe-core/axe.min.js"
FILES, FOLDER = "input[type=file][multiple]:not([accept])", "input[webkitdirectory]"


class Watched:
    """A page, what it complained of and what it asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(f"{request.method} {request.url}"))

    def _hear(self, message: object) -> None:
        text = str(getattr(message, "text", ""))
        if "404" not in text:  # an address that the site does not have is an answer, too
            self.complaints.append(text)

    def choose(self, *files: Path | dict[str, object]) -> list[Locator]:
        """Chooses files; the outcomes, once they are there."""
        self.page.set_input_files(FILES, list(files))  # type: ignore[arg-type]
        return self.outcomes()

    def outcomes(self) -> list[Locator]:
        """The articles of the newest check."""
        expect(self.page.locator(".progress")).to_be_hidden()
        expect(self.page.locator(".outcome").first).to_be_visible()
        return self.page.locator(".outcome").all()

    def status(self) -> Locator:
        return self.page.get_by_role("status")


@pytest.fixture(scope="module")
def served(site: Site) -> Site:
    lay_out(site.folder)
    return site


@pytest.fixture(scope="module")
def viewer(browser: Browser) -> Iterator[BrowserContext]:
    """One for all tests: the page keeps nothing."""
    context = browser.new_context()
    yield context
    assert context.cookies() == []
    context.close()


@pytest.fixture
def page(viewer: BrowserContext) -> Iterator[Page]:
    page = viewer.new_page()
    yield page
    page.close()


@pytest.fixture
def watched(served: Site, page: Page) -> Iterator[Watched]:
    """The page on the site, in English."""
    one = Watched(page)
    page.goto(f"{served.origin}/en/verify.html")
    expect(page.locator(".give")).to_be_visible()
    yield one
    assert one.complaints == []


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that speaks English and has no network."""
    context = browser.new_context(offline=True, locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def alone(reader: BrowserContext, tmp_path: Path) -> Iterator[Watched]:
    """The one file, opened from disk."""
    path = tmp_path / "unbroken-verifier.html"
    path.write_bytes(one_file().data)
    one = Watched(reader.new_page())
    one.page.goto(path.as_uri())
    expect(one.page.locator(".give")).to_be_visible()
    yield one
    one.page.close()
    assert one.complaints == []
    assert [request for request in one.requests if not request.startswith("GET blob:")] == [f"GET {path.as_uri()}"]


def changed(tmp_path: Path, data: bytes, name: str = "changed.m4s") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_a_genuine_segment_names_station_unit_camera_and_time(watched: Watched) -> None:
    (outcome,) = watched.choose(segments("one-camera")[0])
    expect(outcome).to_have_class("outcome genuine")
    for text in ("Genuine: 000000.m4s", STATION, UNIT, CAMERA, "Recording of the election"):
        expect(outcome).to_contain_text(text)
    expect(outcome).to_contain_text("2027-06-06 08:00:01 (Asia/Baku) = 2027-06-06 04:00:01 UTC ± 0.005 s")
    there = outcome.get_by_role("link", name="See this moment on the site")
    expect(there).to_have_attribute("href", f"/en/stations/{STATION}?t=2027-06-06T04:00:01.000Z")


def test_what_was_dropped_is_sent_nowhere_and_only_this_site_is_asked(watched: Watched, served: Site) -> None:
    watched.choose(segments("one-camera")[1])
    asked = [request.removeprefix(f"GET {served.origin}") for request in watched.requests]
    assert all(address.startswith(("/", "GET data:")) for address in asked), asked
    heads = {address.split("/")[1] for address in asked if address.startswith("/")}
    assert heads <= {"en", "static", "trust.pem", "revoked.pem", "hls", "ledger"}
    assert f"/ledger/{STATION}/{UNIT}/0.jws" not in asked


@pytest.mark.parametrize("where", ["pictures", "end"])
def test_an_altered_segment_says_so_with_the_digest_that_was_signed(
    where: str, watched: Watched, tmp_path: Path
) -> None:
    data = bytearray(segments("one-camera")[0].read_bytes())
    data[-1 if where == "end" else -20] ^= 1
    (outcome,) = watched.choose(changed(tmp_path, bytes(data)))
    expect(outcome).to_have_class("outcome altered")
    expect(outcome).to_contain_text("media-changed")
    expect(outcome).to_contain_text("f6458a68833d129ea63a4403e71e9d3e66df4144264b915f13453a7a4df7c8c2")


def test_a_cut_segment_says_how_much_was_signed(watched: Watched, tmp_path: Path) -> None:
    data = segments("one-camera")[0].read_bytes()
    (outcome,) = watched.choose(changed(tmp_path, data[:1600]))
    expect(outcome).to_have_class("outcome altered")
    expect(outcome).to_contain_text("The file has 1600 bytes; 1875 were signed.")


def test_a_segment_of_a_unit_that_the_archive_does_not_know_is_unknown(watched: Watched) -> None:
    (outcome,) = watched.choose(next(path for path in segments("two-stations") if "57-003" in str(path)))
    expect(outcome).to_have_class("outcome unknown")
    expect(outcome).to_contain_text("no ledger of such a unit")
    expect(outcome).to_contain_text("station 57-003")


def test_a_segment_that_the_ledger_does_not_name_is_unknown(watched: Watched, tmp_path: Path) -> None:
    data = segments("one-camera")[0].read_bytes().replace(b'"run":0', b'"run":7', 1)
    (outcome,) = watched.choose(changed(tmp_path, data))
    expect(outcome).to_have_class("outcome unknown")
    expect(outcome).to_contain_text("does not name it")


@pytest.mark.parametrize("name", ["film.mp4", "notes.txt", "empty.m4s"])
def test_a_foreign_file_is_unknown(name: str, watched: Watched, tmp_path: Path) -> None:
    data = {"film.mp4": b"\0\0\0\x18ftypisom" + bytes(4000), "notes.txt": b"not a film", "empty.m4s": b""}[name]
    (outcome,) = watched.choose(changed(tmp_path, data, name))
    expect(outcome).to_have_class("outcome unknown")
    expect(outcome).to_contain_text(name)


def test_a_file_name_is_never_markup(watched: Watched) -> None:
    name = "<img src=x onerror=alert(1)>.m4s"
    data = segments("one-camera")[0].read_bytes()
    outcomes = watched.choose({"name": name, "mimeType": "video/mp4", "buffer": data})
    expect(outcomes[0]).to_contain_text(name)
    assert watched.page.locator("img").count() == 0


def test_a_test_recording_is_told_in_clear_words(watched: Watched) -> None:
    case = CASES / "test"
    outcomes = watched.choose(segments("test")[0], case / "ledger.jws", case / "root.pem")
    expect(outcomes[0]).to_have_class("outcome genuine")
    for outcome in outcomes:
        expect(outcome.locator(".loud")).to_have_text("TEST: this is not a recording of an election")


@pytest.mark.parametrize(
    ("case", "classes", "says"),
    [
        ("one-camera", "outcome verified", "the recorder was starting"),
        ("media-missing", "outcome findings", "A segment that the record names is not here."),
        ("media-byte-changed", "outcome findings", "media-changed"),
        ("gap-in-a-boot", "outcome verified", "no picture from the camera"),
    ],
)
def test_a_folder_is_a_record_with_its_gaps_and_findings(case: str, classes: str, says: str, watched: Watched) -> None:
    watched.page.set_input_files(FOLDER, CASES / case)
    (outcome,) = watched.outcomes()
    expect(outcome).to_have_class(classes)
    expect(outcome).to_contain_text(says)


def test_two_units_of_a_folder_are_two_records(watched: Watched) -> None:
    watched.page.set_input_files(FOLDER, CASES / "two-stations")
    assert [outcome.locator("h3").inner_text() for outcome in watched.outcomes()] == [
        "✓ Genuine: 57-002 u-0001",
        "✓ Genuine: 57-003 u-0002",
    ]


@pytest.mark.parametrize(
    ("case", "classes", "says"),
    [
        ("clip", "outcome verified", "clip: lines"),
        ("clip-trimmed", "outcome verified", "part-only"),
        ("clip-segment-changed", "outcome findings", "media-changed"),
        ("clip-segment-removed", "outcome findings", "line-missing"),
        ("clip-of-a-test", "outcome verified", "TEST: this is not a recording of an election"),
        ("clip-with-a-gap", "outcome verified", "the device was overloaded"),
    ],
)
def test_a_clip_proves_itself(case: str, classes: str, says: str, alone: Watched) -> None:
    arguments = json.loads((CASES / case / "case.json").read_text())["arguments"]
    alone.page.set_input_files(FILES, [CASES / case / name for name in arguments["trust"]])
    (outcome,) = alone.choose(*(CASES / case / name for name in arguments["paths"]))
    expect(outcome).to_have_class(classes)
    for text in (STATION, UNIT, CAMERA, says):
        expect(outcome).to_contain_text(text)


def test_files_can_be_dropped(watched: Watched) -> None:
    data = list(segments("one-camera")[2].read_bytes())
    watched.page.evaluate(
        """(data) => {
          const dropped = new DataTransfer();
          dropped.items.add(new File([new Uint8Array(data)], 'dropped.m4s'));
          const drop = new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true });
          document.querySelector('.give').dispatchEvent(drop);
        }""",
        data,
    )
    (outcome,) = watched.outcomes()
    expect(outcome).to_have_class("outcome genuine")


def paste(watched: Watched, link: str) -> None:
    watched.page.get_by_label("Or paste an address").fill(link)
    watched.page.get_by_role("button", name="Check it").click()


def test_the_address_of_a_segment_is_fetched_and_checked(watched: Watched, served: Site) -> None:
    digest = "f6458a68833d129ea63a4403e71e9d3e66df4144264b915f13453a7a4df7c8c2"
    paste(watched, f"{served.origin}/media/f6/{digest}.m4s")
    (outcome,) = watched.outcomes()
    expect(outcome).to_have_class("outcome genuine")


def test_a_link_to_the_page_itself_can_hold_the_address(watched: Watched, served: Site) -> None:
    digest = "f6458a68833d129ea63a4403e71e9d3e66df4144264b915f13453a7a4df7c8c2"
    watched.page.goto("about:blank")
    watched.page.goto(f"{served.origin}/en/verify.html#/media/f6/{digest}.m4s")
    (outcome,) = watched.outcomes()
    expect(outcome).to_have_class("outcome genuine")


def test_a_stations_page_at_a_moment_is_the_segment_of_that_moment(watched: Watched) -> None:
    paste(watched, f"/az/stations/{STATION}?t=2027-06-06T08:00:04%2B04:00")
    (outcome,) = watched.outcomes()
    expect(outcome).to_have_class("outcome genuine")
    expect(outcome).to_contain_text("2027-06-06 04:00:03 UTC")


def test_a_stations_page_without_a_moment_is_all_its_lines(watched: Watched) -> None:
    paste(watched, f"/ru/stations/{STATION}")
    (outcome,) = watched.outcomes()
    expect(outcome).to_have_class("outcome cannot-tell")
    expect(outcome).to_contain_text("media-unchecked")


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ("https://elsewhere.example/media/f6/x.m4s", "of another site"),
        ("/az/how", "no address that can be checked"),
        (f"/ledger/{STATION}/u-9999/0.jws", "There is nothing at this address"),
        (f"/az/stations/{STATION}?t=2027-06-06T12:00:00Z", "There is nothing at this address"),
        ("http://[", "no address that can be checked"),
    ],
)
def test_an_address_that_leads_nowhere_says_so(link: str, says: str, watched: Watched) -> None:
    paste(watched, link)
    expect(watched.status()).to_contain_text(says)
    assert watched.page.locator(".outcome").count() == 0


@pytest.mark.parametrize("answer", ["<html>", "[]", '{"branches": 7}', '{"branches": [null, {"branch": -1}]}'])
def test_nonsense_from_the_site_ends_in_a_sentence(answer: str, watched: Watched, tmp_path: Path) -> None:
    watched.page.route("**/branches.json", lambda route: route.fulfill(body=answer))
    data = bytearray(segments("one-camera")[0].read_bytes())
    data[-1] ^= 1  # no list names it: the ledgers are asked for
    watched.page.set_input_files(FILES, changed(tmp_path, bytes(data)))
    expect(watched.page.locator(".progress")).to_be_hidden()
    if "null" in answer:
        expect(watched.page.locator(".outcome")).to_have_class("outcome unknown")
    else:
        expect(watched.status()).to_contain_text("The site did not answer")


def test_a_root_that_a_person_chose_takes_the_place_of_the_sites(watched: Watched) -> None:
    watched.page.set_input_files(FILES, CASES / "two-roots" / "other-root.pem")
    expect(watched.page.locator(".trust li")).to_have_count(2)
    (outcome,) = watched.choose(segments("one-camera")[0])
    expect(outcome).to_have_class("outcome wrong")
    expect(outcome).to_contain_text("cert-untrusted")
    watched.page.get_by_role("button", name="Remove").click()
    (outcome,) = watched.choose(segments("one-camera")[0])
    expect(outcome).to_have_class("outcome genuine")


def test_a_check_can_be_stopped(watched: Watched) -> None:
    watched.page.route("**/ledger/**", lambda route: None)  # no answer ever comes
    paste(watched, f"/ledger/{STATION}/{UNIT}/0.jws")
    watched.page.get_by_role("button", name="Cancel").click()
    expect(watched.status()).to_have_text("Cancelled. Nothing was changed.")
    expect(watched.page.locator(".progress")).to_be_hidden()
    watched.page.unroute_all()


def test_everything_can_be_done_by_keyboard(watched: Watched) -> None:
    page, keys = watched.page, watched.page.keyboard
    seen = []
    for _ in range(20):
        keys.press("Tab")
        focused = "(e) => e.labels?.[0]?.innerText ?? e.innerText"
        seen.append(page.evaluate(f"({focused})(document.activeElement)"))
        if seen[-1].startswith("Or paste an address"):
            break
    assert [text for text in seen if text][:2] == ["Choose files", "Choose a folder"]
    keys.type(f"/ledger/{STATION}/{UNIT}/0.jws")
    keys.press("Enter")
    watched.outcomes()
    assert page.evaluate("document.activeElement.innerText") == "Result"


def test_a_page_without_cryptography_says_why_it_cannot_check(served: Site, page: Page) -> None:
    page.add_init_script("Object.defineProperty(globalThis, 'crypto', { value: {} })")
    page.goto(f"{served.origin}/en/verify.html")
    page.set_input_files(FILES, segments("one-camera")[0])
    expect(page.get_by_role("status")).to_contain_text("only over a secure connection")


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("az", ["Əsl yazıdır", "Seçki məntəqəsi", "Qurğu", "Seçkinin yazısı", "Fasilələr", "yazı qurğusu işə düşürdü"]),
        (
            "en",
            ["Genuine", "Polling station", "Unit", "Recording of the election", "Gaps", "the recorder was starting"],
        ),
        (
            "ru",
            ["Подлинная запись", "Избирательный участок", "Устройство", "Запись выборов", "Пропуски", "запускалось"],
        ),
    ],
)
def test_the_page_speaks_three_languages(lang: str, words: list[str], served: Site, page: Page) -> None:
    one = Watched(page)
    page.goto(f"{served.origin}/{lang}/verify.html")
    page.set_input_files(FOLDER, ONE)
    (outcome,) = one.outcomes()
    for word in words:
        expect(outcome).to_contain_text(word)
    assert one.complaints == []


def test_the_one_file_checks_a_segment_with_its_ledger_and_root_offline(alone: Watched) -> None:
    outcomes = alone.choose(segments("one-camera")[0], ONE / "ledger.jws", ONE / "root.pem")
    expect(outcomes[0]).to_have_class("outcome genuine")
    root = x509.load_pem_x509_certificate((ONE / "root.pem").read_bytes())
    print_ = root.fingerprint(SHA256()).hex(":").upper()
    expect(alone.page.locator(".trust li")).to_contain_text(print_)
    expect(alone.page.locator(".results")).to_contain_text(print_)


def test_the_one_file_without_a_ledger_says_what_it_needs(alone: Watched) -> None:
    (outcome,) = alone.choose(segments("one-camera")[0])
    expect(outcome).to_have_class("outcome unknown")
    expect(outcome).to_contain_text("Choose the ledger (ledger.jws), too.")


def test_the_one_file_without_a_root_cannot_tell(alone: Watched) -> None:
    segment, record = alone.choose(segments("one-camera")[0], ONE / "ledger.jws")
    expect(segment).to_have_class("outcome unknown")
    expect(segment).to_contain_text("nobody vouches for the keys")
    expect(record).to_have_class("outcome cannot-tell")


def test_a_root_can_be_pasted_and_taken_away(alone: Watched) -> None:
    page = alone.page
    page.get_by_label("Or paste its text").fill("not a certificate")
    page.get_by_role("button", name="Trust it").click()
    expect(alone.status()).to_contain_text("neither a certificate nor")
    page.get_by_label("Or paste its text").fill((ONE / "root.pem").read_text())
    page.get_by_role("button", name="Trust it").click()
    page.set_input_files(FOLDER, ONE)
    (outcome,) = alone.outcomes()
    expect(outcome).to_have_class("outcome verified")
    page.get_by_role("button", name="Remove").click()
    page.set_input_files(FOLDER, ONE)
    (outcome,) = alone.outcomes()
    expect(outcome).to_have_class("outcome cannot-tell")


def test_a_root_that_lies_in_a_folder_is_not_trusted_for_that(alone: Watched) -> None:
    alone.page.set_input_files(FOLDER, ONE)
    (outcome,) = alone.outcomes()
    expect(outcome).to_contain_text("no-trust")
    expect(alone.page.locator(".trust li")).to_have_count(0)


def test_a_record_by_another_root_does_not_check(alone: Watched, tmp_path: Path) -> None:
    case = CASES / "certificate-of-an-impostor"
    alone.page.set_input_files(FILES, case / "root.pem")
    alone.page.set_input_files(FOLDER, case)
    (outcome,) = alone.outcomes()
    expect(outcome).to_have_class("outcome findings")
    expect(outcome).to_contain_text("cert-untrusted")


def test_the_one_file_changes_its_language_and_keeps_its_result(alone: Watched) -> None:
    alone.choose(segments("one-camera")[0], ONE / "ledger.jws", ONE / "root.pem")
    for lang, title, word in (("az", "Yazını yoxla", "Əsl yazıdır"), ("ru", "Проверка записи", "Подлинная запись")):
        alone.page.locator(f"button[lang={lang}]").click()
        expect(alone.page).to_have_title(title)
        assert alone.page.evaluate("document.documentElement.lang") == lang
        expect(alone.page.locator(".outcome").first).to_contain_text(word)


@pytest.mark.parametrize(("lang", "scheme"), [("az", "light"), ("en", "dark"), ("ru", "light")])
def test_axe_finds_nothing_serious_in_the_one_file(lang: str, scheme: Literal["light", "dark"], alone: Watched) -> None:
    page = alone.page
    page.emulate_media(color_scheme=scheme)
    page.locator(f"button[lang={lang}]").click()
    alone.choose(segments("one-camera")[0], ONE / "ledger.jws", ONE / "root.pem")
    page.evaluate(AXE.read_text("utf-8"))  # by the debugger, whom the page's policy does not bind
    found = page.evaluate("axe.run().then(({ violations }) => violations)")
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"]) for each in serious] == []


def test_on_a_phone_nothing_is_wider_than_the_page(alone: Watched) -> None:
    alone.page.set_viewport_size({"width": 360, "height": 700})
    alone.choose(segments("one-camera")[0], ONE / "ledger.jws", ONE / "root.pem")
    assert alone.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_file_that_is_too_long_for_memory_is_read_in_parts(alone: Watched, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with path.open("wb") as file:
        file.truncate(3 << 30)
    (outcome,) = alone.choose(path)
    expect(outcome).to_have_class("outcome unknown")


def test_a_folder_like_an_archives_finds_media_by_their_digests(alone: Watched, tmp_path: Path) -> None:
    case = CASES / "archive-copy"
    arguments = json.loads((case / "case.json").read_text())["arguments"]
    shutil.copytree(case / arguments["paths"][0], tmp_path / "copy")
    alone.page.set_input_files(FILES, [case / name for name in arguments["trust"]])
    alone.page.set_input_files(FOLDER, tmp_path / "copy")
    (outcome,) = alone.outcomes()
    expect(outcome).to_have_class("outcome verified")
