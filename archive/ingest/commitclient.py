"""``Commits`` for a process that is not the committer's: each call is a request to its socket."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import aiohttp

from archive.finding import Finding
from archive.index.rows import NewMedia
from archive.ingest.commitforms import (
    read_lines_answer,
    read_receipt_answer,
    read_refusal,
    write_digests,
    write_query,
    write_stored,
)
from archive.ingest.commitsocket import REFUSED, socket_path
from archive.ingest.findingforms import write_finding
from archive.ingest.lines import LinesAnswer
from archive.names import UnitName

T = TypeVar("T")

_ANSWER_S = 120
"""A disk that takes longer for a group is as good as one that has failed."""
_AT_ONCE = 64
"""Requests at a time; more wait here."""
_NOBODY = "http://committer"


class RemoteCommits:
    """Raises OSError where the committer cannot be reached, gives no answer, or one that is not of its forms."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """``open_commits`` makes one."""
        self._session = session

    async def lines(self, name: UnitName, texts: Sequence[bytes], *, branch: int | None, by: str) -> LinesAnswer:
        body = b"".join(text + b"\n" for text in texts)
        return _read(read_lines_answer, await self._ask("/lines", write_query(name, branch=branch) | {"by": by}, body))

    async def line_at(self, name: UnitName, seq: int) -> LinesAnswer:
        return _read(read_lines_answer, await self._ask("/line", write_query(name, seq=seq), b""))

    async def receipt(self, name: UnitName, media: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
        return _read(read_receipt_answer, await self._ask("/receipt", write_query(name), write_digests(media)))

    async def stored(self, media: Sequence[NewMedia]) -> None:
        await self._ask("/stored", {}, write_stored(media))

    async def found(self, finding: Finding) -> None:
        await self._ask("/found", {}, write_finding(finding))

    async def _ask(self, path: str, query: Mapping[str, str], body: bytes) -> bytes:
        try:
            async with self._session.post(f"{_NOBODY}{path}", params=query, data=body) as answer:
                data = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OSError(f"the committer gives no answer: {error}") from error
        if status == REFUSED:
            raise _read(read_refusal, data)
        if status != 200:
            raise OSError(f"the committer answers {status}: {data[:200].decode(errors='replace')}")
        return data


@contextlib.asynccontextmanager
async def open_commits(data: Path) -> AsyncIterator[RemoteCommits]:
    """The committer of the archive that runs on the folder ``data``; connections are made when they are needed.

    Raises OSError where none ever ran there.
    """
    with socket_path(data) as path:
        connector = aiohttp.UnixConnector(path, limit=_AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
            yield RemoteCommits(session)


def _read(read: Callable[[bytes], T], data: bytes) -> T:
    try:
        return read(data)
    except ValueError as error:
        raise OSError(f"the committer's answer cannot be read: {error}") from error
