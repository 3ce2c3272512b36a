"""Tickets: work for somebody at a station, opened and closed by what the unit tells, or by hand with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from sqlalchemy import Connection, Row, insert, select, update

from archive.account.stations import StationFacts
from archive.supervision.database import SupervisionDatabase
from archive.supervision.queue.case import Step
from archive.supervision.queue.rules import Reason
from archive.supervision.schema import cases, ticket_steps, tickets

NEEDS_HANDS = (Reason.NOT_RECORDING, Reason.SILENT, Reason.NEVER_SEEN, Reason.NOT_ARMED)
"""What a unit does not mend alone. The other reasons get a ticket where an operator opens one."""
MOST_WORDS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """``opened_by`` and ``closed_by`` are None where the unit did it. Times are UTC in microseconds.

    ``since_us`` is when the trouble began, ``mended_us`` when the station was well again; None where a ticket was
    closed without that.
    """

    number: int
    station: str
    constituency: str
    reason: Reason
    unit: str | None
    proven_us: int | None
    since_us: int
    opened_us: int
    opened_by: str | None
    closed_us: int | None
    closed_by: str | None
    mended_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """Of a constituency: how many tickets were mended, how long that took on average and at most."""

    constituency: str
    mended: int
    mean_us: int
    longest_us: int


class Tickets:
    """All tickets. Methods raise OSError."""

    def __init__(self, database: SupervisionDatabase) -> None:
        self._database = database

    def find(self, number: int) -> Ticket | None:
        """The ticket of that number."""
        with self._database.reading() as connection:
            row = connection.execute(select(tickets).where(tickets.c.number == number)).first()
        return None if row is None else _ticket(row)

    def newest(self, most: int = 500) -> list[Ticket]:
        """Open ones first, then the newest."""
        query = select(tickets).order_by(tickets.c.closed_us.is_not(None), tickets.c.number.desc()).limit(most)
        with self._database.reading() as connection:
            return [_ticket(row) for row in connection.execute(query)]

    def open(self, facts: StationFacts, reason: Reason, operator: str, words: str, now_us: int) -> int:
        """One opened by hand; the number of the station's open ticket where it has one. Raises ValueError."""
        _checked(words)
        with self._database.writing() as connection:
            mine = (tickets.c.station == facts.name) & tickets.c.closed_us.is_(None)
            number = connection.scalar(select(tickets.c.number).where(mine))
            if number is not None:
                return int(number)
            return _open(connection, facts, reason, None, (now_us, now_us), (operator, words))

    def close(self, number: int, operator: str, words: str, now_us: int) -> bool:
        """Closed by hand, with a reason. False where it is not open. Raises ValueError."""
        _checked(words)
        with self._database.writing() as connection:
            mine = (tickets.c.number == number) & tickets.c.closed_us.is_(None)
            if not connection.execute(
                update(tickets).where(mine).values(closed_us=now_us, closed_by=operator)
            ).rowcount:
                return False
            _step(connection, number, now_us, "closed", words, operator)
        return True

    def steps(self, number: int) -> list[Step]:
        """The history of a ticket, the oldest first."""
        query = select(ticket_steps).where(ticket_steps.c.number == number).order_by(ticket_steps.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Step(at_us=row.at_us, what=row.what, operator=row.operator, detail=row.detail) for row in rows]

    def repairs(self) -> list[Repairs]:
        """Of each constituency that had any, by its number."""
        took: dict[str, list[int]] = {}
        query = select(tickets).where(tickets.c.mended_us.is_not(None))
        with self._database.reading() as connection:
            for row in connection.execute(query):
                took.setdefault(row.constituency, []).append(max(row.mended_us - row.since_us, 0))
        return [
            Repairs(constituency=name, mended=len(each), mean_us=int(fmean(each)), longest_us=max(each))
            for name, each in sorted(took.items(), key=lambda item: int(item[0] or 0))
        ]


def open_by_unit(connection: Connection, facts: Mapping[str, StationFacts], now_us: int) -> None:
    """A ticket for each case that needs hands and has had none in this round. Part of the case's transaction."""
    reasons = [reason.value for reason in NEEDS_HANDS]
    had = select(tickets.c.case_id).where(tickets.c.case_id.is_not(None))
    busy = select(tickets.c.station).where(tickets.c.closed_us.is_(None))
    query = select(cases).where(
        cases.c.ended_us.is_(None),
        cases.c.well_us.is_(None),
        cases.c.reason.in_(reasons),
        cases.c.id.not_in(had),
        cases.c.station.not_in(busy),
    )
    for row in connection.execute(query).all():
        station = facts.get(row.station)
        if station is not None:
            _open(connection, station, Reason(row.reason), row.id, (row.since_us, now_us), (None, ""))


def close_by_unit(connection: Connection, station: str, well_us: int, now_us: int) -> None:
    """The station has been well since ``well_us``: its ticket is closed. Part of the case's transaction."""
    mine = (tickets.c.station == station) & tickets.c.closed_us.is_(None)
    for row in connection.execute(select(tickets.c.number).where(mine)).all():
        closed = update(tickets).where(tickets.c.number == row.number)
        connection.execute(closed.values(closed_us=now_us, mended_us=well_us))
        _step(connection, row.number, now_us, "mended", "", None)


def _open(
    connection: Connection,
    facts: StationFacts,
    reason: Reason,
    case: int | None,
    times: tuple[int, int],
    by: tuple[str | None, str],
) -> int:
    values = {
        "case_id": case,
        "station": facts.name,
        "constituency": "" if facts.listed is None else facts.listed.constituency,
        "reason": reason.value,
        "unit": facts.units[-1].unit if facts.units else None,
        "proven_us": facts.proven_us,
        "since_us": times[0],
        "opened_us": times[1],
        "opened_by": by[0],
    }
    key = connection.execute(insert(tickets).values(values)).inserted_primary_key
    assert key is not None
    _step(connection, int(key[0]), times[1], "opened", by[1], by[0])
    return int(key[0])


def _checked(words: str) -> None:
    if not words.strip():
        raise ValueError("a reason is needed")
    if len(words) > MOST_WORDS:
        raise ValueError(f"more than {MOST_WORDS} letters")


def _step(connection: Connection, number: int, now_us: int, what: str, detail: str, operator: str | None) -> None:
    values = {"number": number, "at_us": now_us, "what": what, "operator": operator, "detail": detail}
    connection.execute(insert(ticket_steps).values(values))


def _ticket(row: "Row[tuple[object, ...]]") -> Ticket:
    return Ticket(
        number=row.number,
        station=row.station,
        constituency=row.constituency,
        reason=Reason(row.reason),
        unit=row.unit,
        proven_us=row.proven_us,
        since_us=row.since_us,
        opened_us=row.opened_us,
        opened_by=row.opened_by,
        closed_us=row.closed_us,
        closed_by=row.closed_by,
        mended_us=row.mended_us,
    )
