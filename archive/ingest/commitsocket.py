"""The committer's socket: how other processes of the archive reach the one that writes.

A Unix socket in the data folder, ``run/commits.sock``, for its owner only. Forms: archive/ingest/commitforms.py.
"""

import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from aiohttp import web

from archive.ingest.commitforms import (
    read_digest,
    read_digests,
    read_name,
    read_number,
    read_stored,
    write_lines_answer,
    write_receipt_answer,
    write_refusal,
)
from archive.ingest.commits import Commits
from archive.ingest.findingforms import read_finding
from archive.ingest.reading import split_lines
from archive.ingest.refusal import RefusedError

REFUSED = 422
"""The committer says no, and its answer says what to tell the sender."""
_MOST_BYTES = (1 << 20) + 1
RUN = "run"
"""The folder in the data folder."""
_NAME = "commits.sock"
_MODE = 0o600
_log = logging.getLogger("archive")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CommitsServer:
    """Answers for ``commits`` on the socket below ``data``, whose lock this process holds; the folder is there."""

    def __init__(self, commits: Commits, data: Path) -> None:
        self._commits, self._data = commits, data

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """The socket exists while the context is open."""
        with _bound(self._data) as listener:
            runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1)
            await runner.setup()
            try:
                await web.SockSite(runner, listener, backlog=128).start()
                yield
            finally:
                await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[_answer_errors], client_max_size=_MOST_BYTES)
        application.router.add_post("/lines", self._lines)
        application.router.add_post("/line", self._line)
        application.router.add_post("/receipt", self._receipt)
        application.router.add_post("/stored", self._stored)
        application.router.add_post("/found", self._found)
        return application

    async def _lines(self, request: web.Request) -> web.Response:
        name, branch = read_name(request.query), read_number(request.query, "branch")
        by = read_digest(request.query, "by")
        texts = split_lines(await request.read())
        return _answer(write_lines_answer(await self._commits.lines(name, texts, branch=branch, by=by)))

    async def _line(self, request: web.Request) -> web.Response:
        name, seq = read_name(request.query), read_number(request.query, "seq")
        if seq is None:
            raise ValueError("seq is missing")
        return _answer(write_lines_answer(await self._commits.line_at(name, seq)))

    async def _receipt(self, request: web.Request) -> web.Response:
        name = read_name(request.query)
        receipt, lacks = await self._commits.receipt(name, read_digests(await request.read()))
        return _answer(write_receipt_answer(receipt, lacks))

    async def _stored(self, request: web.Request) -> web.Response:
        await self._commits.stored(read_stored(await request.read()))
        return _answer(b"")

    async def _found(self, request: web.Request) -> web.Response:
        await self._commits.found(read_finding(await request.read()))
        return _answer(b"")


@contextlib.contextmanager
def socket_path(data: Path) -> Iterator[str]:
    """A name of the socket while the block lasts: however deep the folder lies, it is short enough (unix(7): 107)."""
    folder = os.open(data / RUN, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{_NAME}"
    finally:
        os.close(folder)


@contextlib.contextmanager
def _bound(data: Path) -> Iterator[socket.socket]:
    with socket_path(data) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        # Left by a process that was killed.
        Path(path).unlink(missing_ok=True)
        # The file takes the descriptor's mode, so it never has another one.
        os.fchmod(listener.fileno(), _MODE)
        listener.bind(path)
        try:
            yield listener
        finally:
            Path(path).unlink(missing_ok=True)


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as error:
        return web.Response(status=REFUSED, body=write_refusal(error))
    except ValueError as error:
        return web.Response(status=400, text=str(error))
    except OSError as error:
        _log.error("the committer could not do it", extra={"fields": {"path": request.path, "error": str(error)}})
        return web.Response(status=503)


def _answer(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/octet-stream")
