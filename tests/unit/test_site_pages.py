"""Every page in every language: complete, valid, escaped, and with nothing from elsewhere."""

import csv
import io
import itertools
import json
import re
from dataclasses import replace

import pytest

from archive.roster import LANGUAGES
from archive.site.pages import lists, opendata, station, texts
from archive.site.pages.clip import clip
from archive.site.pages.dayline import MOST_ROWS, picture_of
from archive.site.pages.known import accounts_kept
from archive.site.pages.page import Asked, NotHere, NotUnderstood
from archive.site.pages.serving import View
from archive.site.pages.terms import STATE_MEANINGS, STATES
from archive.site.pages.told import address_of
from tests.fakes.facts import INCIDENTS, NOON_US, RECORD, FakeFacts, fake_site, moment
from tests.fakes.markup import Page, read_page

SITE = fake_site()
PAGES: dict[str, tuple[View, str, dict[str, str], dict[str, str]]] = {
    "home": (lists.home, "/", {}, {}),
    "stations": (lists.stations, "/stations", {}, {}),
    "one state": (lists.stations, "/stations", {}, {"state": "live", "page": "7"}),
    "constituency": (lists.constituency, "/constituencies/57", {"constituency": "57"}, {}),
    "station": (station.station, "/stations/57-002", {"station": "57-002"}, {}),
    "exempt station": (station.station, "/stations/57-003", {"station": "57-003"}, {}),
    "unlisted station": (station.station, "/stations/9-999", {"station": "9-999"}, {}),
    "search": (lists.search, "/search", {}, {"q": '57 <b>"&'}),
    "nothing searched": (lists.search, "/search", {}, {}),
    "gaps": (lists.gaps, "/gaps", {}, {}),
    "gaps of one station": (lists.gaps, "/gaps", {}, {"station": "57-002"}),
    **{
        f"incident {place}": (
            station.incident,
            f"/gaps/{address_of(each)}",
            dict(zip(("station", "unit", "branch", "seq"), address_of(each).split("/"), strict=True)),
            {},
        )
        for place, each in enumerate(INCIDENTS)
        if each.name
    },
    "mosaic": (texts.mosaic, "/mosaic", {}, {}),
    "verify": (texts.verify, "/verify", {}, {}),
    "how": (texts.how, "/how", {}, {}),
    "data": (texts.data, "/data", {}, {}),
    "status": (texts.status, "/status", {}, {}),
}


def _body(name: str, language: str) -> str:
    view, path, parts, query = PAGES[name]
    return view(SITE, Asked(language=language, path=path, parts=parts, query=query)).body.decode()


