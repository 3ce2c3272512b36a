"""Times and durations as a reader meets them: local, UTC with its uncertainty, and boot time."""

from evidence.day.answer import Bounds, Moment
from evidence.day.line import SECOND_US, OffsetAt, clock_text, date_text


def middle_us(utc_us: tuple[int, int]) -> int:
    """The middle of an interval of UTC."""
    return (utc_us[0] + utc_us[1]) // 2


def half_us(utc_us: tuple[int, int]) -> int:
    """Half the width of an interval of UTC, rounded up: what stands after the ±."""
    return -((utc_us[0] - utc_us[1]) // 2)


def day_time(local_us: int) -> tuple[str, str]:
    """Date, and time to a tenth of a second."""
    tenth = local_us // 100_000 % 10
    return date_text(local_us), f"{clock_text(local_us, True)}.{tenth}"


def instant(moment: Moment, offset_at: OffsetAt) -> str:
    """``yyyy-mm-dd hh:mm:ss.t`` in a zone, or ``TIME UNSET +hh:mm:ss.t``."""
    if moment.utc_us is None:
        return f"TIME UNSET {boot_text(moment.boot_ns)}"
    utc = middle_us(moment.utc_us)
    return " ".join(day_time(utc + offset_at(utc) * SECOND_US))


def interval(start: Moment, end: Moment, offset_at: OffsetAt) -> str:
    """Two instants; the day is told once where it is one."""
    first, last = instant(start, offset_at), instant(end, offset_at)
    if start.utc_us is not None and end.utc_us is not None and first[:11] == last[:11]:
        last = last[11:]
    elif start.utc_us is None and end.utc_us is None and start.boot_id == end.boot_id:
        last = boot_text(end.boot_ns)
    return f"{first} – {last}"


def boot_text(boot_ns: int) -> str:
    """``+hh:mm:ss.t`` of boot time."""
    return f"+{clock_text(boot_ns // 1000, True, wrap=False)}.{boot_ns // 100_000_000 % 10}"


def short_boot(boot_id: str) -> str:
    """The first digits of a kernel boot's name, enough to tell a few apart."""
    return boot_id[:8]


def plus_minus(*moments: Moment) -> str:
    """``± 0.2 s``: the widest uncertainty among the moments whose UTC is known."""
    widest = max((half_us(moment.utc_us) for moment in moments if moment.utc_us is not None), default=0)
    return f"± {uncertainty(widest)}"


def uncertainty(half: int) -> str:
    """Half a width in microseconds, rounded up so that it never promises too much."""
    if half <= 1_000:
        return "1 ms"
    if half < SECOND_US:
        return f"{-(-half // 1_000)} ms"
    if half < 120 * SECOND_US:
        tenths = -(-half // 100_000)
        return f"{tenths // 10}.{tenths % 10} s"
    return length(-(-half // 60_000_000) * 60_000)


def length(duration_ms: int) -> str:
    """A duration in words: ``850 ms``, ``12.4 s``, ``2 min 14 s``, ``19 h 58 min``; rounded down."""
    if duration_ms < 1_000:
        return f"{duration_ms} ms"
    if duration_ms < 60_000:
        return f"{duration_ms // 1000}.{duration_ms // 100 % 10} s"
    seconds = duration_ms // 1000
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{value} {unit}" for value, unit in parts if value)


def bounds_text(bounds: Bounds, at_least: str, to: str) -> str:
    """A duration between bounds; ``at_least`` and ``to`` are templates with ``{least}`` and ``{most}``."""
    least, most = bounds
    if most is None:
        return at_least.format(least=length(least))
    if most - least <= 1 or length(most) == length(least):
        return length(least)  # a millisecond apart is one exact duration, rounded outwards
    return to.format(least=length(least), most=length(most))
