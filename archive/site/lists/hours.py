"""The hours of which replay lists are made, and their names in addresses."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR_US = 3_600_000_000
HOUR_NS = 3_600_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}Z")
_BOOT = re.compile(r"([0-9a-f]{32})\+([0-9]{2}|[1-9][0-9]{2,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class UtcHour:
    """An hour of the day, in hours since 1970-01-01T00Z."""

    number: int

    def __str__(self) -> str:
        return f"{_EPOCH + timedelta(hours=self.number):%Y-%m-%dT%HZ}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootHour:
    """An hour of a kernel boot of which no UTC is known, counted from 0."""

    boot_id: str
    number: int

    def __str__(self) -> str:
        return f"{self.boot_id}+{self.number:02d}"


Hour = UtcHour | BootHour


def read_hour(name: str) -> Hour:
    """The hour of that name. Raises ValueError; each hour has one name only."""
    if match := _BOOT.fullmatch(name):
        return BootHour(boot_id=match[1], number=int(match[2]))
    if not _UTC.fullmatch(name):
        raise ValueError("is not the name of an hour")
    begin = datetime.strptime(name, "%Y-%m-%dT%HZ").replace(tzinfo=UTC)
    hour = UtcHour(number=(begin - _EPOCH) // timedelta(hours=1))
    if hour.number < 0:
        raise ValueError("is before 1970")
    return hour
