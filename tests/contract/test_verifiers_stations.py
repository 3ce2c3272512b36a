"""Both verifiers say the same of what several units of a station cover together (spec/verify.md, section 5)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.verify import verify
from evidence.certificate import Trust
from provisioning.authority import Authority
from tests.contract.test_vectors_js import VERIFIER, node
from tests.fakes.station import NOON_US, Station, authority

Day = Callable[[Authority], list[Station]]


def begun(by: Authority, unit: str, utc_us: int | None, segments: int) -> Station:
    """A unit that has recorded so many segments of two seconds on ``cam-0``, armed."""
    station = Station(by, unit=unit, seed=unit, utc_us=utc_us)
    station.begin()
    station.arm()
    station.segments(segments)
    return station


def replaced(by: Authority, off_s: int) -> list[Station]:
    """The second unit goes on so many seconds after the first."""
    first = begun(by, "u1", NOON_US, 5)
    ended_us = NOON_US + first.cameras["cam-0"].end_ns // 1_000
    return [first, begun(by, "u2", ended_us + (off_s - 21) * 10**6, 3)]


def without_utc(by: Authority) -> list[Station]:
    """The second unit never knows the time."""
    first = begun(by, "u1", NOON_US, 5)
    second = Station(by, unit="u2", seed="u2", utc_us=None)
    second.begin()
    second.segments(3)
    return [first, second]


def three_units(by: Authority) -> list[Station]:
    """One after the other, two of them at the same time."""
    return [*replaced(by, 600), begun(by, "u3", NOON_US + 3_000_000, 9)]


DAYS: dict[str, Day] = {
    "later": lambda by: replaced(by, 600),
    "at once": lambda by: replaced(by, 0),
    "overlapping": lambda by: replaced(by, -4),
    "without UTC": without_utc,
    "three units": three_units,
}


@pytest.mark.parametrize("name", DAYS)
def test_both_verifiers_lay_the_units_of_a_station_together_alike(name: str, tmp_path: Path) -> None:
    by = authority()
    folders = [station.write(tmp_path / station.unit) for station in DAYS[name](by)]
    (tmp_path / "root.pem").write_bytes(by.root_pem)
    answer = json.loads(json.dumps(verify(folders, trust=Trust.from_pem(by.root_pem))))
    found = in_javascript(tmp_path, [folder.name for folder in folders])
    assert found["stations"] == answer["stations"]
    assert answer["stations"][0]["units"] == [folder.name for folder in folders]


def test_stations_of_one_unit_each_are_not_laid_together(tmp_path: Path) -> None:
    by = authority()
    begun(by, "u1", NOON_US, 2).write(tmp_path / "u1")
    other = Station(by, station="57-003", seed="far")
    other.begin()
    other.write(tmp_path / "far")
    (tmp_path / "root.pem").write_bytes(by.root_pem)
    assert "stations" not in in_javascript(tmp_path, ["u1", "far"])


def in_javascript(folder: Path, paths: list[str]) -> Any:
    """The answer of the verifier in JavaScript."""
    case = {"folder": str(folder), "paths": paths, "trust": ["root.pem"], "crl": []}
    done = node(str(VERIFIER / "many.mjs"), said=json.dumps(case) + "\n")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
