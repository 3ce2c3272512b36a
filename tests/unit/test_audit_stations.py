"""A replaced unit: what the records of a station's units cover together; and an archive's folder, verified."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from audit.summary import summarise
from audit.verify import verify
from evidence.certificate import Trust
from provisioning.authority import Authority
from tests.fakes.station import NOON_US, Station, authority


def replaced(by: Authority, *, off_s: int = 600) -> tuple[Station, Station]:
    """Unit u1 records ten seconds and dies; ``off_s`` later u2 continues with its own key, card and clock."""
    first = Station(by)
    first.begin()
    first.arm()
    first.segments(5)
    ended_us = NOON_US + first.cameras["cam-0"].end_ns // 1_000
    second = Station(by, unit="u2", seed="second", utc_us=ended_us + off_s * 10**6 - 21 * 10**6)
    second.begin()
    second.arm()
    second.segments(3)
    return first, second


def archive_of(folder: Path, *stations: Station) -> Path:
    """The data folder of an archive that has all of them."""
    for station in stations:
        ledgers = folder / "ledgers" / station.station / station.unit
        ledgers.mkdir(parents=True)
        (ledgers / "0.jws").write_bytes(station.ledger)
        for name, data in station.files.items():
            if name.endswith(".m4s"):
                sha256 = hashlib.sha256(data).hexdigest()
                (folder / "cas" / sha256[:2]).mkdir(parents=True, exist_ok=True)
                (folder / "cas" / sha256[:2] / sha256).write_bytes(data)
    (folder / "receipts.jws").write_bytes(b"")
    return folder


def check(by: Authority, *paths: Path) -> dict[str, Any]:
    return verify(paths, trust=Trust.from_pem(by.root_pem))


def test_two_units_of_a_station_cover_it_together_and_what_is_between_is_told(tmp_path: Path) -> None:
    by = authority()
    first, second = replaced(by)
    answer = check(by, first.write(tmp_path / "u1"), second.write(tmp_path / "u2"))
    assert [(record["unit"], record["closed"]) for record in answer["records"]] == [("u1", False), ("u2", False)]
    (station,) = answer["stations"]
    assert (station["station"], station["units"]) == ("57-002", ["u1", "u2"])
    (camera,) = station["cameras"]
    assert abs(camera["covered_ms"] - 16_000) <= 2
    assert camera["undated_ms"] == 0
    (hole,) = camera["between"]
    assert (hole["after"], hole["before"]) == ("u1", "u2")
    assert hole["duration_ms"][0] <= 600_000 <= hole["duration_ms"][1] <= 600_100
    assert "Station 57-002, units u1, u2 together:\n  cam-0: covered 16.0 s" in summarise(answer)
    assert "u1 to u2" in summarise(answer)


def test_time_that_two_units_cover_counts_once(tmp_path: Path) -> None:
    by = authority()
    first, second = replaced(by, off_s=-4)
    answer = check(by, first.write(tmp_path / "u1"), second.write(tmp_path / "u2"))
    (camera,) = answer["stations"][0]["cameras"]
    assert (abs(camera["covered_ms"] - 12_000) <= 2, camera["between"]) == (True, [])


def test_time_without_utc_is_told_and_not_placed(tmp_path: Path) -> None:
    by = authority()
    first, _ = replaced(by)
    second = Station(by, unit="u2", seed="second", utc_us=None)
    second.begin()
    second.segments(3)
    answer = check(by, first.write(tmp_path / "u1"), second.write(tmp_path / "u2"))
    (camera,) = answer["stations"][0]["cameras"]
    assert (camera["undated_ms"], camera["between"]) == (6_000, [])
    assert abs(camera["covered_ms"] - 10_000) <= 2
    assert "6.0 s more have no UTC" in summarise(answer)


def test_units_of_two_stations_are_not_laid_together(tmp_path: Path) -> None:
    by = authority()
    one, two = Station(by), Station(by, station="57-003", seed="far")
    for station in (one, two):
        station.begin()
        station.segment()
    assert "stations" not in check(by, one.write(tmp_path / "1"), two.write(tmp_path / "2"))


@pytest.mark.parametrize("what", ["", "ledgers/57-002"])
def test_an_archives_folder_is_verified_with_the_media_beside_its_ledgers(tmp_path: Path, what: str) -> None:
    by = authority()
    first, second = replaced(by)
    data = archive_of(tmp_path / "data", first, second)
    other = Station(by, station="57-003", seed="far")
    other.begin()
    other.segment()
    archive_of(tmp_path / "other", other)
    answer = check(by, data / what)
    assert [record["unit"] for record in answer["records"]] == ["u1", "u2"]
    for record, segments in zip(answer["records"], (5, 3), strict=True):
        assert {finding["code"] for finding in record["findings"]} == {"open-end"}
        assert record["cameras"][0]["segments"] == segments
    assert len(answer["stations"][0]["cameras"][0]["between"]) == 1


def test_a_day_that_began_unarmed_verifies_as_an_archive_keeps_it_and_not_as_a_disk_lost_it(tmp_path: Path) -> None:
    by = authority()
    station = Station(by)
    station.begin()
    station.segments(2)
    station.arm()
    station.segments(3)
    station.close()
    data = archive_of(tmp_path / "data", station)
    for name, media in list(station.files.items()):
        if b'"mode":"UNARMED"' in media:
            sha256 = hashlib.sha256(media).hexdigest()
            (data / "cas" / sha256[:2] / sha256).unlink()
            del station.files[name]
    answer = check(by, data)
    assert answer["verdict"] == "verified"
    (record,) = answer["records"]
    assert [(each["code"], each["camera"], each["count"]) for each in record["findings"]] == [
        ("unarmed-at-unit", "cam-0", 2)
    ]
    states = [(span["state"], span["mode"]) for span in record["cameras"][0]["spans"]]
    assert ("at-unit", "UNARMED") in states
    assert ("segment", "LIVE") in states
    assert "it stays at the station" in summarise(answer)
    disk = station.write(tmp_path / "disk")
    for paths in ([disk], [disk, data], [data, disk]):
        answer = check(by, *paths)
        assert answer["verdict"] == "findings"
        assert {each["code"] for each in answer["records"][0]["findings"]} == {"media-missing"}
        assert "stays at the station" not in summarise(answer)


def test_a_parent_of_an_archives_folder_excuses_nothing(tmp_path: Path) -> None:
    by = authority()
    station = Station(by)
    station.begin()
    station.segments(2)
    archive_of(tmp_path / "data", station)
    for record in check(by, tmp_path)["records"]:
        assert "unarmed-at-unit" not in {each["code"] for each in record["findings"]}


def test_media_that_the_archive_lacks_or_has_changed_are_found_out(tmp_path: Path) -> None:
    by = authority()
    first, second = replaced(by)
    data = archive_of(tmp_path / "data", first, second)
    one, two, *_ = sorted(data.glob("cas/??/*"))
    one.unlink()
    two.write_bytes(two.read_bytes()[:-1] + b"x")
    answer = check(by, data / "ledgers" / "57-002")
    found = {finding["code"] for record in answer["records"] for finding in record["findings"]}
    assert {"media-missing", "media-changed"} <= found


def test_the_receipts_of_an_archive_are_no_ledger(tmp_path: Path) -> None:
    by = authority()
    first, second = replaced(by)
    data = archive_of(tmp_path / "data", first, second)
    (data / "receipts.jws").write_bytes(b"a receipt, and what not\n" * 30)
    assert len(check(by, data)["records"]) == 2
