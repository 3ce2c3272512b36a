"""What an address of a list asks for. Strict: one list has one address, so that a cache holds it once."""

import re

from archive.names import UnitName
from archive.site.lists.hourlists import Wanted
from archive.site.lists.hours import read_hour
from evidence.members import NAME

_RELOAD = re.compile(r"_HLS_msn=(0|[1-9][0-9]{0,15})")
_LIST = ".m3u8"


def read_unit(station: str, unit: str) -> UnitName:
    """A unit as an address names it. Raises ValueError."""
    return UnitName(station=NAME(station), unit=NAME(unit))


def read_wanted(station: str, unit: str, camera: str, file: str) -> Wanted:
    """The list of an hour. Raises ValueError."""
    if not file.endswith(_LIST):
        raise ValueError("is not a list")
    return Wanted(name=read_unit(station, unit), camera=NAME(camera), hour=read_hour(file.removesuffix(_LIST)))


def read_reload(query: str) -> int | None:
    """For which entry a reload wants to wait; None where it does not. Raises ValueError for any other query."""
    if not query:
        return None
    match = _RELOAD.fullmatch(query)
    if match is None:
        raise ValueError("a list takes _HLS_msn=NUMBER, and nothing else")
    return int(match[1])


def takes_gzip(header: str) -> bool:
    """Whether ``Accept-Encoding`` names gzip, and not with a weight of 0."""
    for part in header.split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight)
    return False
