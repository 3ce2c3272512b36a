"""Parts of a file as an answer, in pieces, with ``Range`` (RFC 9110, section 14). What is sent is never held whole."""

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

PIECE_BYTES = 1 << 18
MOST_SENDING = 256
"""Answers that are being sent at a time; each holds one piece."""
WRITE_S = 60
"""Who takes nothing for so long is given up."""
_log = logging.getLogger("site")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes of a file: ``size`` of them from ``offset``."""

    offset: int
    size: int


class Sender:
    """Sends parts of files; reads in ``thread``."""

    def __init__(self, thread: Executor, *, most_sending: int = MOST_SENDING) -> None:
        self._thread = thread
        self._room = most_sending

    async def send(
        self, request: web.Request, path: Path, spans: Sequence[Span], headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """``spans`` of the file, one behind the other; 206 or 416 where a range is asked for.

        Raises OSError before anything is sent. Where the file turns out shorter, the answer breaks off: its end is
        never taken for the end of what was promised.
        """
        size = sum(span.size for span in spans)
        try:
            asked = read_range(request.headers.get(hdrs.RANGE, ""), size)
        except ValueError as error:
            return web.Response(status=416, text=f"{error}\n", headers={"Content-Range": f"bytes */{size}", **headers})
        if self._room <= 0:
            return web.Response(status=503, text="too much is being sent\n", headers={"Retry-After": "1"})
        begin, end = (0, size) if asked is None else asked
        answer = web.StreamResponse(status=200 if asked is None else 206, headers={"Accept-Ranges": "bytes", **headers})
        if asked is not None:
            answer.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
        answer.content_length = end - begin
        self._room -= 1
        try:
            # Seen before anything is promised.
            await asyncio.get_running_loop().run_in_executor(self._thread, path.stat)
            await answer.prepare(request)
            if request.method != hdrs.METH_HEAD:
                for piece in pieces(cut(spans, begin, end)):
                    await self._write(answer, path, piece)
            return answer
        finally:
            self._room += 1

    async def _write(self, answer: web.StreamResponse, path: Path, piece: Sequence[Span]) -> None:
        try:
            data = await asyncio.get_running_loop().run_in_executor(self._thread, _read, path, piece)
        except OSError as error:
            fields = {"path": str(path), "error": str(error)}
            _log.error("an answer had to be broken off", extra={"fields": fields})
            raise ConnectionResetError(str(error)) from error
        try:
            async with asyncio.timeout(WRITE_S):
                await answer.write(data)
        except TimeoutError as error:
            raise ConnectionResetError("nothing is taken any more") from error


def read_range(header: str, size: int) -> tuple[int, int] | None:
    """From and to before which byte of ``size`` is asked for; None for all, also where the header is none that we know.

    Raises ValueError where nothing of it is there.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if first and last and int(last) < int(first):
        return None
    begin = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if begin >= end:
        raise ValueError(f"there are {size} bytes")
    return begin, end


def cut(spans: Sequence[Span], begin: int, end: int) -> Iterator[Span]:
    """What of ``spans``, one behind the other, lies from ``begin`` to before ``end``."""
    at = 0
    for span in spans:
        low, high = max(begin - at, 0), min(end - at, span.size)
        if low < high:
            yield Span(offset=span.offset + low, size=high - low)
        at += span.size


def pieces(spans: Iterator[Span]) -> Iterator[list[Span]]:
    """The same in groups of at most ``PIECE_BYTES``."""
    group: list[Span] = []
    room = PIECE_BYTES
    for span in spans:
        while span.size > room:
            yield [*group, Span(offset=span.offset, size=room)]
            span = Span(offset=span.offset + room, size=span.size - room)
            group, room = [], PIECE_BYTES
        group.append(span)
        room -= span.size
    if group:
        yield group


def _read(path: Path, spans: Sequence[Span]) -> bytes:
    with path.open("rb") as file:
        parts: list[bytes] = []
        for span in spans:
            file.seek(span.offset)
            parts.append(file.read(span.size))
            if len(parts[-1]) != span.size:
                raise OSError("the file is shorter than the index says")
        return b"".join(parts)
