"""What proves a recording, as the archive has it: ledgers, lines of them, receipts, whom the election trusts.

A ledger is sent up to where the index knows it, so never with a torn tail. Of the trust files only certificates and
revocation lists are sent, whatever else somebody has written into them.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar, TypeVarTuple

from aiohttp import hdrs, web
from cryptography.hazmat.primitives.serialization import Encoding

from archive.index.rows import BranchRow, LineRow, ReceiptRow
from archive.names import UnitName
from archive.site.parts import SiteParts
from archive.site.sending import Sender, Span
from evidence.certificate import Trust
from evidence.members import NAME

MOST_LINES = 256
LINES_TYPE = "application/vnd.unbroken.lines"
_NUMBER = r"0|[1-9][0-9]{0,15}"
_BRANCH = re.compile(r"(0|[1-9][0-9]{0,5})\.jws")
_LINES = re.compile(rf"({_NUMBER})-({_NUMBER})\.jws")
_UNIT = re.compile(r"(.*)\.jws")
_CRL = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
_OPEN = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
_GROWS = {**_OPEN, "Cache-Control": "max-age=2"}
_STAYS = {**_OPEN, "Cache-Control": "public, max-age=31536000, immutable"}
_TRUST = {**_OPEN, "Cache-Control": "max-age=60", "Content-Type": "application/x-pem-file"}
_log = logging.getLogger("site")

Answer = TypeVar("Answer")
Asked = TypeVarTuple("Asked")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Lines(Protocol):
    """What is asked of the index; OSError where it fails."""

    def branches(self, name: UnitName) -> list[BranchRow]:
        """The unit's branches."""

    def places(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> list[LineRow]:
        """Where lines lie in the branch's file."""

    def receipts(self, name: UnitName) -> list[ReceiptRow]:
        """Where the unit's receipts lie in the journal."""


class _UnknownError(Exception):
    """There is no such thing."""


class Proofs:
    """Handlers. ``ledgers`` is the folder of all ledgers, ``receipts`` the journal."""

    def __init__(self, index: Lines, *, ledgers: Path, receipts: Path, trust: Path, revoked: Path | None) -> None:
        self._index, self._ledgers, self._receipts = index, ledgers, receipts
        self._trust, self._revoked = trust, revoked
        self._thread = ThreadPoolExecutor(4, "proofs")
        self._sender = Sender(self._thread)

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        return [
            web.get("/trust.pem", _answering(self.trust)),
            web.get("/revoked.pem", _answering(self.revoked)),
            web.get("/ledger/{station}/{unit}/branches.json", _answering(self.branches)),
            web.get("/ledger/{station}/{unit}/{file}", _answering(self.branch)),
            web.get("/ledger/{station}/{unit}/{branch}/{file}", _answering(self.lines)),
            web.get("/receipts/{station}/{file}", _answering(self.receipts)),
        ]

    async def branches(self, request: web.Request) -> web.StreamResponse:
        """All branches of a unit, and which one it is on."""
        known = await self._branches(_unit(request.match_info["station"], request.match_info["unit"]))
        current = max(known, key=lambda row: row.used).number
        told = [
            {
                "branch": row.number,
                "parent": row.parent,
                "from_seq": row.from_seq,
                "head_seq": row.head_seq,
                "head_sha256": row.head_sha256,
                "size_bytes": row.size_bytes,
                "closed": row.closed,
                "current": row.number == current,
            }
            for row in known
        ]
        return web.json_response({"branches": told}, headers=_GROWS)

    async def branch(self, request: web.Request) -> web.StreamResponse:
        """A whole ledger, as far as the index knows it. It only grows, so a range of it stays what it is."""
        name = _unit(request.match_info["station"], request.match_info["unit"])
        number = int(_match(_BRANCH, request.match_info["file"])[1])
        row = next((row for row in await self._branches(name) if row.number == number), None)
        if row is None:
            raise _UnknownError
        spans = [Span(offset=0, size=row.size_bytes)]
        return await self._send(request, self._ledger(name, number), spans, {**_GROWS, "Content-Type": LINES_TYPE})

    async def lines(self, request: web.Request) -> web.StreamResponse:
        """Some lines of a branch, each with its LF; all of them or none."""
        name = _unit(request.match_info["station"], request.match_info["unit"])
        number = int(_match(_BRANCH, f"{request.match_info['branch']}.jws")[1])
        match = _match(_LINES, request.match_info["file"])
        first, last = int(match[1]), int(match[2])
        if not first <= last < first + MOST_LINES:
            raise _UnknownError
        rows = await self._ask(self._index.places, name, number, first, last + 1)
        if [row.seq for row in rows] != list(range(first, last + 1)):
            raise _UnknownError
        spans = [Span(offset=row.offset, size=row.size_bytes + 1) for row in rows]
        return await self._send(request, self._ledger(name, number), spans, {**_STAYS, "Content-Type": LINES_TYPE})

    async def receipts(self, request: web.Request) -> web.StreamResponse:
        """All receipts that the archive has given a unit, each with its LF."""
        name = _unit(request.match_info["station"], _match(_UNIT, request.match_info["file"])[1])
        await self._branches(name)
        rows = await self._ask(self._index.receipts, name)
        spans = [Span(offset=row.offset, size=row.size_bytes + 1) for row in rows]
        headers = {**_GROWS, "Content-Type": "text/plain; charset=us-ascii"}
        return await self._send(request, self._receipts, spans, headers)

    async def trust(self, _: web.Request) -> web.StreamResponse:
        """The election roots."""
        roots = (await self._ask(_read_trust, self._trust)).roots
        return web.Response(body=b"".join(root.public_bytes(Encoding.PEM) for root in roots), headers=_TRUST)

    async def revoked(self, _: web.Request) -> web.StreamResponse:
        """The revocation lists; an empty file where there are none: a browser complains of what is missing."""
        paths = [self._trust] if self._revoked is None else [self._trust, self._revoked]
        lists = [text for path in paths for text in await self._ask(_read_lists, path)]
        return web.Response(body=b"".join(text + b"\n" for text in lists), headers=_TRUST)

    async def _branches(self, name: UnitName) -> list[BranchRow]:
        known = await self._ask(self._index.branches, name)
        if not known:
            raise _UnknownError
        return known

    async def _send(
        self, request: web.Request, path: Path, spans: list[Span], headers: dict[str, str]
    ) -> web.StreamResponse:
        return await self._sender.send(request, path, spans, headers)

    def _ledger(self, name: UnitName, branch: int) -> Path:
        return self._ledgers / name.station / name.unit / f"{branch}.jws"

    async def _ask(self, what: Callable[[*Asked], Answer], *asked: *Asked) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, what, *asked)


