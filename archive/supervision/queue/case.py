"""A case: trouble of one station that somebody must answer for."""

from dataclasses import dataclass

from archive.supervision.queue.rules import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """As it stands. Times are UTC in microseconds; None where it has not come to that.

    ``round`` grows where the trouble becomes graver than what was answered for. ``level`` was called last, at
    ``level_us``; ``well_us`` is since when the station looks well.
    """

    number: int
    station: str
    about: str
    reason: Reason
    round: int
    since_us: int
    opened_us: int
    proven_us: int | None
    level: int
    level_us: int
    well_us: int | None
    acknowledged_us: int | None
    acknowledged_by: str | None
    ended_us: int | None

    @property
    def needs_answer(self) -> bool:
        """Nobody has answered for it: neither while it lasted nor since."""
        return self.acknowledged_us is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What became of a case or a ticket, and by whom: None is the unit itself."""

    at_us: int
    what: str
    operator: str | None
    detail: str
