"""What the archive's account knows, as the facts that pages ask for."""

from collections.abc import Sequence

from archive.account.accounts import Accounts
from archive.roster import StationStatus
from archive.site.pages.facts import Incident, Kind, StationFacts, Totals
from archive.site.parts import SiteParts
from evidence.day.answer import Record


class Known:
    """``Facts`` over the index and the publications. For one thread at a time."""

    def __init__(self, parts: SiteParts) -> None:
        self._parts = parts
        self._accounts = Accounts(parts.reader, parts.publications)

    def totals(self) -> Totals:
        """The numbers of the day."""
        states: dict[str, int] = {}
        for each in self.stations():
            states[each.state] = states.get(each.state, 0) + 1
        listed = self._parts.roster.stations
        exempt = sum(each.status is StationStatus.EXEMPT for each in listed)
        not_covered = sum(each.status is StationStatus.NOT_COVERED for each in listed)
        missing = states.get("never-seen", 0)
        expected = len(listed) - exempt - not_covered
        total = sum(states.values())
        return Totals(
            at_us=self._parts.clock.read().utc_us or 0,
            stations=total,
            expected=expected,
            exempt=exempt,
            not_covered=not_covered,
            unlisted=total - len(listed),
            recorded=expected - missing,
            live=states.get("live", 0),
            missing=missing,
            states=states,
        )

    def stations(self) -> Sequence[StationFacts]:
        """Every station."""
        heard = {row.name.station: row for row in self._parts.reader.units()}
        found = []
        for listed in self._parts.roster.stations:
            row = heard.pop(listed.name, None)
            if listed.status is StationStatus.RECORDED or row is not None:
                state = "never-seen" if row is None else "recording" if row.state == "open" else "complete"
            else:
                state = listed.status.value
            found.append(StationFacts(name=listed.name, listed=listed, state=state))
        for name, row in sorted(heard.items()):
            state = "recording" if row.state == "open" else "complete"
            found.append(StationFacts(name=name, listed=None, state=state))
        return found

    def records(self, station: str) -> Sequence[tuple[int, Record]]:
        """Of each unit of a station."""
        found = []
        for row in self._parts.reader.units():
            record = self._accounts.of(row.name) if row.name.station == station else None
            if record is not None:
                found.append((max(each.number for each in self._parts.reader.branches(row.name)), record))
        return found

    def incidents(self, station: str | None, skip: int, most: int) -> tuple[Sequence[Incident], int]:
        """Newest first."""
        found: list[Incident] = []
        for row in self._parts.reader.units():
            if station not in (None, row.name.station):
                continue
            record = self._accounts.of(row.name)
            found += [
                Incident(
                    station=row.name.station,
                    unit=row.name.unit,
                    branch=0,
                    seq=event.seq,
                    kind=Kind.EVENT,
                    what=event.event,
                    camera=event.camera,
                    start=event.at,
                    end=None,
                    duration_ms=None,
                    ongoing=False,
                    facts=event.data,
                    heard_us=None,
                )
                for event in (record.events if record else ())
            ]
        return found[::-1][skip : skip + most], len(found)

    def incident(self, station: str, unit: str, branch: int, seq: int) -> Incident | None:
        """The one that a line tells."""
        found, _ = self.incidents(station, 0, 100_000)
        return next((each for each in found if (each.unit, each.branch, each.seq) == (unit, branch, seq)), None)
