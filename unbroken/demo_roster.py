"""The list of stations of a throwaway election: those that run, and two that show what else there is."""

import csv
import io
from collections.abc import Sequence

_HEADER = [
    *("station", "constituency", "number"),
    *("name_az", "name_en", "name_ru", "address_az", "address_en", "address_ru"),
    *("cameras", "status", "reason_az", "reason_en", "reason_ru"),
]


def write_roster(stations: Sequence[str]) -> str:
    """CSV as docs/reference/roster.md has it."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_HEADER)
    for station in stations:
        table.writerow(_row(station, "recorded"))
    constituency = stations[0].split("-")[0]
    reason = ("müvəqqəti məntəqə", "temporary station", "временный участок")
    table.writerow(_row(f"{constituency}-098", "exempt", reason))
    table.writerow(_row(f"{constituency}-099", "not-covered"))
    return text.getvalue()


def _row(station: str, status: str, reason: tuple[str, str, str] = ("", "", "")) -> list[str]:
    constituency, number = station.split("-")
    which = int(number)
    names = (f"Nümunə məktəb {which}", f"Sample school {which}", f"Школа-пример {which}")
    addresses = (f"Nümunə küçəsi {which}", f"Sample street {which}", f"Улица-пример, {which}")
    cameras = "1" if status == "recorded" else "0"
    return [station, constituency, number, *names, *addresses, cameras, status, *reason]
