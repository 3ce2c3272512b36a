"""The site over a real archive: a day with a gap and a reboot, and every link of every page."""

import itertools
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from archive.roster import LANGUAGES
from archive.site.pages.known import Known
from archive.site.parts import open_site_parts
from evidence.base64url import decode
from evidence.lines import Gap, read_payload
from evidence.words import Cause
from tests.browser.scripted import ScriptedSite, scripted
from tests.fakes.archive_unit import media_of
from tests.fakes.markup import Page, read_page
from tests.fakes.station import Station

MOST_LINKS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A site on which 57-002 has recorded, and the station itself."""

    site: ScriptedSite
    station: Station

    def page(self, path: str) -> Page:
        reply = self.site.get(path)
        assert reply.status == 200, (path, reply.status)
        return read_page(reply.body.decode())


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with scripted(tmp_path_factory.mktemp("day"), ["57-002", "57-003"]) as site:
        station = site.station()
        station.begin()
        station.arm()
        station.event("opened")
        station.segments(5)
        station.gap(seconds=10, cause=Cause.CAMERA)
        station.gap(seconds=10, cause=Cause.CAMERA)
        station.run()
        station.segments(5)
        ended = station.reboot(off_seconds=60)
        station.start("power", evidence={"boot_changed": 1})
        station.gap(to_ns=station.boot_ns, cause=Cause.POWER, from_boot=ended)
        station.run()
        station.segments(5)
        # The newest two segments are still at the station.
        site.deliver(station, list(media_of(station))[:-2])
        yield Day(site=site, station=station)


def test_every_page_says_the_same_numbers(day: Day) -> None:
    status = day.site.told("/open/status.json")
    assert (status["stations"], status["expected"], status["exempt"], status["not_covered"]) == (4, 2, 1, 1)
    assert (status["recorded"], status["missing"]) == (1, 1)
    for language in LANGUAGES:
        numbers = [int(each.text) for each in day.page(f"/{language}/").all("dd")]
        names = ("expected", "recorded", "live", "missing", "exempt", "not_covered")
        assert numbers == [status[name] for name in names]
        listed = day.page(f"/{language}/stations?state=missing")
        assert [each.text.strip() for each in listed.all("th") if each.attributes["scope"] == "row"] == ["57-003"]


def test_the_station_page_tells_the_day_that_the_station_signed(day: Day) -> None:
    told = day.site.told("/open/stations/57-002.json")
    (camera,) = told["cameras"]
    assert [span["state"] for span in camera["spans"]] == [
        "gap",
        "segment",
        "gap",
        "segment",
        "gap",
        "segment",
        "missing",
    ]
    causes = [gap["cause"] for gap in camera["gaps"]]
    assert causes == ["starting", "camera", "power"]
    assert camera["gaps"][1]["duration_ms"] == [20_000, 20_000], "pieces of one gap are one gap"
    (unit,) = told["units"]
    assert unit["head"]["seq"] == len(day.station.lines) - 1
    assert [event["event"] for event in unit["events"]] == ["armed", "opened"]
    page = day.page("/en/stations/57-002")
    text = page.all("main")[0].text
    assert "Gap: nothing was recorded: the camera gave no picture" in text
    assert "Known, on its way" in text
    assert unit["head"]["sha256"] in text


def test_a_gap_has_a_page_for_good_which_leads_to_the_line_that_tells_it(day: Day) -> None:
    (gap,) = [each for each in day.site.told("/open/gaps.json")["incidents"] if each["what"] == "camera"]
    first = next(
        seq
        for seq, line in enumerate(day.station.lines)
        if isinstance(body := read_payload(_payload(line)).body, Gap) and body.cause is Cause.CAMERA
    )
    assert gap["address"] == f"/az/gaps/57-002/u1/0/{first}"
    links = [each.attributes["href"] for each in day.page(gap["address"]).all("a")]
    (line,) = [link for link in links if link.startswith("/ledger/")]
    assert day.site.get(line).body == day.station.lines[first] + b"\n"
    (there,) = [link for link in links if "?t=" in link]
    assert re.fullmatch(r"/az/stations/57-002\?t=2026-[-0-9]+T[:0-9]+%2B04:00", there), there
    assert day.site.get(there).status == 200


def test_every_link_of_every_page_leads_somewhere_on_this_site(day: Day) -> None:
    waiting, seen, wrong = [f"/{language}/" for language in LANGUAGES], set[str](), list[str]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        reply = day.site.get(path)
        if reply.status != 200:
            wrong.append(f"{reply.status} {path}")
        if not reply.headers.get("Content-Type", "").startswith("text/html") or path.startswith("/verifier/"):
            continue
        page = read_page(reply.body.decode())
        assert page.faults == [], path
        for element in page.elements:
            for name in ("href", "src"):
                target = element.attributes.get(name)
                if target is None or element.attributes.get("rel") == "canonical":
                    continue
                to = urlsplit(urljoin(path, target))
                assert not to.netloc, f"{path} leads to {to.netloc}"
                # What the player reads makes no other page.
                waiting.append(to.path if to.query.startswith("t=") else to._replace(fragment="").geturl())
    assert wrong == []
    assert 60 < len(seen) < MOST_LINKS, len(seen)
    kinds = {path.split("/")[1] for path in seen}
    assert {"open", "static", "hls", "ledger", "receipts", "bulk", "trust.pem", "verifier", *LANGUAGES} <= kinds


def test_the_form_for_a_clip_leads_to_a_clip_with_its_proof(day: Day) -> None:
    page = day.page("/ru/stations/57-002")
    values = {each.attributes["name"]: each.attributes.get("value", "") for each in page.all("input")}
    query = "&".join(f"{name}={values[name]}" for name in ("station", "from", "to"))
    reply = day.site.get(f"/ru/clip?{query}&camera=u1/cam-0")
    assert reply.status == 303
    clip = day.site.get(reply.headers["Location"])
    assert clip.status == 200
    assert clip.body[4:8] == b"ftyp"


def test_the_site_of_a_day_without_any_unit_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    with scripted(tmp_path_factory.mktemp("empty"), ["57-002"]) as site:
        status = json.loads(site.get("/open/status.json").body)
        assert (status["expected"], status["missing"], status["states"]["never-seen"]) == (1, 1, 1)
        for path in ("/az/", "/ru/gaps", "/en/stations", "/en/stations/57-002", "/az/status"):
            reply = site.get(path)
            assert (reply.status, read_page(reply.body.decode()).faults) == (200, [])


def test_an_index_that_was_brought_back_from_an_older_copy_is_followed_from_its_beginning(tmp_path: Path) -> None:
    with scripted(tmp_path, ["57-002"]) as site:
        station = site.station()
        station.begin()
        station.arm()
        site.deliver(station)
        index = Path(site.archive.config.database.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(":memory:")) as copy:
            with closing(sqlite3.connect(index)) as now:
                now.backup(copy)
            for _ in range(20):
                station.segments(1)
                site.deliver(station)
            seconds = itertools.count(step=10)
            with open_site_parts(site.archive.config, site.archive.clock) as parts:
                known = Known(parts, lambda: next(seconds))
                assert [record.lines for _, record in known.records("57-002")] == [len(station.lines)]
                site.archive.stop()
                with closing(sqlite3.connect(index)) as now:
                    copy.backup(now)
                site.archive.start()
                station.event("opened")
                assert site.archive.uplink().lines(station.lines[-1:]).status == 200
                assert [record.lines for _, record in known.records("57-002")] == [len(station.lines)]
                incidents, count = known.incidents(None, 0, 10)
                assert [each.what for each in incidents] == ["opened", "armed", "starting"]
                assert (count, known.totals().recorded) == (3, 1)


def _payload(line: bytes) -> bytes:
    return decode(line.split(b".")[1])
