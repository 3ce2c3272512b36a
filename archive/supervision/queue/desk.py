"""The queue within the centre: it follows the watch, answers the wall, and calls people beside both."""

from collections.abc import Sequence

from aiohttp import web

from archive.account.incidents import Incident
from archive.account.stations import StationFacts
from archive.finding import FindingRow, Oddity
from archive.supervision.notify.config import read_notifiers
from archive.supervision.parts import SupervisionParts
from archive.supervision.queue.calling import run_calling
from archive.supervision.queue.case import Case
from archive.supervision.queue.casebook import Casebook
from archive.supervision.queue.day import read_day
from archive.supervision.queue.outbox import Outbox
from archive.supervision.queue.routes import QueueRoutes
from archive.supervision.queue.rules import Reason, Trouble
from archive.supervision.queue.tickets import Tickets
from archive.supervision.wall.page import SupervisionLayout
from archive.supervision.wall.tiles import STANDS_OUT
from evidence.codes import MEANINGS, Weight

BLIND_US = 30_000_000
"""An index that is busy for a moment is no alarm."""
_INCIDENTS = 50


class QueueDesk:
    """Made once, before the watch's first look."""

    def __init__(self, parts: SupervisionParts) -> None:
        """The day is that of ``publish.profile``, as it is now; secrets of notifiers are looked for beside the centre's
        key. Raises OperatorError.
        """
        profile, archive = parts.archive.publish.profile, parts.archive
        day = None if profile is None else read_day(profile, parts.trust.now(), archive.election)
        self._parts, self._day = parts, day
        self._notifiers = read_notifiers(parts.config.notify, parts.config.key.parent)
        self._book = Casebook(parts.database, {each.name: each.level for each in self._notifiers}, day)
        self._tickets, self._outbox = Tickets(parts.database), Outbox(parts.database)
        self._needs: frozenset[str] = frozenset()
        self._blind_us: int | None = None
        parts.watch.follow(self.told)

    def told(self, stations: Sequence[StationFacts] | None, now_us: int) -> None:
        """After each look of the watch. Raises OSError. While the archive has no time, nothing can be late."""
        if not now_us:
            return
        if stations is None:
            self._blind_us = now_us if self._blind_us is None else self._blind_us
            if now_us - self._blind_us < BLIND_US:
                return
            self._book.take(None, now_us)
        else:
            self._blind_us = None
            self._book.take(stations, now_us, findings_of(self._parts.public.reader.findings(), now_us))
        self._needs = in_front(self._book.shown(), stations or ())

    def needs(self) -> frozenset[str]:
        """The stations that stand in front on the wall, as of the last look."""
        return self._needs

    def routes(self, layout: SupervisionLayout) -> list[web.RouteDef]:
        """The queue's pages, for the centre's application."""
        return QueueRoutes(self._parts, layout, self._book, self._tickets, self._newest, self._day).routes()

    async def call(self) -> None:
        """Call whom it is time to call, until it is cancelled. Raises OSError."""
        await run_calling(self._outbox, self._notifiers, self._parts.now_us)

    def _newest(self, station: str) -> Sequence[Incident]:
        return self._parts.watch.incidents.page(station, 0, _INCIDENTS)[0]


def in_front(shown: Sequence[Case], stations: Sequence[StationFacts]) -> frozenset[str]:
    """Stations with a case that nobody has answered for, and those whose state stands out before it is a case."""
    waiting = {case.station for case in shown if case.needs_answer}
    answered = {case.station for case in shown if not case.needs_answer}
    return frozenset(waiting | {each.name for each in stations if each.state in STANDS_OUT} - (answered - waiting))


def findings_of(rows: Sequence[FindingRow], now_us: int) -> list[Trouble]:
    """Those of weight, one for each station and code. What is no unit's is nobody's duty to answer."""
    found: dict[tuple[str, str], Trouble] = {}
    for row in rows:
        code = row.code
        heavy = code is Oddity.LOST_BY_ARCHIVE if isinstance(code, Oddity) else MEANINGS[code].weight is Weight.WRONG
        if row.name is None or not heavy:
            continue
        since_us = min(row.first_us or now_us, now_us)
        each = Trouble(station=row.name.station, about=code.value, reason=Reason.FINDING, since_us=since_us)
        key = each.station, each.about
        if key not in found or since_us < found[key].since_us:
            found[key] = each
    return list(found.values())
