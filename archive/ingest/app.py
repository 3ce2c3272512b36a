"""The endpoints of spec/upload.md over HTTP: forms and statuses. What they mean is in commits.py and mediaintake.py."""

import asyncio
import json
import logging
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from archive.finding import Finding, read_code
from archive.ingest.admission import Admission
from archive.ingest.begun import Begun
from archive.ingest.commits import Commits
from archive.ingest.lines import LinesAnswer
from archive.ingest.media import read_head
from archive.ingest.mediaintake import MediaIntake
from archive.ingest.peer import Peers, StrangerError, digest_of
from archive.ingest.reading import split_lines
from archive.ingest.refusal import RefusedError
from archive.ingest.tally import Tally
from archive.names import UnitName
from evidence.receipt import MAX_MEDIA

MAX_LINES = 2_048
MAX_LINES_BYTES = 1 << 20
LINES_TYPE = "application/vnd.unbroken.lines"
_MAX_RECEIPTS_BYTES = 1 << 14
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_log = logging.getLogger("archive")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """``stall_s`` is how long a sender may say nothing in the middle of a body."""

    commits: Commits
    media_intake: MediaIntake
    admission: Admission
    peers: Peers
    tally: Tally
    begun: Begun
    stall_s: float

    def application(self) -> web.Application:
        """The application, to be served over TLS only."""
        application = web.Application(middlewares=[_answer_refusals, self._counted])
        application.router.add_post("/v1/lines", self.lines)
        application.router.add_put("/v1/media/{sha256}", self.media)
        application.router.add_post("/v1/receipts", self.receipts)
        return application

    @property
    def _counted(self) -> Middleware:
        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            with self.begun.one():
                return await handler(request)

        return count

    async def lines(self, request: web.Request) -> web.Response:
        """Sections 2 and 5."""
        name, by = await self._unit(request)
        ask, branch, most = _number(request, "from"), _number(request, "branch"), _number(request, "lacks")
        if set(request.query) - {"from", "branch", "lacks"} or (ask is not None and branch is not None):
            raise RefusedError(400, "form", "the query has one of from=SEQ and branch=SEQ, and lacks=COUNT, at most")
        _require_type(request, LINES_TYPE)
        with self.admission.admit(name, min(request.content_length or MAX_LINES_BYTES, MAX_LINES_BYTES), 0):
            body = await self._whole(request, MAX_LINES_BYTES)
            try:
                texts = split_lines(body)
            except ValueError as error:
                raise RefusedError(400, "form", f"the body is no whole lines: {error}") from error
            if len(texts) > MAX_LINES:
                raise RefusedError(413, "form", f"at most {MAX_LINES} lines at a time")
            if ask is None:
                await self.media_intake.settled(name)
                return _lines_response(await self.commits.lines(name, texts, branch=branch, by=by), most)
            if texts:
                raise RefusedError(400, "form", "from=SEQ comes without lines")
            return _lines_response(await self.commits.line_at(name, ask), most)

    async def media(self, request: web.Request) -> web.Response:
        """Section 3."""
        name, _ = await self._unit(request)
        if "Content-Encoding" in request.headers:
            raise RefusedError(415, "form", "a body comes as it is, without Content-Encoding")
        announced = read_head(
            request.match_info["sha256"],
            content_type=request.content_type,
            length=request.content_length,
            digest=",".join(request.headers.getall("Repr-Digest", [])),
            priority=",".join(request.headers.getall("Priority", [])),
        )
        try:
            status = await self.media_intake.media(
                name,
                announced,
                self._body(request),
                gone=lambda: request.transport is None or request.transport.is_closing(),
            )
            return web.Response(status=status)
        except RefusedError as error:
            if error.status == 422:
                await self.tally.found(self._finding(name, announced.sha256, error))
            raise

    async def receipts(self, request: web.Request) -> web.Response:
        """Section 4."""
        name, _ = await self._unit(request)
        _require_type(request, "application/json")
        media = _read_media(await self._whole(request, _MAX_RECEIPTS_BYTES))
        receipt, lacks = await self.commits.receipt(name, media)
        return web.json_response({"receipt": receipt, "lacks": list(lacks)})

    async def _unit(self, request: web.Request) -> tuple[UnitName, str]:
        """Whose uplink it is, and the SHA-256 of its certificate. Asked for each request: it may be revoked since."""
        connection = request.transport.get_extra_info("ssl_object") if request.transport is not None else None
        der = connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLObject) else None
        if der is None:
            raise RefusedError(403, "no-certificate", "the connection has no certificate")
        try:
            return self.peers.unit(der), digest_of(der)
        except StrangerError as error:
            await self.tally.found(error.finding)
            raise

    def _finding(self, name: UnitName, sha256: str, error: RefusedError) -> Finding:
        code, detail = read_code(error.code), f"{sha256}: {error}"
        return Finding(name=name, subject=f"{code}:{sha256}", code=code, detail=detail, utc_us=self.peers.utc_us())

    async def _whole(self, request: web.Request, most_bytes: int) -> bytes:
        if (request.content_length or 0) > most_bytes:
            raise RefusedError(413, "form", f"at most {most_bytes} bytes")
        body = bytearray()
        async for some in self._body(request):
            body += some
            if len(body) > most_bytes:
                raise RefusedError(413, "form", f"at most {most_bytes} bytes")
        return bytes(body)

    async def _body(self, request: web.Request) -> AsyncIterator[bytes]:
        """The body as it comes. A sender that stalls is given up."""
        while True:
            try:
                async with asyncio.timeout(self.stall_s):
                    some = await request.content.readany()
            except TimeoutError as error:
                raise RefusedError(408, "stalled", "the body did not come") from error
            if not some:
                return
            yield some


