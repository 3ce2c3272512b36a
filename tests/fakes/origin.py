"""A site in the hands of the test: what it answers, when, and whether it is there at all. On a loop of its own."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field

from aiohttp import web

WAIT_S = 30


@dataclass(slots=True, kw_only=True)
class Answer:
    """What is said at one address."""

    body: bytes = b"text"
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Cache-Control": "max-age=1"})


class Origin:
    """``start`` and ``stop`` are the life of one process; answers and counts outlive it. Always the same port."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        """By path with query, as it arrives."""
        self.asked: Counter[str] = Counter()
        """How often each was asked for."""
        self.headers: list[Mapping[str, str]] = []
        """Those of each request, lower-case names."""
        self.port = 0
        self.flowing = threading.Event()
        """Whether requests are answered; those that wait go on when it is set."""
        self.flowing.set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """On return it listens."""
        loop = asyncio.new_event_loop()
        self._loop = loop
        self._thread = threading.Thread(target=loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._open)

    def stop(self) -> None:
        """Nobody listens any more on return. Idempotent."""
        if self._loop is None:
            return
        self._do(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()
        self._loop = None

    def say(self, path: str, body: bytes, **headers: str) -> None:
        """From now on ``path`` is answered so; ``headers`` with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = Answer(body=body, headers={"Cache-Control": "max-age=1", **named})

    def _do(self, what: Callable[[], Coroutine[None, None, None]]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(what(), self._loop).result(WAIT_S)

    async def _open(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True, backlog=4096)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked[request.path_qs] += 1
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if not self.flowing.is_set():
            await asyncio.to_thread(self.flowing.wait, WAIT_S)
        answer = self.answers.get(request.path_qs)
        if answer is None:
            return web.Response(status=404, text="no such address", headers={"Cache-Control": "max-age=1"})
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
