"""The list of polling stations that an election's authority gives, as loaded from CSV (docs/reference/roster.md)."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from base.errors import OperatorError
from evidence.members import NAME, one_of

LANGUAGES = ("az", "en", "ru")
COLUMNS = (
    "station",
    "constituency",
    "number",
    *(f"name_{language}" for language in LANGUAGES),
    *(f"address_{language}" for language in LANGUAGES),
    "cameras",
    "status",
    *(f"reason_{language}" for language in LANGUAGES),
)
OPTIONAL = ("voters",)
"""May stand behind the others, and be left out."""
MOST_BYTES = 16 << 20
MOST_STATIONS = 20_000
MOST_LETTERS = 400
"""Of one cell."""
MOST_CAMERAS = 16

_HINT = "docs/reference/roster.md says how the file looks."
_CONSTITUENCY = re.compile(r"[1-9][0-9]{0,2}")
_NUMBER = re.compile(r"[0-9]{1,4}")
_VOTERS = re.compile(r"[0-9]{1,5}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class StationStatus(StrEnum):
    """Whether a station is to be recorded."""

    RECORDED = "recorded"
    EXEMPT = "exempt"
    """By law or by a decision, for the reason given."""
    NOT_COVERED = "not-covered"
    """It has no camera."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterStation:
    """One polling station. Names, addresses and reasons go by language; what the list leaves out is not there."""

    name: str
    constituency: str
    number: str
    names: Mapping[str, str]
    addresses: Mapping[str, str]
    cameras: int
    status: StationStatus
    reason: Mapping[str, str]
    voters: int | None = None
    """On the station's list; None where nobody says."""

    def named(self, language: str) -> str:
        """The name in ``language``, else in Azerbaijani."""
        return self.names.get(language) or self.names["az"]

    def address(self, language: str) -> str:
        """The address in ``language``, else in Azerbaijani, else nothing."""
        return self.addresses.get(language) or self.addresses.get("az", "")

    def why(self, language: str) -> str:
        """The reason of the status in ``language``, else in Azerbaijani, else nothing."""
        return self.reason.get(language) or self.reason.get("az", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """All stations, by constituency and number."""

    stations: tuple[RosterStation, ...]
    _by_name: Mapping[str, RosterStation] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = MappingProxyType({station.name: station for station in self.stations})
        object.__setattr__(self, "_by_name", by_name)

    def find(self, name: str) -> RosterStation | None:
        """The station of that name, such as ``57-002``."""
        return self._by_name.get(name)

    def constituencies(self) -> tuple[str, ...]:
        """Their numbers, in order."""
        return tuple(dict.fromkeys(station.constituency for station in self.stations))

    def of_constituency(self, constituency: str) -> tuple[RosterStation, ...]:
        """Its stations, by number."""
        return tuple(station for station in self.stations if station.constituency == constituency)


EMPTY = Roster(stations=())
"""Where no list was given: only stations that deliver are known."""


def read_roster(path: Path) -> Roster:
    """The stations of the CSV file at ``path``. Raises OperatorError that names the row and the column."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise OperatorError(f"The list of stations {path} cannot be read: {error.strerror}.", hint=_HINT) from error
    try:
        return parse_roster(data)
    except ValueError as error:
        raise OperatorError(f"The list of stations {path}: {error}.", hint=_HINT) from error


def parse_roster(data: bytes) -> Roster:
    """The stations of a CSV file's bytes. Raises ValueError that names the row and the column.

    Rows are counted as a spreadsheet counts them: the header is row 1.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is longer than {MOST_BYTES >> 20} MiB")
    rows = _rows(_text(data))
    header = tuple(next(rows, (1, []))[1])
    if header not in (COLUMNS, COLUMNS + OPTIONAL):
        raise ValueError(_wrong_header(header))
    stations: dict[str, RosterStation] = {}
    for number, cells in rows:
        if not any(cells):
            continue  # spreadsheets like to leave empty rows at the end
        if len(stations) == MOST_STATIONS:
            raise ValueError(f"row {number}: there are more than {MOST_STATIONS:,} stations")
        if len(cells) != len(header):
            raise ValueError(f"row {number} has {len(cells)} columns, not {len(header)}")
        station = _station(number, dict(zip(header, cells, strict=True)))
        if station.name in stations:
            raise ValueError(f"row {number}, column station: {station.name} stands in the list twice")
        stations[station.name] = station
    if not stations:
        raise ValueError("it holds no station")
    return Roster(stations=tuple(sorted(stations.values(), key=place_of)))


def place_of(station: RosterStation) -> tuple[int, int, str]:
    """What stations are ordered by: constituency, then number, as numbers."""
    return int(station.constituency), int(station.number), station.name


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"row {row} is not UTF-8; save the list as “CSV UTF-8”") from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Row number and trimmed cells. The header decides whether ``,`` or ``;`` is between the cells."""
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"row {number} is not CSV: {error}") from error
        yield number, [cell.strip() for cell in cells]


def _wrong_header(header: tuple[str, ...]) -> str:
    missing = [column for column in COLUMNS if column not in header]
    unknown = [column for column in header if column not in COLUMNS + OPTIONAL]
    if missing:
        return f"row 1 lacks the column {missing[0]}; it must be {','.join(COLUMNS)}"
    if unknown:
        return f"row 1 has the unknown column {unknown[0][:40]!r}; it must be {','.join(COLUMNS)}"
    return f"row 1 has its columns in another order; it must be {','.join(COLUMNS)}"


def _station(row: int, cells: Mapping[str, str]) -> RosterStation:
    def checked(column: str, check: Callable[[str], object]) -> None:
        try:
            check(cells[column])
        except ValueError as error:
            raise ValueError(f"row {row}, column {column}: {error}") from None

    for column in cells:
        checked(column, _plain)
    checked("station", lambda text: _named(text, cells["constituency"], cells["number"]))
    checked("constituency", lambda text: _form(_CONSTITUENCY, text, "a number from 1 to 999"))
    checked("number", lambda text: _form(_NUMBER, text, "a number of at most four digits"))
    checked("name_az", lambda text: _form(re.compile(".+"), text, "the station's name"))
    checked("status", one_of(StationStatus))
    status = StationStatus(cells["status"])
    checked("cameras", lambda text: _cameras(text, status))
    checked("reason_az", lambda text: _reason(text, status))
    voters = cells.get("voters", "")
    if voters:
        checked("voters", lambda text: _form(_VOTERS, text, "a number of at most five digits"))
    return RosterStation(
        name=cells["station"],
        constituency=cells["constituency"],
        number=cells["number"],
        names=_by_language(cells, "name"),
        addresses=_by_language(cells, "address"),
        cameras=int(cells["cameras"]),
        status=status,
        reason=_by_language(cells, "reason"),
        voters=int(voters) if voters else None,
    )


def _plain(text: str) -> None:
    if len(text) > MOST_LETTERS:
        raise ValueError(f"more than {MOST_LETTERS} letters")
    if _CONTROL.search(text):
        raise ValueError("a line break or another control character within the cell")


def _named(text: str, constituency: str, number: str) -> None:
    NAME(text)
    if text != f"{constituency}-{number}":
        raise ValueError(f"{text} is not {constituency}-{number}, as constituency and number say")


def _form(pattern: re.Pattern[str], text: str, what: str) -> None:
    if not pattern.fullmatch(text):
        raise ValueError(f"{text!r} is not {what}")


def _cameras(text: str, status: StationStatus) -> None:
    if not text.isascii() or not text.isdigit() or int(text[:4]) > MOST_CAMERAS:
        raise ValueError(f"{text!r} is not a number from 0 to {MOST_CAMERAS}")
    if (int(text) > 0) != (status is StationStatus.RECORDED):
        raise ValueError(f"{text} cameras do not go with the status {status}")


def _reason(text: str, status: StationStatus) -> None:
    if status is StationStatus.EXEMPT and not text:
        raise ValueError("an exempt station needs its reason")
    if status is StationStatus.RECORDED and text:
        raise ValueError("a recorded station has no reason")


def _by_language(cells: Mapping[str, str], what: str) -> Mapping[str, str]:
    return MappingProxyType(
        {language: cells[f"{what}_{language}"] for language in LANGUAGES if cells[f"{what}_{language}"]}
    )
