"""Times and durations in the reader's language: the election's zone first, UTC beside it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from archive.site.words import N_, Words
from base.zones import Zone
from evidence.day.answer import Bounds, Moment
from evidence.day.line import SECOND_US, at_utc
from evidence.day.times import instant, interval, length, middle_us, plus_minus

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"d": N_("d"), "h": N_("h"), "min": N_("min"), "s": N_("s"), "ms": N_("ms")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Says times in one language and zone."""

    words: Words
    zone: Zone

    def local(self, utc_us: int) -> str:
        """``2027-02-07 14:07:13`` in the election's zone."""
        return _stamp(utc_us + self.zone.offset_at(utc_us) * SECOND_US)

    def clock(self, utc_us: int) -> str:
        """``14:07:13`` in the election's zone."""
        return self.local(utc_us)[11:]

    def utc(self, utc_us: int) -> str:
        """``10:07:13 UTC``."""
        return f"{_stamp(utc_us)[11:]} UTC"

    def machine(self, utc_us: int) -> str:
        """``2027-02-07T10:07:13Z``, for programs."""
        return f"{_stamp(utc_us).replace(' ', 'T')}Z"

    def link(self, moment: Moment) -> str:
        """What stands behind ``?t=``: local time with its offset, or boot and seconds where UTC is not known."""
        if moment.utc_us is None:
            return f"{moment.boot_id}%2B{moment.boot_ns // 1_000_000_000}"
        utc_us = middle_us(moment.utc_us)
        minutes = self.zone.offset_at(utc_us) // 60
        sign = "-" if minutes < 0 else "%2B"
        return f"{self.local(utc_us).replace(' ', 'T')}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"

    def offset(self, utc_us: int) -> str:
        """``UTC+04:00``: what the zone was at an instant."""
        minutes = self.zone.offset_at(utc_us) // 60
        return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"

    def moment(self, start: Moment, end: Moment | None = None) -> tuple[str, str]:
        """A time or an interval in the election's zone, and what stands beneath it: UTC and how sure it is."""
        ends = (start, end or start)
        main = interval(start, end, self.zone.offset_at) if end else instant(start, self.zone.offset_at)
        if all(each.utc_us is None for each in ends):
            return main, self.words.say(N_("The time of day is not known: counted from switching on."))
        utc = interval(start, end, at_utc) if end else instant(start, at_utc)
        return main, f"UTC {utc}, {self._localised(plus_minus(*ends))}"

    def length(self, duration_ms: int) -> str:
        """``2 min 14 s``."""
        return self._localised(length(duration_ms))

    def bounds(self, value: Bounds) -> str:
        """A duration that may be known between bounds only."""
        least, most = value
        if most is None:
            return self.words.say(N_("at least {least}")).format(least=self.length(least))
        if most - least <= 1 or length(most) == length(least):
            return self.length(least)
        return self.words.say(N_("{least} to {most}")).format(least=self.length(least), most=self.length(most))

    def _localised(self, text: str) -> str:
        return " ".join(self.words.say(_UNITS[part]) if part in _UNITS else part for part in text.split(" "))


def number(value: int) -> str:
    """An integer with narrow spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def iso(utc_us: int | None) -> str:
    """``2027-02-07T10:07:13.250Z``; nothing where no time is known."""
    if utc_us is None:
        return ""
    return f"{_stamp(utc_us).replace(' ', 'T')}.{utc_us // 1000 % 1000:03d}Z"


def _stamp(local_us: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=local_us)).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:
        return "0000-00-00 00:00:00"