def _page(name: str, language: str) -> Page:
    return read_page(_body(name, language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_says_its_language_and_its_address(name: str, language: str) -> None:
    page = _page(name, language)
    assert page.faults == []
    assert page.all("html")[0].attributes["lang"] == language
    assert len(page.all("h1")) == 1
    assert page.all("h1")[0].text.strip()
    assert page.all("title")[0].text.strip()
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    path = PAGES[name][1]
    (canonical,) = [link for link in page.all("link") if link.attributes["rel"] == "canonical"]
    assert canonical.attributes["href"].split("?")[0] == f"/{language}{path}"
    others = {
        link.attributes["hreflang"]: link.attributes["href"]
        for link in page.all("link")
        if link.attributes["rel"] == "alternate" and "hreflang" in link.attributes
    }
    assert set(others) == {*LANGUAGES, "x-default"}
    assert all(others[each].startswith(f"/{each}{path}") for each in LANGUAGES)
    assert page.all("main")[0].attributes["id"] == "main"
    assert "skip" in page.all("a")[0].attributes["class"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_and_styles_nothing_inline_and_asks_no_other_host(name: str, language: str) -> None:
    page = _page(name, language)
    assert not page.all("style")
    assert not page.all("iframe")
    for element in page.elements:
        assert "style" not in element.attributes, element
        assert not any(attribute.startswith("on") for attribute in element.attributes), element
        if element.tag == "script":
            data = element.attributes.get("type") == "application/json"
            assert data or element.attributes["src"].startswith("/static/01234567/")
            assert "<" not in element.text
        for attribute in ("href", "src", "action"):
            value = element.attributes.get(attribute, "/")
            assert value.startswith(("/", "#", "?")), element
            assert not value.startswith("//"), element


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_tables_have_captions_and_scopes_and_headings_are_in_order(name: str, language: str) -> None:
    page = _page(name, language)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(caption.text.strip() for caption in page.all("caption"))
    assert all(cell.attributes.get("scope") in ("col", "row") for cell in page.all("th"))
    level = 1
    for element in page.elements:
        if re.fullmatch("h[1-6]", element.tag):
            assert int(element.tag[1]) <= level + 1, element
            level = int(element.tag[1])
    inputs = [
        each for each in page.elements if each.tag in ("input", "select") and each.attributes.get("type") != "hidden"
    ]
    labels = {label.attributes["for"] for label in page.all("label")}
    assert {each.attributes["id"] for each in inputs} == labels
    assert all(nav.attributes.get("aria-label") for nav in page.all("nav"))
    assert all(link.text.strip() for link in page.all("a") if "svg" not in link.parents)


@pytest.mark.parametrize("name", PAGES)
def test_no_text_of_a_page_stays_in_another_language(name: str) -> None:
    texts_of = {
        language: {
            element.text.strip()
            for element in _page(name, language).elements
            if element.tag in ("h1", "h2", "h3", "p", "dt", "caption", "button", "label", "legend", "summary")
            and len(re.findall(r"[^\W\d_]{3,}", element.text)) > 2
            and not element.text.strip().startswith(("unbroken", "SHA-256"))
        }
        for language in LANGUAGES
    }
    for one, other in (("az", "en"), ("az", "ru"), ("en", "ru")):
        same = {text for text in texts_of[one] & texts_of[other] if "Məktəb" not in text and "Azərbaycanca" not in text}
        assert same == set()


def test_what_people_and_units_write_is_shown_and_not_run() -> None:
    body = _body("station", "az")
    assert "Məktəb &lt;b&gt;5&lt;/b&gt;" in body
    assert "Məktəb <b>" not in body
    incident = _body("incident 0", "en")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in incident
    assert "<script>alert" not in incident
    assert 'value="57 &lt;b&gt;&#34;&amp;"' in _body("search", "ru")


def test_the_station_page_has_what_the_player_wants() -> None:
    page = _page("station", "ru")
    (player,) = [element for element in page.all("div") if element.attributes.get("class") == "player"]
    assert player.attributes["data-station"] == "57-002"
    assert player.attributes["data-cameras"] == "u1/cam1 u1/cam2"
    assert player.attributes["data-zone"] == "Asia/Baku"
    assert player.attributes["data-lang"] == "ru"
    (words,) = [each for each in page.all("script") if each.attributes.get("id") == "player-words"]
    spoken = json.loads(words.text)
    assert spoken["state-live"] == "Прямой эфир"
    assert spoken["cause-power"] == "отключение электричества"
    pictures = [each for each in page.all("div") if "data-dayline" in each.attributes]
    assert [each.attributes["class"] for each in pictures] == ["wide", "narrow"]
    left, right, first_us, last_us = json.loads(pictures[0].attributes["data-places"])[0]
    assert 0 <= left < right <= 880
    assert (first_us, last_us) == (NOON_US, NOON_US + 3_600_000_000)


def test_pieces_of_the_day_lead_to_their_time_in_the_zone_or_in_their_boot() -> None:
    links = [link.attributes["href"] for link in _page("station", "az").all("a")]
    assert "?t=2027-02-07T12:20:00%2B04:00" in links
    assert f"?t={'cd' * 16}%2B120" in links


def test_the_day_is_told_in_words_too_with_its_cause_and_its_permanent_address() -> None:
    body = _body("station", "en")
    assert "Gap: nothing was recorded: no power" in body
    assert "2027-02-07 12:20:00.0 – 12:30:00.0" in body
    assert "UTC 2027-02-07 08:20:00.0 – 08:30:00.0, ± 5 ms" in body
    assert 'href="/en/gaps/57-002/u1/0/500"' in body
    assert "at least 30 min" in body
    assert "A part of this recording is a TEST" in body


def test_a_day_in_a_thousand_pieces_is_drawn_without_a_link_for_each() -> None:
    spans = [
        replace(RECORD.cameras[0].spans[0], start=moment(place), end=moment(place + 0.5), state=state)
        for place in range(700)
        for state in ("segment", "missing")
    ]
    camera = replace(RECORD.cameras[0], spans=tuple(spans), gaps=())
    picture = picture_of(replace(RECORD, cameras=(camera,)), SITE.layout.times["en"], "u0", "#proof")
    assert picture is not None
    assert "?t=" not in picture.wide
    assert (len(picture.rows), picture.rows_in_all) == (MOST_ROWS, len(spans) + 699)
    assert len(picture.wide) < 250_000


def test_hours_are_listed_by_utc_and_by_boot() -> None:
    links = [link.attributes["href"] for link in _page("station", "en").all("a")]
    assert "/hls/57-002/u1/cam1/2027-02-07T08Z.m3u8" in links
    assert f"/hls/57-002/u1/cam2/{'cd' * 16}+00.m3u8" in links
    assert "/hls/57-002/u1/cam2/2027-02-07T09Z.m3u8" not in links
    assert [link for link in links if "live.m3u8" in link] == ["/hls/57-002/u1/cam1/live.m3u8"], "cam2 has none"


def test_stations_without_video_have_no_player_and_say_why() -> None:
    exempt = _body("exempt station", "en")
    assert 'class="player"' not in exempt
    assert "Law" in exempt
    assert 'class="player"' not in _body("unlisted station", "en")


def test_a_search_finds_and_a_station_in_no_list_is_found_by_its_name() -> None:
    def found(typed: str) -> str:
        return lists.search(SITE, Asked(language="en", path="/search", query={"q": typed})).body.decode()

    assert "/en/stations/57-002" in found("57/2")
    assert "/en/stations/9-999" in found("9-999")
    assert "Nothing was found" in found("zzz")


@pytest.mark.parametrize(
    ("view", "parts", "query"),
    [
        (station.station, {"station": "1-001"}, {}),
        (lists.constituency, {"constituency": "1"}, {}),
        (lists.stations, {}, {"state": "fraud"}),
        (lists.gaps, {}, {"station": "1-001"}),
        (station.incident, {"station": "57-002", "unit": "u1", "branch": "0", "seq": "1"}, {}),
        (opendata.station_json, {"station": "1-001"}, {}),
        (clip, {}, {"station": "1-001", "camera": "u1/cam1"}),
        (clip, {}, {"station": "57-002", "camera": "../cam1"}),
    ],
)
def test_what_is_not_there_is_said_so(view: View, parts: dict[str, str], query: dict[str, str]) -> None:
    with pytest.raises(NotHere):
        view(SITE, Asked(language="en", parts=parts, query=query))


def _clip(begin: str, end: str) -> str:
    query = {"station": "57-002", "camera": "u1/cam1", "from": begin, "to": end}
    return clip(SITE, Asked(language="en", query=query)).headers["Location"]


def test_the_form_for_a_clip_leads_to_its_address_in_utc() -> None:
    address = _clip("2027-02-07T12:07", "2027-02-07T12:07:30")
    assert address == "/clip/57-002/u1/cam1/20270207T080700Z-20270207T080730Z.mp4"


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("", "2027-02-07T12:07:30"),
        ("2027-02-07T12:07:30", "2027-02-07T12:07:30"),
        ("2027-02-07T12:07:30", "2027-02-07T14:07:31"),
        ("2027-02-30T12:07:30", "2027-02-30T12:08:30"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:01"),
    ],
)
def test_times_that_make_no_clip_are_refused(begin: str, end: str) -> None:
    with pytest.raises(NotUnderstood):
        _clip(begin, end)


def _open(view: View, **parts: str) -> bytes:
    return view(SITE, Asked(language="en", parts=parts)).body


def test_open_data_tell_each_station_once_and_the_numbers_add_up() -> None:
    rows = list(csv.DictReader(io.StringIO(_open(opendata.stations_csv).decode("utf-8-sig"))))
    assert [(row["station"], row["state"]) for row in rows] == [
        ("57-002", "live"),
        ("57-003", "exempt"),
        ("57-004", "not-covered"),
        ("118-001", "never-seen"),
        ("9-999", "silent"),
    ]
    told = json.loads(_open(opendata.stations_json))["stations"]
    assert [each["state"] for each in told] == [row["state"] for row in rows]
    status = json.loads(_open(opendata.status_json))
    assert status["stations"] == sum(status["states"].values()) == len(rows)
    assert status["stations"] == status["expected"] + status["exempt"] + status["not_covered"] + status["unlisted"]
    assert status["expected"] == status["recorded"] + status["missing"]


def test_the_player_reads_spans_with_dates_and_causes() -> None:
    told = json.loads(_open(opendata.station_json, station="57-002"))
    first, second = told["cameras"]
    assert (told["station"], first["unit"], second["camera"]) == ("57-002", "u1", "cam2")
    assert [(span["state"], span["cause"], span["boot"]) for span in first["spans"]] == [
        ("segment", None, None),
        ("gap", "power", None),
        ("missing", None, None),
        ("segment", None, None),
        ("segment", None, "cd" * 16),
    ]
    assert first["spans"][1]["from"] == "2027-02-07T08:20:00.000Z"
    assert first["spans"][4]["from"] == "1970-01-01T00:02:00.000Z"


def test_a_day_that_came_thinned_is_told_span_by_span_until_there_are_too_many() -> None:
    def told(count: int) -> list[tuple[str, bool]]:
        spans = tuple(
            replace(RECORD.cameras[0].spans[0], start=moment(place / 10), end=moment((place + 1) / 10), state=state)
            for place, state in zip(range(count), itertools.cycle(("segment", "missing")))
        )
        record = replace(RECORD, cameras=(replace(RECORD.cameras[0], spans=spans, gaps=()),))
        facts = FakeFacts(SITE.roster)
        facts.records = lambda station: [(0, record)]  # type: ignore[method-assign]
        answer = opendata.station_json(replace(SITE, facts=facts), Asked(language="en", parts={"station": "57-002"}))
        return [(span["state"], span["thinned"]) for span in json.loads(answer.body)["cameras"][0]["spans"]]

    assert told(1_999) == [("segment", False), ("missing", False)] * 999 + [("segment", False)]
    assert told(2_001) == [("segment", True)]


def test_gaps_as_csv_hold_no_text_that_a_unit_wrote_freely() -> None:
    text = _open(opendata.gaps_csv).decode("utf-8-sig")
    assert "script" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["kind"], row["what"], row["least_ms"], row["most_ms"], row["ongoing"]) for row in rows] == [
        ("gap", "power", "600000", "", "yes"),
        ("event", "opened", "", "", "no"),
        ("finding", "hole", "", "", "no"),
        ("finding", "cert-untrusted", "", "", "no"),
    ]
    assert "192.0.2.7" not in text
    told = json.loads(_open(opendata.gaps_json))
    assert told["count"] == 4
    assert told["incidents"][3]["facts"] == {}, "an address of who knocked is not for the public"
    assert told["incidents"][2]["address"] == "/az/gaps/118-001/u9/finding/3"
    assert told["incidents"][0]["facts"] == {"by": "<script>alert(1)</script>"}


