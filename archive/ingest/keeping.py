"""Media on their way from drafts into the store, in groups: durable there first, then the committer is told."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from archive.index.rows import NewMedia
from archive.ingest.commits import Commits
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from archive.store.spool import Draft
from archive.store.store import Store, StoreAwayError

_MOST_AT_ONCE = 64
_MOST_TOLD = 4
"""Groups that the committer has not answered for; then the store waits for it."""
_AWAY_S = 30
_log = logging.getLogger("archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    name: UnitName
    draft: Draft
    kept: "asyncio.Future[None]"


class Keeper:
    """Takes drafts from many tasks and stores them from one thread. ``run`` is its task.

    After an OSError of the store nothing is taken any more: the outcome is unknown, and the process is to end. A store
    that is away costs the drafts of one group, whose senders are asked to come again.
    """

    def __init__(self, store: Store, commits: Commits) -> None:
        self._store, self._commits = store, commits
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")
        # Full, it makes requests wait, each of which holds what admission has allowed it.
        self._queue: asyncio.Queue[_Item | None] = asyncio.Queue(_MOST_AT_ONCE)
        self._broken = False

    async def keep(self, name: UnitName, draft: Draft) -> None:
        """Take over a draft that checks against the unit's lines; on return it is durable and indexed.

        Raises RefusedError (503) where the store is away, and OSError where the archive is ending.
        """
        item = _Item(name=name, draft=draft, kept=asyncio.get_running_loop().create_future())
        if not self._broken:
            await self._queue.put(item)
        if self._broken:
            raise OSError("the archive is ending")
        # The work goes on where the sender has gone: half of it would help nobody.
        await item.kept

    async def run(self) -> None:
        """Work until ``stop``. Raises what the store raised; then nothing is taken any more."""
        room = asyncio.Semaphore(_MOST_TOLD)
        ending = False
        error: Exception | None = None
        async with asyncio.TaskGroup() as telling:
            while not ending and error is None:
                group = [await self._queue.get()]
                while len(group) < _MOST_AT_ONCE and not self._queue.empty():
                    group.append(self._queue.get_nowait())
                items = [each for each in group if each is not None]
                ending = len(items) < len(group)
                try:
                    stored = await self._put(items)
                except Exception as failed:
                    # What was stored before is told of before this task ends.
                    error = failed
                else:
                    if stored:
                        await room.acquire()
                        telling.create_task(self._tell(items, room))
        if error is not None:
            raise error

    async def stop(self) -> None:
        """Have ``run`` return after all that is waiting now."""
        if not self._broken:
            await self._queue.put(None)

    def close(self) -> None:
        """Give the thread back, after ``run``."""
        self._broken = True
        self._thread.shutdown()

    async def _put(self, items: Sequence[_Item]) -> bool:
        """Whether they are durable in the store."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store_all, items)
        except StoreAwayError as error:
            _log.warning("the store is away", extra={"fields": {"error": str(error)}})
            _fail(items, RefusedError(503, "store-away", "the store takes nothing now", retry_after_s=_AWAY_S))
            return False
        except Exception as error:
            self._broken = True
            rest = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
            _fail([*items, *(each for each in rest if each is not None)], OSError(f"the archive is ending: {error}"))
            raise
        return bool(items)

    def _store_all(self, items: Sequence[_Item]) -> None:
        try:
            damaged = self._store.put([item.draft for item in items]) if items else ()
        except StoreAwayError:
            for item in items:
                item.draft.discard()
            raise
        for sha256 in damaged:
            _log.error("an object was damaged and has been replaced", extra={"fields": {"sha256": sha256}})

    async def _tell(self, items: Sequence[_Item], room: asyncio.Semaphore) -> None:
        try:
            await self._commits.stored([NewMedia(name=item.name, sha256=item.draft.sha256) for item in items])
        except (OSError, RefusedError) as error:
            # They lie in the store and nothing says so; whoever sends them again finds them there.
            _fail(items, error)
        else:
            for item in items:
                if not item.kept.done():
                    item.kept.set_result(None)
        finally:
            room.release()


def _fail(items: Sequence[_Item], error: Exception) -> None:
    for item in items:
        if not item.kept.done():
            item.kept.set_exception(error)
            item.kept.exception()  # its sender may have gone; that is no error