@web.middleware
async def _answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as error:
        headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
        return web.json_response({"code": error.code, "message": str(error)}, status=error.status, headers=headers)
    except OSError as error:  # what is durable is unknown: the archive ends, or the sender has gone
        _log.error("a request has failed", extra={"fields": {"path": request.path, "error": str(error)}})
        refusal = {"code": "failed", "message": "the archive could not take it"}
        return web.json_response(refusal, status=503, headers={"Retry-After": "5"})


def _lines_response(answer: LinesAnswer, most: int | None) -> web.Response:
    """``most`` is how many missing media are told, where the unit wants fewer than there may be."""
    refused = answer.refused
    members = {
        "head": None if answer.head is None else {"seq": answer.head[0], "sha256": answer.head[1]},
        "lacks": list(answer.lacks)[:most],
        "receipt": answer.receipt,
        "refused": refused and {"seq": refused.seq, "code": refused.code, "message": refused.message},
    }
    return web.json_response(members, status=answer.status)


def _read_media(body: bytes) -> tuple[str, ...]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "form", f"the body is not JSON: {error}") from error
    media = document.get("media") if isinstance(document, dict) else None
    if not isinstance(media, list) or not 1 <= len(media) <= MAX_MEDIA:
        raise RefusedError(400, "form", f"media must be 1 to {MAX_MEDIA} digests")
    if not all(isinstance(each, str) and _DIGEST.fullmatch(each) for each in media) or media != sorted(set(media)):
        raise RefusedError(400, "form", "media must be digests in ascending order, each once")
    return tuple(media)


def _require_type(request: web.Request, wanted: str) -> None:
    """A body says what it is; where there is none, nothing needs to."""
    if request.body_exists and request.content_type != wanted:
        raise RefusedError(415, "form", f"Content-Type is not {wanted}")


def _number(request: web.Request, key: str) -> int | None:
    values = request.query.getall(key, [])
    if not values:
        return None
    if len(values) > 1 or not _NUMBER.fullmatch(values[0]):
        raise RefusedError(400, "form", f"{key} is no number")
    return int(values[0])