def test_a_list_that_is_long_is_told_in_pages() -> None:
    facts = FakeFacts(SITE.roster)
    (one, *_rest) = facts.stations()
    facts.stations = lambda: [one] * 401  # type: ignore[method-assign]
    site = replace(SITE, facts=facts)
    page = read_page(lists.stations(site, Asked(language="en", path="/stations", query={"page": "3"})).body.decode())
    assert len(page.all("tr")) == 2
    links = [link.attributes["href"] for link in page.all("a") if link.attributes.get("rel") in ("prev", "next")]
    assert links == ["/en/stations?page=2"]


def test_every_state_has_a_word_a_sign_and_a_meaning() -> None:
    assert set(STATES) == set(STATE_MEANINGS)
    assert all(word and sign for word, sign in STATES.values())


def test_a_time_before_midnight_in_utc_is_the_next_day_in_the_zone() -> None:
    times = SITE.layout.times["en"]
    utc_us = NOON_US + 13 * 3_600_000_000
    assert (times.local(utc_us), times.utc(utc_us)) == ("2027-02-08 01:00:00", "21:00:00 UTC")
    assert times.link(moment(0)) == "2027-02-07T12:00:00%2B04:00"
    assert times.bounds((500, 90_061_000)) == "500 ms to 1 d 1 h 1 min 1 s"
    assert SITE.layout.times["ru"].bounds((500, 61_000)) == "от 500 мс до 1 мин 1 с"
    assert SITE.layout.times["az"].bounds((3_600_000, None)) == "ən azı 1 saat"


def test_accounts_are_kept_as_memory_allows() -> None:
    assert [accounts_kept(gib << 30) for gib in (0, 1, 16, 10_000)] == [64, 64, 682, 2_000]
