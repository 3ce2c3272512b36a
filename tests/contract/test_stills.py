"""Stills of a real archive: a picture of what is public, and beside it what proves it."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.archive import RunningArchive, timeless_authority
from tests.fakes.archive_unit import deliver
from tests.fakes.filmed import FilmedStation
from tests.fakes.listsite import ListSite
from tests.fakes.station import NOON_US


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ListSite]:
    archive = RunningArchive(tmp_path_factory.mktemp("archive"), timeless_authority())
    archive.start()
    station = FilmedStation(archive.by, cameras=("cam-0",))
    station.begin()
    station.arm()
    for _ in range(3):
        station.segment("cam-0")
    archive.clock.set_utc(NOON_US + station.boot_ns // 1_000)
    deliver(archive.uplink(), station)
    with ListSite(archive) as site:
        site.publish()
        yield site
    archive.stop()


def address(site: ListSite, kind: str) -> str:
    """Of a second that is public."""
    for second in range(60):
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=NOON_US, seconds=second)
        path = f"/still/57-002/u1/cam-0/{at:%Y%m%dT%H%M%SZ}.{kind}"
        if site.get(path).status != 404:
            return path
    raise AssertionError("nothing is public")


def test_a_still_is_a_picture_and_its_proof_leads_to_the_signed_segment(site: ListSite) -> None:
    picture = site.get(address(site, "jpeg"))
    assert picture.status == 200
    assert picture.body.startswith(b"\xff\xd8\xff")
    proof = json.loads(site.get(address(site, "json")).body)
    assert proof["jpeg_sha256"] == hashlib.sha256(picture.body).hexdigest()
    media = site.get(proof["media"])
    assert hashlib.sha256(media.body).hexdigest() == proof["segment_sha256"]
    assert site.get(proof["line"]).status == 200
    assert site.get(proof["clip"]).status == 200
    assert proof["mode"] == "LIVE"


@pytest.mark.parametrize(
    "path",
    [
        "/still/57-002/u1/cam-0/20010101T000000Z.jpeg",
        "/still/57-002/u1/cam-0/20019901T000000Z.jpeg",
        "/still/57-002/u1/cam-0/now.jpeg",
        "/still/57-002/u1/cam-9/20270207T080000Z.json",
        "/still/1-1/u1/cam-0/20270207T080000Z.jpeg",
        "/still/57-002/..%2f/cam-0/20270207T080000Z.jpeg",
    ],
)
def test_what_is_not_public_has_no_still(site: ListSite, path: str) -> None:
    assert site.get(path).status == 404
