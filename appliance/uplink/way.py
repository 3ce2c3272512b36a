"""Who has the way: lines before live, live before backfill."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from enum import IntEnum


class Rank(IntEnum):
    """What goes first has the least."""

    LINES = 0
    LIVE = 1
    BACKFILL = 2


class Way:
    """Each takes the way while it goes; who comes after it waits until the way is clear. One loop uses it."""

    def __init__(self) -> None:
        self._going = dict.fromkeys(Rank, 0)
        self._changed = asyncio.Event()

    def take(self, rank: Rank) -> Callable[[], None]:
        """Who comes after ``rank`` waits, until what is returned is called; called again, that does nothing."""
        self._going[rank] += 1
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self._going[rank] -= 1
                self._changed.set()
                self._changed = asyncio.Event()

        return leave

    @contextlib.contextmanager
    def taken(self, rank: Rank) -> Iterator[Callable[[], None]]:
        """The same for a block; it may leave earlier by what it is given."""
        leave = self.take(rank)
        try:
            yield leave
        finally:
            leave()

    async def clear(self, rank: Rank, most_s: float | None = None) -> None:
        """Return when nothing that goes before ``rank`` has the way, or after ``most_s``."""
        if not self._is_clear(rank):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(most_s):
                    while not self._is_clear(rank):
                        await self._changed.wait()

    def _is_clear(self, rank: Rank) -> bool:
        return not any(self._going[each] for each in Rank if each < rank)
