"""What a clip's address asks for."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from archive.names import UnitName
from evidence.members import NAME

LONGEST = timedelta(hours=2)
_FORM = "%Y%m%dT%H%M%SZ"
_FILE = re.compile(r"([0-9]{8}T[0-9]{6}Z)-([0-9]{8}T[0-9]{6}Z)(?:-([1-9][0-9]{0,3}))?\.(mp4|json)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TooLongError(ValueError):
    """More than a clip may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A range of UTC of one camera, in microseconds, half-open. ``number`` is that of a part, from 1, if one is asked
    for; ``listed`` where it is not the film that is asked for, but what there is of it.
    """

    name: UnitName
    camera: str
    from_us: int
    to_us: int
    number: int | None
    listed: bool

    @property
    def stem(self) -> str:
        """The range as addresses have it."""
        return f"{utc_text(self.from_us)}-{utc_text(self.to_us)}"


def read_asked(station: str, unit: str, camera: str, file: str) -> Asked:
    """Raises LookupError for an address that is none, ValueError for a range that is none, TooLongError."""
    match = _FILE.fullmatch(file)
    if match is None:
        raise LookupError(file)
    try:
        name = UnitName(station=NAME(station), unit=NAME(unit))
        camera = NAME(camera)
    except ValueError as error:
        raise LookupError(station) from error
    begin, end = (datetime.strptime(text, _FORM).replace(tzinfo=UTC) for text in (match[1], match[2]))
    if begin >= end:
        raise ValueError("the range ends before it begins")
    if end - begin > LONGEST:
        raise TooLongError("a clip lasts two hours at most")
    return Asked(
        name=name,
        camera=camera,
        from_us=(begin - _EPOCH) // timedelta(microseconds=1),
        to_us=(end - _EPOCH) // timedelta(microseconds=1),
        number=None if match[3] is None else int(match[3]),
        listed=match[4] == "json",
    )


def utc_text(utc_us: int) -> str:
    """A time as addresses have it, to the second."""
    return (_EPOCH + timedelta(microseconds=utc_us)).strftime(_FORM)
