"""The dates of live entries: what was known of UTC when a segment was first shown. Values only.

A list that was fetched is never wrong afterwards, so a date is made once. Within a boot one offset serves as long as
what is known allows it; where it no longer does, the next entry has a new one, behind a discontinuity. Replay asks
again, when everything is known (docs/design/site.md).
"""

from dataclasses import dataclass

SLACK_US = 100_000
"""So far outside of what is known an offset may drift before it is given up: nobody sees it, a jump everybody would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dating:
    """UTC minus boot time, microseconds. ``arrival``: no UTC was known, it is from when media came to the archive."""

    offset_us: int
    arrival: bool

    def at(self, boot_ns: int) -> int:
        """UTC of a boot time, microseconds."""
        return self.offset_us + boot_ns // 1_000


def date(now: Dating | None, utc_us: tuple[int, int] | None, from_ns: int, to_ns: int, stored_us: int) -> Dating:
    """The dating of a segment. ``now`` is its boot's so far, ``utc_us`` the interval in which ``from_ns`` lies."""
    if utc_us is None:
        return now or Dating(offset_us=stored_us - to_ns // 1_000, arrival=True)
    least_us, most_us = utc_us
    if now is not None and not now.arrival and least_us - SLACK_US <= now.at(from_ns) <= most_us + SLACK_US:
        return now
    return Dating(offset_us=(least_us + most_us) // 2 - from_ns // 1_000, arrival=False)
