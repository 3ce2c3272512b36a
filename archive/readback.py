"""Reading back: what is stored is read and hashed again in turn, at a set pace, so that no loss stays unknown.

Nothing is mended here. What is damaged or gone counts as stored no more; so the unit is asked for it again while it
has it, and the store sets the wrong bytes aside when the right ones come.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from archive.hashing import Objects, Reading
from archive.index.index import Index
from archive.names import UnitName
from archive.store.store import StoreAwayError
from base.clock import Clock
from base.durable import publish

T = TypeVar("T")

_AT_ONCE = 64
_ROUND_NS = 3_600_000_000_000
"""A small archive is not read all the time: a round takes at least so long."""
_SAVE_NS = 30_000_000_000
_AWAY_S = 60.0
_YIELD_S, _MOST_YIELDED_S = 0.05, 1.0
"""While lines and media are being written, each block waits, but not longer than the second."""
_NICE = 19
_log = logging.getLogger("archive")


class Losses(Protocol):
    """Whoever writes the index."""

    async def lost(self, name: UnitName, sha256: str) -> None:
        """An object of this unit is not what it should be: not counted as stored, and a finding, on return.

        Raises OSError where the archive is ending.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What was read last; the next thing comes behind it, by unit and digest."""

    name: UnitName
    sha256: str


class ReadBack:
    """``run`` is its task. It reads the index, and leaves writing there to ``losses``."""

    def __init__(
        self,
        *,
        index: Index,
        store: Objects,
        losses: Losses,
        place: Path,
        bytes_a_second: int,
        clock: Clock,
        busy: Callable[[], bool],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``place`` is a small file that remembers where it was; lost, the round begins anew. ``busy`` says whether
        others wait for the disk.
        """
        self._index, self._store, self._losses = index, store, losses
        self._file = place
        self._bytes_a_second = bytes_a_second
        self._clock, self._busy, self._pause = clock, busy, pause
        # The one thread that reads; the kernel lets all others go first.
        self._thread = ThreadPoolExecutor(1, "read-back", initializer=lambda: os.setpriority(os.PRIO_PROCESS, 0, _NICE))
        self._due_ns = self._saved_ns = clock.boot_ns()
        self._place: Place | None = None

    async def run(self) -> None:
        """Round after round, until it is cancelled. Raises OSError where the archive is ending."""
        try:
            self._place = await self._do(read_place, self._file)
            while True:
                began_ns = self._clock.boot_ns()
                await self._round()
                await self._pause(max(0.0, (began_ns + _ROUND_NS - self._clock.boot_ns()) / 1e9))
        finally:
            self._thread.shutdown()
            write_place(self._file, self._place)

    async def _round(self) -> None:
        objects = lost = 0
        while batch := await self._do(self._behind, self._place):
            for name, sha256 in batch:
                detail = await self._read(sha256)
                objects += 1
                if detail is not None:
                    lost += 1
                    fields = {"unit": str(name), "sha256": sha256, "what": detail}
                    _log.error("an object is lost", extra={"fields": fields})
                    await self._losses.lost(name, sha256)
                self._place = Place(name=name, sha256=sha256)
                if self._clock.boot_ns() - self._saved_ns >= _SAVE_NS:
                    self._saved_ns = self._clock.boot_ns()
                    await self._do(write_place, self._file, self._place)
        self._place = None
        await self._do(write_place, self._file, None)
        _log.info("all that is stored was read back", extra={"fields": {"objects": objects, "lost": lost}})

    def _behind(self, place: Place | None) -> Sequence[tuple[UnitName, str]]:
        """What is counted as stored and comes next; nothing at the end."""
        for name in self._index.units():
            if place is not None and name < place.name:
                continue
            after = place.sha256 if place is not None and name == place.name else ""
            found = self._index.stored_behind(name, after, _AT_ONCE)
            if found:
                return [(name, sha256) for sha256 in found]
        return ()

    async def _read(self, sha256: str) -> str | None:
        """What is wrong with an object, seen twice in a row: it may be replaced just now. None where nothing is."""
        return await self._read_once(sha256) and await self._read_once(sha256)

    async def _read_once(self, sha256: str) -> str | None:
        while True:
            try:
                reading = await self._do(Reading, self._store, sha256)
                try:
                    began_ns = self._clock.boot_ns()
                    while size_bytes := await self._do(reading.advance):
                        await self._keep_pace(began_ns, size_bytes)
                        began_ns = self._clock.boot_ns()
                finally:
                    await self._do(reading.close)
                return reading.fault
            except StoreAwayError as error:
                _log.warning("the store is away", extra={"fields": {"error": str(error)}})
                await self._pause(_AWAY_S)

    async def _keep_pace(self, began_ns: int, size_bytes: int) -> None:
        """Wait until the next block is due after one that ``began_ns``. Time that was lost is not caught up with."""
        self._due_ns = max(self._due_ns, began_ns) + size_bytes * 10**9 // self._bytes_a_second
        await self._pause(max(0.0, (self._due_ns - self._clock.boot_ns()) / 1e9))
        yielded_s = 0.0
        while self._busy() and yielded_s < _MOST_YIELDED_S:
            await self._pause(_YIELD_S)
            yielded_s += _YIELD_S

    async def _do(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)


@asynccontextmanager
async def reading_back(read_back: ReadBack | None) -> AsyncIterator[None]:
    """While the block lasts it reads; None: nobody does. Its failure ends nothing: it is told, and serving goes on."""
    task = None if read_back is None else asyncio.create_task(read_back.run())
    if task is not None:
        task.add_done_callback(_tell_end)
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait({task})


def _tell_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("nothing is read back any more", exc_info=task.exception())


def read_place(path: Path) -> Place | None:
    """Where the last process was; None where nobody knows."""
    try:
        members = json.loads(path.read_bytes())
        return Place(name=UnitName(station=members["station"], unit=members["unit"]), sha256=members["sha256"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def write_place(path: Path, place: Place | None) -> None:
    """Remember it. Not durable, and where the disk takes it not, not at all: a round begun anew costs only time."""
    members = {} if place is None else {"station": place.name.station, "unit": place.name.unit, "sha256": place.sha256}
    try:
        publish(path, json.dumps(members).encode())
    except OSError as error:
        _log.warning("the place of reading back is not kept", extra={"fields": {"error": str(error)}})
