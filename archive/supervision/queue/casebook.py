"""All cases, kept in the database: opened, made graver, called out, answered and ended. Each method is one
transaction, so that a restart goes on where the last one stood.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Row, insert, select, update

from archive.account.stations import StationFacts
from archive.supervision.database import SupervisionDatabase
from archive.supervision.queue.case import Case, Step
from archive.supervision.queue.day import Day
from archive.supervision.queue.escalation import called, next_level
from archive.supervision.queue.rules import CALM_US, CENTRE, STATE, Reason, Trouble, is_graver, trouble
from archive.supervision.queue.tickets import close_by_unit, open_by_unit
from archive.supervision.schema import case_steps, cases, notifications

MOST_SHOWN = 2_000
MOST_WORDS = 500
"""Letters of what an operator writes."""


class Casebook:
    """``levels`` is, for each notifier by name, the level from which on it is called: 1 is at once."""

    def __init__(self, database: SupervisionDatabase, levels: Mapping[str, int], day: Day | None = None) -> None:
        self._database, self._levels, self._day = database, levels, day
        self._highest = max(levels.values(), default=1)

    def take(self, stations: Sequence[StationFacts] | None, now_us: int, findings: Sequence[Trouble] = ()) -> None:
        """How all stations are now. Opens, changes and ends cases, and calls whom it is time to call. Idempotent.

        ``stations`` is None where their states cannot be known: that is a case of the centre, no other ends by it, and
        all go on being called. Raises OSError; then nothing of it has happened, and the next call makes up for it.
        """
        facts = {each.name: each for each in stations or ()}
        found = {(each.station, each.about): each for each in findings}
        if stations is None:
            found[CENTRE, STATE] = Trouble(station=CENTRE, about=STATE, reason=Reason.BLIND, since_us=now_us)
        with self._database.writing() as connection:
            query = select(cases).where(cases.c.ended_us.is_(None) | (cases.c.about != STATE))
            known = {(row.station, row.about): case_of(row) for row in connection.execute(query)}
            for station in facts.values():
                case = known.get((station.name, STATE))
                asked = trouble(station, self._day, now_us, begun=case is not None)
                if asked is not None:
                    found[asked.station, asked.about] = asked
            for key, each in found.items():
                proven_us = facts[each.station].proven_us if each.station in facts else None
                if key in known:
                    self._goes_on(connection, known[key], each, proven_us, now_us)
                else:
                    self._begins(connection, each, proven_us, now_us)
            for key, case in known.items():
                if key not in found and case.about == STATE and stations is not None:
                    self._looks_well(connection, case, now_us)
            self._call(connection, now_us)
            open_by_unit(connection, facts, now_us)

    def acknowledge(self, number: int, operator: str, words: str, now_us: int) -> bool:
        """Somebody has answered for it: nobody else is called. False where it is not there, or was answered for.

        Durable on return. Raises OSError, and ValueError for too many words.
        """
        if len(words) > MOST_WORDS:
            raise ValueError(f"more than {MOST_WORDS} letters")
        with self._database.writing() as connection:
            mine = (cases.c.id == number) & cases.c.acknowledged_us.is_(None)
            values = {"acknowledged_us": now_us, "acknowledged_by": operator}
            if not connection.execute(update(cases).where(mine).values(values)).rowcount:
                return False
            # A finding does not mend itself: an answer is its end.
            finding = (cases.c.id == number) & (cases.c.about != STATE)
            connection.execute(update(cases).where(finding).values(ended_us=now_us))
            _step(connection, number, now_us, "acknowledged", words, operator)
        return True

    def shown(self) -> list[Case]:
        """Those that go on, and those that are over and that nobody has answered for. Raises OSError."""
        wanted = cases.c.ended_us.is_(None) | cases.c.acknowledged_us.is_(None)
        with self._database.reading() as connection:
            rows = connection.execute(select(cases).where(wanted).order_by(cases.c.id.desc()).limit(MOST_SHOWN)).all()
        return [case_of(row) for row in rows]

    def needs_answer(self) -> frozenset[str]:
        """The stations that stay in front until somebody has answered for them. Raises OSError."""
        return frozenset(case.station for case in self.shown() if case.needs_answer)

    def steps(self, number: int) -> list[Step]:
        """The history of a case, the oldest first. Raises OSError."""
        query = select(case_steps).where(case_steps.c.case_id == number).order_by(case_steps.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Step(at_us=row.at_us, what=row.what, operator=row.operator, detail=row.detail) for row in rows]

    def _begins(self, connection: Connection, each: Trouble, proven_us: int | None, now_us: int) -> None:
        values = {
            "station": each.station,
            "about": each.about,
            "reason": each.reason.value,
            "round": 1,
            "since_us": each.since_us,
            "opened_us": now_us,
            "proven_us": proven_us,
            "level": 0,
            "level_us": now_us,
        }
        key = connection.execute(insert(cases).values(values)).inserted_primary_key
        assert key is not None
        _step(connection, int(key[0]), now_us, "opened", each.reason.value)

    def _goes_on(self, connection: Connection, case: Case, each: Trouble, proven_us: int | None, now_us: int) -> None:
        values: dict[str, object] = {}
        if case.well_us is not None:
            values["well_us"] = None
        if each.reason is not case.reason:
            values |= {"reason": each.reason.value, "proven_us": proven_us}
            if is_graver(each.reason, case.reason) and case.acknowledged_us is not None:
                values |= {"round": case.round + 1, "level": 0, "level_us": now_us}
                values |= {"acknowledged_us": None, "acknowledged_by": None}
            _step(connection, case.number, now_us, "changed", each.reason.value)
        if values:
            connection.execute(update(cases).where(cases.c.id == case.number).values(values))

    def _looks_well(self, connection: Connection, case: Case, now_us: int) -> None:
        mine = update(cases).where(cases.c.id == case.number)
        if case.well_us is None or case.well_us > now_us:
            connection.execute(mine.values(well_us=now_us))
        elif now_us - case.well_us >= CALM_US:
            connection.execute(mine.values(ended_us=case.well_us))
            _step(connection, case.number, now_us, "ended", "")
            close_by_unit(connection, case.station, case.well_us, now_us)

    def _call(self, connection: Connection, now_us: int) -> None:
        waiting = cases.c.ended_us.is_(None) & cases.c.acknowledged_us.is_(None) & cases.c.well_us.is_(None)
        for row in connection.execute(select(cases).where(waiting)).all():
            case = case_of(row)
            level = next_level(case.level, case.level_us, self._highest, now_us)
            if level is None:
                continue
            connection.execute(update(cases).where(cases.c.id == case.number).values(level=level, level_us=now_us))
            _step(connection, case.number, now_us, "called", str(level))
            reached = called(level, self._highest)
            due = [
                {"case_id": case.number, "round": case.round, "level": level, "notifier": name, "due_us": now_us}
                for name, at in sorted(self._levels.items())
                if at == reached
            ]
            if due:
                connection.execute(insert(notifications), due)


def case_of(row: "Row[tuple[object, ...]]") -> Case:
    """A row of ``cases``."""
    return Case(
        number=row.id,
        station=row.station,
        about=row.about,
        reason=Reason(row.reason),
        round=row.round,
        since_us=row.since_us,
        opened_us=row.opened_us,
        proven_us=row.proven_us,
        level=row.level,
        level_us=row.level_us,
        well_us=row.well_us,
        acknowledged_us=row.acknowledged_us,
        acknowledged_by=row.acknowledged_by,
        ended_us=row.ended_us,
    )


def _step(
    connection: Connection, number: int, now_us: int, what: str, detail: str, operator: str | None = None
) -> None:
    values = {"case_id": number, "at_us": now_us, "what": what, "operator": operator, "detail": detail}
    connection.execute(insert(case_steps).values(values))
