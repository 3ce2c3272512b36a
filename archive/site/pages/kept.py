"""Answers kept for as long as anybody may keep them: however many ask, a page is made once in that time.

All pages are made by one thread, so that what they read needs no lock and a rush on them leaves the loop to the lists.
"""

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from dataclasses import dataclass

from archive.site.pages.page import Answer

MOST_BYTES = 64 << 20
"""Of kept bodies, both forms counted; the one asked for least lately goes first."""
MOST_MAKING = 64
"""Different answers being made or waited for; beyond, ``BusyError``."""
_WORTH_PACKING = 1_000
_ENTRY_BYTES = 1_024
"""Of an answer apart from its body: redirects have none, and are not for nothing."""
_REST = 10
"""What takes long to make is kept longer: no page takes more than a tenth of the thread."""


class BusyError(Exception):
    """Too many different pages are wanted at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """An answer, its gzipped body, and its tag."""

    answer: Answer
    gzipped: bytes | None
    tag: str
    until_s: float

    @property
    def size_bytes(self) -> int:
        """What it takes, roughly."""
        return len(self.answer.body) + len(self.gzipped or b"") + _ENTRY_BYTES


class Kept:
    """For one loop. ``now_s`` counts forward."""

    def __init__(self, thread: Executor, now_s: Callable[[], float]) -> None:
        self._thread, self._now_s = thread, now_s
        self._kept: OrderedDict[Hashable, Packed] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[Packed]] = {}
        self._size_bytes = 0

    async def get(self, key: Hashable, make: Callable[[], Answer]) -> Packed:
        """The kept answer, or a new one. Raises BusyError, and what ``make`` raises, which is not kept."""
        held = self._kept.get(key)
        if held is not None and held.until_s > self._now_s():
            self._kept.move_to_end(key)
            return held
        making = self._making.get(key)
        if making is None:
            if len(self._making) >= MOST_MAKING:
                raise BusyError
            making = asyncio.get_running_loop().run_in_executor(self._thread, self._make, make)
            self._making[key] = making
            making.add_done_callback(lambda done: self._keep(key, done))
        # Whoever hangs up does not take the page from the others.
        return await asyncio.shield(making)

    def _make(self, make: Callable[[], Answer]) -> Packed:
        begun_s = self._now_s()
        answer = make()
        body = answer.body
        gzipped = gzip.compress(body, 5, mtime=0) if len(body) >= _WORTH_PACKING else None
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        done_s = self._now_s()
        until_s = done_s + max(answer.max_age_s, _REST * (done_s - begun_s))
        return Packed(answer=answer, gzipped=gzipped, tag=tag, until_s=until_s)

    def _keep(self, key: Hashable, done: "asyncio.Future[Packed]") -> None:
        self._making.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        old = self._kept.pop(key, None)
        self._size_bytes -= old.size_bytes if old else 0
        self._kept[key] = done.result()
        self._size_bytes += done.result().size_bytes
        while self._size_bytes > MOST_BYTES:
            _, gone = self._kept.popitem(last=False)
            self._size_bytes -= gone.size_bytes