def routes(parts: SiteParts) -> list[web.RouteDef]:
    """The addresses of proofs, for the site's application."""
    config = parts.config
    proofs = Proofs(
        parts.reader, ledgers=parts.ledgers, receipts=parts.receipts, trust=config.trust, revoked=config.revoked
    )
    return proofs.routes()


def _answering(handler: Handler) -> Handler:
    """``handler``, with its refusals as answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.query_string:
            return _refused(400, "this address takes no query", "no-store")
        try:
            return await handler(request)
        except _UnknownError:
            return _refused(404, "there is no such thing here", "max-age=1")
        except ConnectionResetError:
            raise
        except (OSError, ValueError) as error:
            _log.error("a proof could not be sent", extra={"fields": {"path": request.path, "error": str(error)}})
            refused = _refused(503, "it cannot be sent now", "no-store")
            refused.headers[hdrs.RETRY_AFTER] = "2"
            return refused

    return answer


def _refused(status: int, text: str, cache: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers={**_OPEN, "Cache-Control": cache})


def _unit(station: str, unit: str) -> UnitName:
    try:
        return UnitName(station=NAME(station), unit=NAME(unit))
    except ValueError as error:
        raise _UnknownError from error


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise _UnknownError
    return match


def _read_trust(path: Path) -> Trust:
    return Trust.from_pem(path.read_bytes())


def _read_lists(path: Path) -> list[bytes]:
    text = path.read_bytes()
    Trust.from_pem(text)  # what it refuses is damaged
    return _CRL.findall(text)
