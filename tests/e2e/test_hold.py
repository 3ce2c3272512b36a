"""The blind hour: what is recorded from 20:00 to 21:00 is signed and delivered, and no address shows it until then."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest

from archive.publish.publications import Publications
from archive.publish.publish import open_publisher
from base.errors import OperatorError
from evidence.lines import line_hash
from evidence.terms import Hold, Publication, Terms
from evidence.words import Cause
from tests.browser.scripted import ScriptedSite
from tests.fakes.archive_unit import media_of
from tests.fakes.station import SECOND, Station

HOUR_US = 3_600_000_000
EIGHT_US = int(datetime(2027, 2, 7, 20, tzinfo=UTC).timestamp()) * 1_000_000
NINE_US = EIGHT_US + HOUR_US
REASON = {"az": "səsvermə hələ gedir", "en": "voting still goes on elsewhere", "ru": "голосование ещё идёт"}
HOLD = Hold(from_us=EIGHT_US, to_us=NINE_US, until_us=NINE_US, reason=REASON)
BLIND = Terms(publication=Publication(holds=(HOLD,)))
BASE = "/hls/57-002/u1/cam-0"


@dataclass(slots=True)
class Evening:
    """``before`` were recorded before eight, ``held`` may lie in the hour, ``inits`` are of runs wholly in a hold."""

    site: ScriptedSite
    station: Station
    profile: Path
    before: list[str]
    held: list[str]
    inits: set[str]

    def say(self, terms: Terms) -> None:
        """Another profile takes the place of the one before."""
        draft = self.profile.with_suffix(".new")
        members = {"title": "Sample", "mode": "LIVE", "margin_s": 0, "time_zone": "Asia/Baku", "witnesses": 0}
        window = {"from_us": EIGHT_US - 12 * HOUR_US, "to_us": EIGHT_US + 12 * HOUR_US}
        draft.write_text(self.site.archive.by.sign_profile_with(terms, **members, **window))
        draft.replace(self.profile)

    def clock(self, utc_us: int) -> None:
        self.site.archive.clock.set_utc(utc_us)
        self.site.publish()

    def until(self, utc_us: int) -> None:
        """Record without a break, to just past this time."""
        while (self.station.utc_us or 0) + self.station.cameras["cam-0"].end_ns // 1_000 <= utc_us:
            self.station.segment()

    def lists(self) -> dict[str, bytes]:
        """Every form of address that names media."""
        begin, end = "20270207T195900Z", "20270207T210200Z"
        clip = "/clip/57-002/u1/cam-0"
        paths = [f"{BASE}/live.m3u8", *(f"{BASE}/2027-02-07T{hour}Z.m3u8" for hour in (19, 20, 21))]
        paths += [f"/bulk/57-002/u1/{name}" for name in ("manifest.json", "SHA256SUMS", "urls.txt")]
        paths += [f"{clip}/{begin}-{end}.{kind}" for kind in ("json", "mp4", "html")]
        paths += [f"{clip}/20270207T200000Z-20270207T200030Z.{kind}" for kind in ("json", "mp4")]
        paths += ["/open/status.json", "/open/stations.json", "/open/stations/57-002.json", "/open/gaps.json"]
        paths += [f"/{language}/stations/57-002" for language in ("az", "en", "ru")]
        paths += ["/embed/57-002", "/az/press", "/az/press/wall", "/open/hours.json"]
        paths += [f"/still/57-002/u1/cam-0/20270207T2000{second:02d}Z.jpeg" for second in (2, 12)]
        return {path: self.site.get(path).body for path in paths}

    def leaks(self) -> set[tuple[str, str]]:
        """Where a digest of the hour is named, or its media are had."""
        wanted = {*self.held, *self.inits}
        found = {(path, each) for path, body in self.lists().items() for each in wanted if each.encode() in body}
        media = media_of(self.station)
        tail = {each: media[each][-64:] for each in self.held}
        found |= {(path, each) for path, body in self.lists().items() for each in tail if tail[each] in body}
        for each in wanted:
            for suffix in ("m4s", "mp4", "part", "m4s.part", ""):
                for path in (f"/media/{each[:2]}/{each}.{suffix}", f"/media/{each}", f"/media/{each[:2]}/{each}"):
                    if self.site.get(path).status != 404:
                        found.add((path, each))
        return found


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[Evening]:
    site = ScriptedSite(tmp_path, ["57-002"], EIGHT_US - 60_000_000)
    profile = tmp_path / "profile.jws"
    config = site.archive.config
    site.archive.config = replace(config, publish=replace(config.publish, profile=profile))
    evening = Evening(site=site, station=site.station(), profile=profile, before=[], held=[], inits=set())
    evening.say(BLIND)
    site.start()
    try:
        station = evening.station
        station.begin()
        station.arm()
        evening.until(EIGHT_US - 5_000_000)
        evening.before = list(media_of(station))
        station.segments(5)
        station.gap(seconds=5, cause=Cause.CAMERA)
        station.run()
        station.segments(5)
        evening.held = [each for each in media_of(station) if each not in evening.before][2:]
        yield evening
    finally:
        site.stop()


def test_an_hour_that_is_held_back_leaks_by_no_address_and_plays_from_where_it_stopped(evening: Evening) -> None:
    site, station = evening.site, evening.station
    site.deliver(station)
    assert len(evening.held) >= 7
    assert evening.leaks() == set()
    assert site.get(f"/media/{evening.before[0][:2]}/{evening.before[0]}.m4s").status == 200

    # Lines, sizes and gaps are public at once.
    assert line_hash(station.lines[-1]) == line_hash(site.get("/ledger/57-002/u1/0.jws").body.splitlines()[-1])
    assert "camera" in {each["cause"] for each in site.told("/open/stations/57-002.json")["cameras"][0]["gaps"]}

    camera = site.told("/open/stations/57-002.json")["cameras"][0]
    assert "withheld" in {each["state"] for each in camera["spans"]}
    assert camera["missing_ms"] == [sum(each["duration_ms"][0] for each in camera["gaps"])] * 2
    assert camera["held_ms"][0] >= 14_000
    for language, reason in REASON.items():
        page = site.get(f"/{language}/stations/57-002").body.decode()
        assert page.count(reason) >= 2, "over the picture, and in its table"
        assert "day-withheld" in page

    evening.clock(NINE_US - 1)
    assert evening.leaks() == set()

    station.gap(to_ns=(NINE_US - (station.utc_us or 0)) * 1_000 - 4 * SECOND, cause=Cause.CAMERA)
    station.run()
    station.segments(6)
    site.deliver(station)
    for each in media_of(station):
        assert site.get(f"/media/{each[:2]}/{each}.m4s").status == 200, each
    at = [-1]
    until_s = monotonic() + 30
    while -1 in at and monotonic() < until_s:  # lists that may grow are kept for some seconds
        hours = [site.get(f"{BASE}/2027-02-07T{hour}Z.m3u8").body.decode() for hour in (19, 20, 21)]
        at = ["".join(hours).find(each) for each in media_of(station)]
    assert -1 not in at
    assert at == sorted(at), "in order, each once"
    live = site.get(f"{BASE}/live.m3u8").body.decode()
    assert list(media_of(station))[-1] in live
    assert "#EXT-X-DISCONTINUITY\n" in live


def test_of_a_run_that_lies_wholly_in_a_hold_not_even_the_init_segment_is_there(evening: Evening) -> None:
    evening.say(Terms(publication=Publication(holds=(replace(HOLD, from_us=EIGHT_US - HOUR_US),))))
    evening.site.deliver(evening.station)
    evening.held = list(media_of(evening.station))
    evening.inits = {evening.station.cameras["cam-0"].init_sha256}
    assert evening.leaks() == set()


def test_a_hold_stands_over_restarts_and_a_clock_that_is_lost(evening: Evening) -> None:
    site = evening.site
    site.deliver(evening.station)
    site._open.close()
    site._publisher = site._open.enter_context(open_publisher(site.archive.config, site.archive.clock))
    site.publish()
    assert evening.leaks() == set()
    evening.clock(NINE_US)
    assert {each for each in evening.held if site.published(each).exists()} == set(evening.held)


def test_a_changed_profile_judges_anew_what_waits_and_takes_nothing_back(evening: Evening) -> None:
    site = evening.site
    site.deliver(evening.station)
    evening.say(Terms(publication=Publication(holds=(replace(HOLD, until_us=NINE_US + HOUR_US),))))
    evening.clock(NINE_US)
    assert evening.leaks() == set(), "held for longer"
    evening.say(Terms())
    site.publish()
    assert all(site.published(each).exists() for each in evening.held)
    evening.say(BLIND)
    site.publish()
    assert all(site.published(each).exists() for each in evening.held), "what was published stays"
    with closing(Publications(site.archive.config.publish.database, writes=False)) as publications:
        assert publications.holds() == [HOLD]


def test_a_profile_that_does_not_check_changes_nothing_and_begins_nothing(evening: Evening) -> None:
    site = evening.site
    site.deliver(evening.station)
    evening.profile.write_text("eyJ.eyJ.x")
    evening.clock(NINE_US - 1)
    assert evening.leaks() == set()
    evening.profile.unlink()
    evening.clock(NINE_US - 1)
    assert evening.leaks() == set()
    site._open.close()
    with pytest.raises(OperatorError, match="profile"):
        open_publisher(site.archive.config, site.archive.clock).__enter__()


def test_under_a_delay_the_live_list_is_of_what_was_live_then(evening: Evening) -> None:
    site, station = evening.site, evening.station
    evening.say(Terms(publication=Publication(delay_s=300)))
    site.deliver(station)
    assert not any(site.published(each).exists() for each in media_of(station))
    now_us = site.archive.clock.read().utc_us or 0
    evening.clock(now_us + 300_000_000)
    assert site.published(evening.before[0]).exists()
    assert list(media_of(station))[-2] in site.get(f"{BASE}/live.m3u8").body.decode()
