"""How lanes wait for each other: whoever changes something rings, and all who wait look again."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Bell:
    """Take a ``ticket``, look, and wait for what rings ``after`` it: nothing that happens between is missed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Something has changed."""
        self._event.set()
        self._event = asyncio.Event()

    def ticket(self) -> asyncio.Event:
        return self._event

    async def after(self, ticket: asyncio.Event, seconds: float) -> None:
        """Return when it has rung since ``ticket`` was taken, or ``seconds`` are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await ticket.wait()


class DiskThread:
    """The one thread that does what may block: database, ledger, media and receipts. In the order of the calls."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="uplink-disk")

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``work`` there; its result or exception here."""
        future: Awaitable[T] = asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))
        return await future

    def close(self) -> None:
        """Wait for what has begun."""
        self._pool.shutdown()
