"""What was made last is kept for a while, and made once for all who ask at the same time."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")

MOST_KEPT = 512
"""Lists of hours in gzip, about 100 KB each."""
MOST_MAKING = 64
"""So many wait for the one thread, a list of 1,800 entries taking some 50 ms; the next is told to come again."""


class BusyError(Exception):
    """So many are being made already."""


class Shelf(Generic[Key, Made]):
    """Only the loop's thread calls it; ``make`` is called in ``thread``, and what it raises is raised to all."""

    def __init__(
        self,
        make: Callable[[Key], Made | None],
        keeps_s: Callable[[Made], float],
        thread: Executor,
        *,
        most_kept: int = MOST_KEPT,
        most_making: int = MOST_MAKING,
    ) -> None:
        self._make, self._keeps_s, self._thread = make, keeps_s, thread
        self._most_kept, self._most_making = most_kept, most_making
        self._kept: OrderedDict[Key, tuple[float, Made]] = OrderedDict()
        self._making: dict[Key, asyncio.Future[Made | None]] = {}

    async def get(self, key: Key) -> Made | None:
        """What is kept, or made now; None, which is not kept, where there is nothing. Raises BusyError."""
        loop = asyncio.get_running_loop()
        held = self._kept.get(key)
        if held is not None and loop.time() < held[0]:
            self._kept.move_to_end(key)
            return held[1]
        making = self._making.get(key)
        if making is None:
            if len(self._making) >= self._most_making:
                raise BusyError
            making = loop.run_in_executor(self._thread, self._make, key)
            self._making[key] = making
            making.add_done_callback(lambda done: self._put(key, done))
        return await asyncio.shield(making)

    def _put(self, key: Key, done: "asyncio.Future[Made | None]") -> None:
        del self._making[key]
        self._kept.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        made = done.result()
        if made is not None:
            self._kept[key] = (asyncio.get_running_loop().time() + self._keeps_s(made), made)
            while len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)
