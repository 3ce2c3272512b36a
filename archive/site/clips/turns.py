"""Who is served when: so many at a time, each address in its turn and at its pace. It slows; it never makes worse.

Everybody waits in a queue of an address's own, and the addresses take turns, so that whoever asks for a hundred clips
waits for them one after the other, and whoever asks for one waits for one of each other's at most.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

MOST_AT_ONCE = 8
MOST_OF_ADDRESS = 2
"""At a time; the others of the address wait."""
MOST_WAITING = 512
MOST_WAITING_OF_ADDRESS = 64
WAIT_S = 300.0
"""Who waits longer is told to come again."""
PACE_BYTES_S = 8 << 20
"""Of an address: some thirty times as fast as a camera of 2 Mbit/s."""


class TooManyError(Exception):
    """So many wait already, or it took too long. ``again_s`` is when it is worth to come again."""

    def __init__(self, again_s: int) -> None:
        super().__init__("too many are waiting")
        self.again_s = again_s


class Turns:
    """Only one loop calls it."""

    def __init__(
        self,
        *,
        most_at_once: int = MOST_AT_ONCE,
        most_of_address: int = MOST_OF_ADDRESS,
        most_waiting: int = MOST_WAITING,
        wait_s: float = WAIT_S,
    ) -> None:
        self._room = most_at_once
        self._most_of_address, self._most_waiting, self._wait_s = most_of_address, most_waiting, wait_s
        self._served: dict[str, int] = {}
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn and have it until the end of the block. Raises TooManyError."""
        queue = self._waiting.setdefault(address, deque())
        if self.waiting >= self._most_waiting or len(queue) >= MOST_WAITING_OF_ADDRESS:
            raise TooManyError(60)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(mine)
        self._call()
        try:
            await asyncio.wait_for(asyncio.shield(mine), self._wait_s)
        except BaseException as error:
            if mine.done():
                self._give_back(address)
            else:
                mine.cancel()
                self._forget(address, mine)
            if isinstance(error, TimeoutError):
                raise TooManyError(30) from error
            raise
        try:
            yield
        finally:
            self._give_back(address)

    def _call(self) -> None:
        """Let in whoever may: the addresses in turn, the one that was let in last behind the others."""
        for address in list(self._waiting):
            if self._room <= 0:
                return
            queue = self._waiting[address]
            if queue and self._served.get(address, 0) < self._most_of_address:
                queue.popleft().set_result(None)
                self._room -= 1
                self._served[address] = self._served.get(address, 0) + 1
                self._waiting.move_to_end(address)
            if not queue:
                del self._waiting[address]

    def _give_back(self, address: str) -> None:
        self._room += 1
        self._served[address] -= 1
        if not self._served[address]:
            del self._served[address]
        self._call()

    def _forget(self, address: str, mine: asyncio.Future[None]) -> None:
        queue = self._waiting.get(address)
        if queue is not None and mine in queue:
            queue.remove(mine)
            if not queue:
                del self._waiting[address]


class Pace:
    """How fast an address is sent to, over all that is sent to it at a time."""

    def __init__(self, now_s: Callable[[], float], *, bytes_s: int = PACE_BYTES_S) -> None:
        self._now_s, self._bytes_s = now_s, bytes_s
        self._due_s: dict[str, float] = {}

    def delay_s(self, address: str, size: int) -> float:
        """How long to wait before ``size`` more bytes are sent, which are counted with this call."""
        now_s = self._now_s()
        due_s = max(now_s, self._due_s.get(address, now_s))
        self._due_s[address] = due_s + size / self._bytes_s
        if len(self._due_s) > MOST_WAITING:
            self._due_s = {each: until for each, until in self._due_s.items() if until > now_s}
        return due_s - now_s
