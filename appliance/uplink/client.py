"""The archive as the uplink sees it: the requests of spec/upload.md, with deadlines. All that fails is PeerError."""

import asyncio
import base64
import ssl
from collections.abc import Callable, Sequence
from enum import StrEnum
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp

from appliance.uplink.answers import MOST_ANSWER_BYTES, LinesAnswer, ReceiptAnswer, Refused, Reply
from appliance.uplink.body import CHUNK_S, UNHURRIED_CHUNK_S, Before, Body, chunk_bytes
from appliance.uplink.plan import MOST_LACKS
from base.errors import PeerError
from base.version import VERSION
from evidence import jws

CONNECT_S = 15.0
"""Names, routes and TLS take no longer than this, mostly."""
ANSWER_S = 20.0
"""Nothing moves for so long, in either direction: the connection is taken for dead."""
MOST_PATIENCE_S = 60.0
"""So much longer, where questions have been seen to take long."""
READ_BYTES = 16 << 10
LINES_TYPE = "application/vnd.unbroken.lines"
MEDIA_TYPE = "video/mp4"


class Urgency(StrEnum):
    """The Priority header (RFC 9218)."""

    LIVE = "u=1"
    BACKFILL = "u=6"


class Taken(StrEnum):
    """What became of a segment that was sent."""

    STORED = "stored"
    NAMED_BY_NO_LINE = "named by no line"
    NOT_IN_FORM = "not in form"


async def _at_once(size_bytes: int) -> None:
    """What is small or urgent waits for nothing."""


class ArchiveClient:
    """Requests over one pool of connections. An async context manager."""

    def __init__(
        self, url: str, context: ssl.SSLContext, *, answer_s: float = ANSWER_S, connect_s: float = CONNECT_S
    ) -> None:
        self._url = url.rstrip("/")
        self._context = context
        self._answer_s = answer_s
        self._connect_s = connect_s
        self._more_s = 0.0
        """The patience that the link has been seen to need."""
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(_headers_sent)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._context, limit=8, keepalive_timeout=75, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"unbroken/{VERSION}"},
            # On the thinnest link each byte counts.
            skip_auto_headers=("Accept", "Accept-Encoding"),
            trust_env=False,
            trace_configs=[tracing],
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def expect(self, took_s: float) -> None:
        """A question took so long: connections and silence may last twice that longer before they count as dead."""
        self._more_s = min(2 * took_s, MOST_PATIENCE_S)

    async def lines(
        self,
        data: bytes = b"",
        *,
        at: int | None = None,
        branch: int | None = None,
        most_lacks: int = MOST_LACKS,
        before: Before = _at_once,
        bytes_s: int | None = None,
        sent: Callable[[], None] = lambda: None,
    ) -> LinesAnswer:
        """Section 2 and 5: send whole lines, or ask for the head (no ``data``), or for the line ``at``.

        At most ``most_lacks`` missing media are to be told. ``bytes_s`` is what the link carries; ``sent`` is called
        once all is on its way.
        """
        asked = {"from": at, "branch": branch, "lacks": most_lacks if most_lacks < MOST_LACKS else None}
        words = "&".join(f"{key}={value}" for key, value in asked.items() if value is not None)
        query = f"?{words}" if words else ""
        headers = {"Content-Type": LINES_TYPE}
        reply = await self._exchange(
            "POST",
            f"/v1/lines{query}",
            data,
            headers,
            before=before,
            bytes_s=bytes_s,
            chunk_s=UNHURRIED_CHUNK_S,
            sent=sent,
        )
        reply.require(200, 409, 422)
        answer = reply.read(LinesAnswer)
        if (reply.status == 422) != (answer.refused is not None):
            raise PeerError("the archive's status and answer contradict each other", retry=True)
        return answer

    async def media(
        self,
        sha256: str,
        data: bytes,
        urgency: Urgency,
        before: Before,
        *,
        bytes_s: int | None = None,
        sent: Callable[[], None] = lambda: None,
    ) -> Taken | Refused:
        """Section 3. Raises BusyError where the archive asks for patience."""
        digest = base64.b64encode(bytes.fromhex(sha256)).decode()
        headers = {"Content-Type": MEDIA_TYPE, "Repr-Digest": f"sha-256=:{digest}:", "Priority": urgency.value}
        path = f"/v1/media/{sha256}"
        reply = await self._exchange("PUT", path, data, headers, before=before, bytes_s=bytes_s, sent=sent)
        reply.require(200, 201, 400, 404, 411, 413, 415, 422)
        match reply.status:
            case 200 | 201:
                return Taken.STORED
            case 404:
                return Taken.NAMED_BY_NO_LINE
            case 422:
                return reply.read(Refused)
        return Taken.NOT_IN_FORM

    async def receipt(self, digests: Sequence[str], *, bytes_s: int | None = None) -> ReceiptAnswer:
        """Section 4. ``digests`` are ascending, each once, 1 to 128."""
        body = jws.compose({"media": list(digests)})
        headers = {"Content-Type": "application/json"}
        reply = await self._exchange("POST", "/v1/receipts", body, headers, bytes_s=bytes_s)
        reply.require(200)
        return reply.read(ReceiptAnswer)

    async def _exchange(
        self,
        method: str,
        path: str,
        data: bytes,
        headers: dict[str, str],
        *,
        before: Before = _at_once,
        bytes_s: int | None = None,
        chunk_s: float = CHUNK_S,
        sent: Callable[[], None] = lambda: None,
    ) -> Reply:
        clock = asyncio.get_running_loop()
        try:
            connect_s, answer_s = self._connect_s + self._more_s, self._answer_s + self._more_s
            async with asyncio.timeout(connect_s + answer_s) as deadline:

                def moved() -> None:
                    if not deadline.expired():
                        deadline.reschedule(clock.time() + answer_s)

                size = chunk_bytes(bytes_s, chunk_s)
                with Body(data, chunk_bytes=size, before=before, moved=moved, sent=sent) as body:
                    async with self._session.request(
                        method,
                        self._url + path,
                        data=body if data else b"",
                        headers={**headers, "Content-Length": str(len(data))},
                        allow_redirects=False,
                        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s),
                        trace_request_ctx=moved,
                    ) as answer:
                        sent()
                        return Reply(status=answer.status, headers=answer.headers, body=await _whole(answer, moved))
        except TimeoutError as error:
            raise PeerError(
                f"the archive did not move for {self._answer_s + self._more_s:.0f} s", retry=True
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise PeerError(_in_words(error), retry=True) from error


async def _headers_sent(
    session: aiohttp.ClientSession, context: SimpleNamespace, told: aiohttp.TraceRequestHeadersSentParams
) -> None:
    """There is a connection: from here on each step has the time of a step."""
    moved: Callable[[], None] = context.trace_request_ctx
    moved()


async def _whole(response: aiohttp.ClientResponse, moved: Callable[[], None]) -> bytes:
    parts, size = list[bytes](), 0
    async for part in response.content.iter_chunked(READ_BYTES):
        moved()
        parts.append(part)
        size += len(part)
        if size > MOST_ANSWER_BYTES:
            raise PeerError("what answers does not speak as an archive does: it does not stop", retry=True)
    return b"".join(parts)


def _in_words(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} cannot be resolved"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError() | ssl.SSLError():
            return f"TLS fails, as where a captive portal answers in the archive's place: {error}"
        case aiohttp.ClientConnectorError():
            return f"no connection: {error.strerror or error}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | aiohttp.ClientPayloadError():
            return f"the connection was cut: {error}"
    return f"no answer that can be read: {error}"
