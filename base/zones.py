"""Time zones by name, from this computer's tables."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A time zone by name, and its offset in seconds at any UTC instant in microseconds. That never raises."""

    name: str
    offset_at: Callable[[int], int]


UTC_ZONE = Zone(name="UTC", offset_at=lambda _utc_us: 0)


def find_zone(name: str | None) -> Zone | None:
    """The IANA zone ``name``; None where none was named or this computer does not know it."""
    if not name:
        return None
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None

    def offset_at(utc_us: int) -> int:
        try:
            offset = (_EPOCH + timedelta(microseconds=utc_us)).astimezone(zone).utcoffset()
        except OverflowError:
            return 0
        return 0 if offset is None else int(offset.total_seconds())

    return Zone(name=name, offset_at=offset_at)
