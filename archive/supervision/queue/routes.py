"""The queue and the tickets as pages, and what operators do there.

The door has checked who asks and, of a POST, that it comes from a page of ours. What is changed is in the access log
before it is changed.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import hdrs, web

from archive.account.incidents import Incident
from archive.roster import LANGUAGES
from archive.supervision.doors import Operator, Right, operator_of, require
from archive.supervision.parts import SupervisionParts
from archive.supervision.queue.case import Case
from archive.supervision.queue.casebook import MOST_WORDS, Casebook
from archive.supervision.queue.day import Day, Phase
from archive.supervision.queue.faultcodes import Advice, advice, fault_of
from archive.supervision.queue.rules import Reason, urgency
from archive.supervision.queue.tickets import Tickets
from archive.supervision.wall.page import SupervisionLayout

_LANGUAGE = f"/{{language:{'|'.join(LANGUAGES)}}}"
_NUMBER = "{number:[0-9]{1,9}}"
MOST_ANSWERED = 2_000
"""Cases that one POST answers for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case as the queue shows it."""

    case: Case
    advice: Advice
    minutes: int
    urgency: int


class QueueRoutes:
    """``incidents`` gives a station's newest; it is asked in a thread, as the database is."""

    def __init__(
        self,
        parts: SupervisionParts,
        layout: SupervisionLayout,
        book: Casebook,
        tickets: Tickets,
        incidents: Callable[[str], Sequence[Incident]],
        day: Day | None = None,
    ) -> None:
        self._parts, self._layout, self._book, self._tickets = parts, layout, book, tickets
        self._incidents, self._day = incidents, day

    def routes(self) -> list[web.RouteDef]:
        """For the centre's application."""
        return [
            web.get(f"{_LANGUAGE}/queue", self._queue),
            web.post(f"{_LANGUAGE}/queue", self._answer),
            web.get(f"{_LANGUAGE}/tickets", self._list),
            web.post(f"{_LANGUAGE}/tickets", self._open),
            web.get(f"{_LANGUAGE}/tickets/{_NUMBER}", self._ticket),
            web.post(f"{_LANGUAGE}/tickets/{_NUMBER}", self._close),
        ]

    def rows(self, now_us: int) -> list[Row]:
        """What needs an answer first, then what goes on and was answered for; the most urgent first. OSError."""
        phase = Phase.VOTING if self._day is None else self._day.phase(now_us)
        rows = []
        for case in self._book.shown():
            until_us = now_us if case.ended_us is None else case.ended_us
            listed = self._parts.public.roster.find(case.station)
            voters = None if listed is None else listed.voters
            rows.append(
                Row(
                    case=case,
                    advice=advice(None, case.reason),
                    minutes=max(until_us - case.since_us, 0) // 60_000_000,
                    urgency=urgency(case.reason, case.since_us, voters, phase, until_us),
                )
            )
        return sorted(
            rows,
            key=lambda row: (not row.case.needs_answer, row.case.ended_us is not None, -row.urgency, row.case.number),
        )

    async def _queue(self, request: web.Request) -> web.Response:
        def make(operator: Operator, language: str) -> bytes:
            now_us = self._parts.now_us()
            rows = self.rows(now_us)
            may = operator.may(Right.OPERATE)
            return self._layout.page(language, "/queue", operator, "queue.html", rows=rows, may=may, at_us=now_us)

        return await self._made(request, make)

    async def _list(self, request: web.Request) -> web.Response:
        def make(operator: Operator, language: str) -> bytes:
            listed, repairs = self._tickets.newest(), self._tickets.repairs()
            may, reasons = operator.may(Right.OPERATE), [each for each in Reason if each is not Reason.BLIND]
            values = {"tickets": listed, "repairs": repairs, "may": may, "reasons": reasons}
            return self._layout.page(language, "/tickets", operator, "tickets.html", **values)

        return await self._made(request, make)

    async def _ticket(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])

        def make(operator: Operator, language: str) -> bytes:
            ticket = self._tickets.find(number)
            if ticket is None:
                raise web.HTTPNotFound(text="there is no such ticket\n")
            fault = fault_of(self._incidents(ticket.station), ticket.since_us)
            listed = self._parts.public.roster.find(ticket.station)
            return self._layout.page(
                language,
                f"/tickets/{number}",
                operator,
                "ticket.html",
                ticket=ticket,
                fault=fault,
                advice=advice(fault, ticket.reason),
                name=listed.named(language) if listed else "",
                address=listed.address(language) if listed else "",
                steps=self._tickets.steps(number),
                may=operator.may(Right.OPERATE) and ticket.closed_us is None,
            )

        return await self._made(request, make)

    async def _answer(self, request: web.Request) -> web.Response:
        operator, form = require(request, Right.OPERATE), await request.post()
        numbers = [
            int(str(each)) for each in form.getall("case", []) if str(each)[:9].isascii() and str(each).isdecimal()
        ]
        words = str(form.get("words", ""))[:MOST_WORDS]

        def change() -> str:
            for number in numbers[:MOST_ANSWERED]:
                self._write(request, operator, "acknowledge", str(number))
                self._book.acknowledge(number, operator.name, words, self._parts.now_us())
            return "queue"

        return await self._changed(request, change)

    async def _open(self, request: web.Request) -> web.Response:
        operator, form = require(request, Right.OPERATE), await request.post()
        facts = self._parts.watch.station(str(form.get("station", ""))[:32])
        if facts is None:
            raise web.HTTPNotFound(text="there is no such station\n")
        try:
            reason = Reason(str(form.get("reason", "")))
        except ValueError:
            raise web.HTTPBadRequest(text="there is no such reason\n") from None

        def change() -> str:
            self._write(request, operator, "ticket-open", facts.name)
            words, now_us = str(form.get("words", "")), self._parts.now_us()
            return f"tickets/{self._tickets.open(facts, reason, operator.name, words, now_us)}"

        return await self._changed(request, change)

    async def _close(self, request: web.Request) -> web.Response:
        operator, form, number = (
            require(request, Right.OPERATE),
            await request.post(),
            int(request.match_info["number"]),
        )

        def change() -> str:
            self._write(request, operator, "ticket-close", str(number))
            self._tickets.close(number, operator.name, str(form.get("words", "")), self._parts.now_us())
            return f"tickets/{number}"

        return await self._changed(request, change)

    def _write(self, request: web.Request, operator: Operator, what: str, target: str) -> None:
        address = request.remote or ""
        self._parts.log.add(operator, at_us=self._parts.now_us(), address=address, what=what, target=target)

    async def _changed(self, request: web.Request, change: Callable[[], str]) -> web.Response:
        try:
            place = await asyncio.to_thread(change)
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        return web.Response(status=303, headers={hdrs.LOCATION: f"/{request.match_info['language']}/{place}"})

    async def _made(self, request: web.Request, make: Callable[[Operator, str], bytes]) -> web.Response:
        body = await asyncio.to_thread(make, operator_of(request), request.match_info["language"])
        response = web.Response(body=body, content_type="text/html", charset="utf-8")
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        return response
