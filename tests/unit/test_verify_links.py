"""What the verify page reads out of pasted addresses and hour lists."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_vectors_js import node

PAGE = Path(__file__).parents[2] / "archive" / "site" / "verifypage"
DIGEST = "ab" + "0" * 62
SCRIPT = """
import { readFileSync } from 'node:fs';
const { readLink } = await import(`${process.argv[1]}/link.js`);
const { hoursOf, readEntries } = await import(`${process.argv[1]}/hours.js`);
const { links = [], identities = [], lists = [] } = JSON.parse(readFileSync(0, 'utf-8'));
console.log(JSON.stringify({
  links: links.map((link) => readLink(link, 'https://site.example')),
  hours: identities.map(hoursOf),
  entries: lists.map(readEntries),
}));
"""


def asked(**what: Any) -> Any:
    done = node("--input-type=module", "-e", SCRIPT, "--", str(PAGE), said=json.dumps(what))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LINKS = {
    f"/media/ab/{DIGEST}.m4s": "segment",
    f"  https://site.example/media/ab/{DIGEST}.m4s#t=2 ": "segment",
    f"/media/cd/{DIGEST}.m4s": None,
    f"/media/ab/{DIGEST}.mp4": None,
    f"/media/ab/{DIGEST.upper()}.m4s": None,
    "/clip/57-002/u-0001/cam1/20270207T080700Z-20270207T080730Z.mp4": "clip",
    "/clip/57-002/u-0001/../cam1/20270207T080700Z-20270207T080730Z.mp4": None,
    "/ledger/57-002/u-0001/0.jws": "ledger",
    "/ledger/57-002/u-0001/00.jws": None,
    "/ledger/57-002/u-0001/0/1-2.jws": None,
    "/az/stations/57-002": "station",
    "/de/stations/57-002": None,
    "/az/stations/57%2F002": None,
    "": None,
    "javascript:alert(1)": None,
}


@pytest.mark.parametrize("link", LINKS)
def test_only_addresses_of_the_contract_are_followed(link: str) -> None:
    (found,) = asked(links=[link])["links"]
    assert (None if found is None else found["kind"]) == LINKS[link]


@pytest.mark.parametrize(
    "link", ["https://other.example/az/stations/57-002", "//other.example/x", "file:///etc/passwd"]
)
def test_another_site_is_never_asked(link: str) -> None:
    assert asked(links=[link])["links"] == [{"kind": None, "isElsewhere": True}]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2027-02-07T12:07:13%2B04:00", 1_801_987_633_000),
        ("2027-02-07T12:07:13+04:00", 1_801_987_633_000),
        ("2027-02-07T08:07:13Z", 1_801_987_633_000),
        ("noon", None),
        ("", None),
    ],
)
def test_the_moment_of_a_stations_page_is_read_in_its_zone(text: str, ms: int | None) -> None:
    (found,) = asked(links=[f"/en/stations/57-002?t={text}"])["links"]
    assert found["atMs"] == ms


def test_a_segment_is_looked_for_in_its_hour_and_across_a_near_edge() -> None:
    base = {
        "station": "57-002",
        "unit": "u-1",
        "camera": "cam1",
        "boot_id": "0" * 32,
        "boot_ns": 7_200_000_000_000,
        "error_us": 4000,
    }
    minute = 60_000_000
    at = 1_801_987_200_000_000  # 08:00 UTC
    known, edge, unset, unsynced = asked(
        identities=[
            {**base, "utc_us": at + 30 * minute},
            {**base, "utc_us": at + 1},
            {**base, "utc_us": None, "error_us": None},
            {**base, "utc_us": at, "error_us": None},
        ]
    )["hours"]
    unit = "/hls/57-002/u-1/cam1"
    boot = f"{unit}/{'0' * 32}+02.m3u8"
    assert known == [f"{unit}/2027-02-07T08Z.m3u8", boot]
    assert edge == [f"{unit}/2027-02-07T08Z.m3u8", f"{unit}/2027-02-07T07Z.m3u8", boot]
    assert unset == [boot]
    assert unsynced[0] == boot


def test_a_list_gives_places_and_passes_over_what_it_does_not_know() -> None:
    text = "\r\n".join(
        [
            "#EXTM3U",
            '#EXT-X-MAP:URI="/media/cd/x.mp4"',
            "#EXT-X-GAP",
            "#EXTINF:2.000000,",
            "gap",
            "#EXT-X-PROGRAM-DATE-TIME:2027-02-07T08:00:00.500Z",
            "#EXT-X-UNBROKEN:BRANCH=1,SEQ=123,RUN=14,START=12,MODE=LIVE,DATE=UTC",
            "#EXTINF:1.999989,",
            f"/media/ab/{DIGEST}.m4s",
            "#EXT-X-UNBROKEN:BRANCH=1,SEQ=-1,RUN=14,START=12",
            f"/media/ab/{DIGEST}.m4s",
            f"https://elsewhere.example/media/ab/{DIGEST}.m4s",
            "",
        ]
    )
    (entries,) = asked(lists=[text])["entries"]
    place = {"branch": 1, "seq": 123, "run": 14, "start": 12}
    assert entries == [{"sha256": DIGEST, **place, "dateMs": 1_801_987_200_500, "durationMs": 1999.989}]
