"""Requests that have begun: an archive that stops lets them end, and begins no others.

aiohttp takes nothing of a body any more once it closes; so bodies have to have come before.
"""

import asyncio
import contextlib
from collections.abc import Iterator

from archive.ingest.refusal import RefusedError

_ENDING_S = 5


class Begun:
    """Counts them."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()
        self._ending = False

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """A request, while the block lasts. Raises RefusedError (503) once the archive is ending."""
        if self._ending:
            raise RefusedError(503, "ending", "the archive is ending", retry_after_s=_ENDING_S)
        self._count += 1
        self._none.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._none.set()

    async def end(self, within_s: float) -> None:
        """No other begins; return when all have ended, or ``within_s`` are over."""
        self._ending = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._none.wait()
