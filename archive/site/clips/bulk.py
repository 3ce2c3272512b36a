"""Lists for fetching all that is public of a unit with plain HTTP tools: as JSON, for sha256sum, as addresses.

What is fetched so, each file under the path of its address, is a folder that ``unbroken verify`` reads (spec/verify.md,
section 2.3). Lists are made while they are sent, a page of the index at a time.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from aiohttp import hdrs, web

from archive.index.rows import HeldSegment, ReceiptRow
from archive.names import UnitName
from archive.site.clips import plan
from archive.site.lists.times import Times, UnitTimes
from evidence.members import NAME

PAGE = 1_024
"""Segments asked for at a time."""
MOST_AT_ONCE = 16
SCHEMA = "unbroken-manifest-1"
_HEADERS = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=10"}
_WRITE_S = 60
_log = logging.getLogger("site")


class Rows(plan.Rows, Protocol):
    """What is asked of the index; OSError where it fails."""

    def segments_after(self, name: UnitName, branch: int, seq: int, most: int | None = None) -> list[HeldSegment]:
        """What a branch's own lines behind ``seq`` name, in order."""

    def receipts(self, name: UnitName) -> list[ReceiptRow]:
        """The unit's receipts."""


class Bulk:
    """Handlers. ``origin`` is where the site is reached, None where it is what is asked; ``revoked`` says whether there
    are revocation lists, and raises OSError.
    """

    def __init__(
        self, rows: Rows, public: plan.Public, *, origin: str | None, election: str, revoked: Callable[[], bool]
    ) -> None:
        self._rows, self._public = rows, public
        self._origin, self._election, self._revoked = origin, election, revoked
        self._times = Times(rows)
        self._thread = ThreadPoolExecutor(1, "bulk")
        self._room = MOST_AT_ONCE

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/bulk/{station}/{unit}/manifest.json", self._answering(self._manifest, "application/json")),
            web.get("/bulk/{station}/{unit}/SHA256SUMS", self._answering(self._sums, "text/plain; charset=us-ascii")),
            web.get("/bulk/{station}/{unit}/urls.txt", self._answering(self._urls, "text/plain; charset=us-ascii")),
        ]

    def _answering(
        self, make: Callable[[UnitName, str], Iterator[str]], kind: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                name = UnitName(station=NAME(request.match_info["station"]), unit=NAME(request.match_info["unit"]))
            except ValueError:
                return _refused(404, "there is no such unit")
            if self._room <= 0:
                return _later("many lists are being fetched now; please come again")
            self._room -= 1
            try:
                return await self._send(request, make(name, self._origin or _origin(request)), kind)
            finally:
                self._room += 1

        return answer

    async def _send(self, request: web.Request, texts: Iterator[str], kind: str) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        try:
            text = await loop.run_in_executor(self._thread, next, texts, None)
        except OSError as error:
            _log.error("a list could not be made", extra={"fields": {"path": request.path, "error": str(error)}})
            return _later("the list cannot be made now")
        if text is None:
            return _refused(404, "there is no such unit")
        answer = web.StreamResponse(headers={**_HEADERS, hdrs.CONTENT_TYPE: kind})
        answer.enable_compression()
        await answer.prepare(request)
        try:
            while text is not None and request.method != hdrs.METH_HEAD:
                async with asyncio.timeout(_WRITE_S):
                    await answer.write(text.encode())
                text = await loop.run_in_executor(self._thread, next, texts, None)
        except ConnectionResetError:
            raise
        except (OSError, TimeoutError) as error:
            # Broken off: half a list must not pass for a whole one.
            if not isinstance(error, TimeoutError):
                _log.error("a list was broken off", extra={"fields": {"path": request.path, "error": str(error)}})
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError(str(error)) from error
        return answer

    # --- the lists, in texts of some hundred lines; each runs in the thread -----------------------------

    def _manifest(self, name: UnitName, _: str) -> Iterator[str]:
        branches = self._rows.branches(name)
        times = self._times.of(name)
        if not branches or times is None:
            return
        head = {
            "schema": SCHEMA,
            "election": self._election,
            "station": name.station,
            "unit": name.unit,
            "trust": "/trust.pem",
            "revoked": "/revoked.pem" if self._revoked() else None,
            "receipts": f"/receipts/{name.station}/{name.unit}.jws",
            "ledgers": [
                {
                    "address": _ledger(name, row.number),
                    "branch": row.number,
                    "parent": row.parent,
                    "size_bytes": row.size_bytes,
                    "head_seq": row.head_seq,
                    "head_sha256": row.head_sha256,
                    "closed": row.closed,
                }
                for row in branches
            ],
        }
        yield json.dumps(head)[:-1] + ', "segments": ['
        between = "\n"
        for page in self._pages(name):
            yield between + ",\n".join(json.dumps(_entry(row, times)) for row in page)
            between = ",\n"
        yield "\n]}\n"

    def _sums(self, name: UnitName, _: str) -> Iterator[str]:
        if not self._rows.branches(name):
            return
        yield ""
        inits: set[str] = set()
        for page in self._pages(name):
            yield "".join(f"{sha256}  {path[1:]}\n" for sha256, path in _files(page, inits))

    def _urls(self, name: UnitName, origin: str) -> Iterator[str]:
        branches = self._rows.branches(name)
        if not branches:
            return
        paths = ["/trust.pem", *(["/revoked.pem"] if self._revoked() else [])]
        paths += [_ledger(name, row.number) for row in branches]
        paths += [f"/receipts/{name.station}/{name.unit}.jws", f"/bulk/{name.station}/{name.unit}/SHA256SUMS"]
        yield "".join(f"{origin}{path}\n" for path in paths)
        inits: set[str] = set()
        for page in self._pages(name):
            yield "".join(f"{origin}{path}\n" for _, path in _files(page, inits))

    def _pages(self, name: UnitName) -> Iterator[list[HeldSegment]]:
        """What is public, by branch and ``seq``."""
        for branch in self._rows.branches(name):
            seq = -1
            while page := self._rows.segments_after(name, branch.number, seq, PAGE):
                public = self._public.published(name, branch.number, seq + 1, page[-1].seq + 1)
                seq = page[-1].seq
                if found := [row for row in page if row.seq in public]:
                    yield found


def _files(page: Sequence[HeldSegment], inits: set[str]) -> Iterator[tuple[str, str]]:
    """Digest and path of each file, a run's init segment before the first of its segments."""
    for row in page:
        init = row.init_sha256
        if init is not None and init not in inits:
            inits.add(init)
            yield init, f"/media/{init[:2]}/{init}.mp4"
        yield row.segment.sha256, _media(row)


def _entry(row: HeldSegment, times: UnitTimes) -> dict[str, object]:
    segment = row.segment
    begin, end = times.utc.at(row.boot_id, segment.from_ns), times.utc.at(row.boot_id, segment.to_ns)
    return {
        "address": _media(row),
        "sha256": segment.sha256,
        "size_bytes": segment.size,
        "camera": segment.camera,
        "mode": segment.mode.value,
        "from_utc_us": begin,
        "to_utc_us": end,
        "boot_id": row.boot_id,
        "from_ns": segment.from_ns,
        "to_ns": segment.to_ns,
        "branch": row.branch,
        "seq": row.seq,
        "session": row.session,
        "run": segment.run,
        "index": segment.index,
        "init_sha256": row.init_sha256,
    }


def _media(row: HeldSegment) -> str:
    sha256 = row.segment.sha256
    return f"/media/{sha256[:2]}/{sha256}.m4s"


def _ledger(name: UnitName, branch: int) -> str:
    return f"/ledger/{name.station}/{name.unit}/{branch}.jws"


def _origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _refused(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers=_HEADERS)


def _later(text: str) -> web.Response:
    refused = _refused(503, text)
    refused.headers[hdrs.RETRY_AFTER] = "5"
    return refused
