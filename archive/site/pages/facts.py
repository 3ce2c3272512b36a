"""What the pages ask of the archive's account."""

from collections.abc import Sequence
from typing import Protocol

from archive.account.incidents import Incident
from archive.account.stations import StationFacts, Totals
from archive.names import UnitName
from evidence.day.answer import Record
from evidence.terms import Hold


class Facts(Protocol):
    """Asked from one thread at a time; each answer is as of now. OSError where the index cannot be read."""

    def totals(self) -> Totals:
        """The numbers of the day."""

    def stations(self) -> Sequence[StationFacts]:
        """Every station, listed or heard of, in the order of the list; those that are in no list come last."""

    def records(self, station: str) -> Sequence[tuple[int, Record]]:
        """For each unit of a station: the branch that it is on, and its record."""

    def live_lists(self, station: str) -> frozenset[tuple[str, str]]:
        """Unit and camera of each live list that a station has, or had."""

    def holds(self) -> Sequence[Hold]:
        """Times whose video is shown later, and why."""

    def incidents(self, station: str | None, skip: int, most: int) -> tuple[Sequence[Incident], int]:
        """Of one station or of all, newest first; and how many there are."""

    def incident(self, name: UnitName, branch: int, seq: int) -> Incident | None:
        """The one that this line tells."""
