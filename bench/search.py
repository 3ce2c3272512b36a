"""How fast a station is found by what people type, among as many as a country has."""

import random
import subprocess
import time
from pathlib import Path

from archive.roster import RosterStation, StationStatus
from archive.site.pages.search import StationSearch
from bench.row import Row, median

STATIONS = 6_000
CONSTITUENCIES = 118
REPEATS = 5
TARGET_MS = 20
TYPED = (
    "57/2",
    "57-002",
    "57",
    "m",
    "mekteb",
    "shirvan kuc 12",
    "Şirvan küçəsi məktəb",
    "школа 7",
    "a a a a a a a a",
    "yoxdur",
)
_FIRST = ("Bilik", "Şirvan", "Qələbə", "Nizami", "Çınar", "Göy", "İpək", "Ağ", "Üzüm", "Xəzər")
_SECOND = ("məktəb", "kitabxana", "klub", "mədəniyyət evi", "uşaq bağçası", "xəstəxana", "idman zalı")
_RU = ("школа", "библиотека", "клуб", "дом культуры", "детский сад", "больница", "спортзал")


def measure(folder: Path) -> list[Row]:
    """Milliseconds of the slowest of ten queries; grep over the same list stands beside."""
    stations = _stations()
    began = time.perf_counter()
    search = StationSearch(stations)
    built_ms = (time.perf_counter() - began) * 1000
    slowest, runs = "", []
    for _ in range(REPEATS):
        each = {typed: _once(search, typed) for typed in TYPED}
        slowest = max(each, key=lambda typed: each[typed])
        runs.append(each[slowest])
    text = folder / "stations.txt"
    text.write_text("".join(f"{station.name} {station.names} {station.addresses}\n" for station in stations))
    beside = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run(["grep", "-ic", slowest, text], check=False, stdout=subprocess.DEVNULL)
        beside.append((time.perf_counter() - began) * 1000)
    return [
        Row(
            name=f"search, {STATIONS:,} stations, the slowest of {len(TYPED)} queries",
            value=median(runs),
            unit="ms",
            runs=tuple(runs),
            target=TARGET_MS,
            reference="grep -ic over the same list",
            reference_value=median(beside),
            note=f"“{slowest}”; the index takes {built_ms:.0f} ms to build",
        )
    ]


def _once(search: StationSearch, typed: str) -> float:
    began = time.perf_counter()
    search.find(typed)
    return (time.perf_counter() - began) * 1000


def _stations() -> list[RosterStation]:
    chosen = random.Random(5)
    stations = []
    for place in range(STATIONS):
        constituency, number = place % CONSTITUENCIES + 1, place // CONSTITUENCIES + 1
        kind = chosen.randrange(len(_SECOND))
        first, street = chosen.choice(_FIRST), chosen.choice(_FIRST)
        stations.append(
            RosterStation(
                name=f"{constituency}-{number:03d}",
                constituency=str(constituency),
                number=f"{number:03d}",
                names={"az": f"{first} {_SECOND[kind]} №{number}", "ru": f"{_RU[kind]} № {number}"},
                addresses={"az": f"{street} küçəsi {chosen.randrange(1, 200)}"},
                cameras=2,
                status=StationStatus.RECORDED,
                reason={},
            )
        )
    return stations
