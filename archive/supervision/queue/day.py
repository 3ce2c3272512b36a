"""The election's day as the queue sees it: which phase it is in, from the times that the profile gives."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from base.errors import OperatorError
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.profile import Profile
from evidence.terms import Terms, read_terms

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


def day_of(profile: Profile, terms: Terms) -> Day:
    """The profile's window, with opening and closing where it tells them; else voting lasts as long as the window."""
    told = {each.phase.value: each.at_us for each in terms.phases}
    end_us = profile.to_us + profile.margin_s * 1_000_000
    opens_us = min(max(told.get("opened", profile.from_us), profile.from_us), end_us)
    closes_us = min(max(told.get("closed", end_us), opens_us), end_us)
    return Day(from_us=profile.from_us, opens_us=opens_us, closes_us=closes_us, to_us=end_us)


def read_day(path: Path, trust: Trust, election: str) -> Day:
    """From the signed profile in a file. Raises OperatorError."""
    hint = "Ask the election authority for the signed profile."
    try:
        profile, terms, _ = read_terms(path.read_text("ascii").strip(), trust)
    except (OSError, UnicodeDecodeError, EvidenceError) as error:
        raise OperatorError(f"{path}: the profile cannot be used: {error}.", hint=hint) from error
    if profile.election != election:
        raise OperatorError(f"{path}: the profile is of another election.", hint=hint)
    return day_of(profile, terms)
