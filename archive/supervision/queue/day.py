"""The election's day as the queue sees it: which phase it is in, from the times that the profile gives."""

from dataclasses import dataclass
from enum import StrEnum

_HOUR_US = 3_600_000_000
EVE_US = _HOUR_US
"""So long before opening it becomes pressing that a station can record."""


class Phase(StrEnum):
    """Where the day is."""

    BEFORE = "before"
    """Nobody is asked to record yet."""
    SETTING_UP = "setting-up"
    """Units are to be armed."""
    EVE = "eve"
    """The last hour before opening."""
    VOTING = "voting"
    COUNTING = "counting"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Times are UTC in microseconds: the window in which units are armed, and opening and closing of the stations."""

    from_us: int
    opens_us: int
    closes_us: int
    to_us: int

    def __post_init__(self) -> None:
        if not self.from_us <= self.opens_us <= self.closes_us <= self.to_us:
            raise ValueError("the day's times are not in order: window, opening, closing, window's end")

    @property
    def eve_us(self) -> int:
        """When a station that was never heard begins to count: an hour before opening, in the window at least."""
        return max(self.from_us, self.opens_us - EVE_US)

    def phase(self, now_us: int) -> Phase:
        """Where the day is at ``now_us``."""
        if now_us < self.from_us:
            return Phase.BEFORE
        if now_us < self.eve_us:
            return Phase.SETTING_UP
        if now_us < self.opens_us:
            return Phase.EVE
        if now_us < self.closes_us:
            return Phase.VOTING
        return Phase.COUNTING if now_us < self.to_us else Phase.AFTER
