"""What the archive does with media that a unit sends; of HTTP it knows only the statuses that it refuses with."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from archive.index.index import Index
from archive.ingest.admission import Admission
from archive.ingest.keeping import Keeper
from archive.ingest.media import Announced, Incoming, Reading, judge_size, refuse
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from archive.store.spool import Draft, Spool
from archive.store.store import Store, StoreAwayError
from evidence.verify.media import Expected, Fault
from evidence.words import Mode

T = TypeVar("T")

GATHERED_BYTES = 32 << 20
"""What all bodies together may hold in memory; beyond that each is written as it comes."""
_BLOCK_BYTES = 1 << 20
"""What one body may: most segments are written, hashed and judged in one go."""
_LEAST_BYTES = 1 << 16
_THREADS = 4
_DISK_S, _AWAY_S = 60, 30
_SETTLED_S = 2
_log = logging.getLogger("archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keeping:
    """``done`` when it is kept, or is not and will not be."""

    done: "asyncio.Future[None]"
    gone: Callable[[], bool]


class MediaIntake:
    """Receives, hashes and judges media in threads, and leaves their keeping to the keeper."""

    def __init__(self, *, index: Index, store: Store, spool: Spool, keeper: Keeper, admission: Admission) -> None:
        self._index, self._store, self._spool = index, store, spool
        self._keeper = keeper
        self._admission = admission
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="media")
        self._reading = Reading()
        self._gathered_bytes = 0
        self._being_kept: dict[tuple[UnitName, str], _Keeping] = {}
        """What has come whole and is not yet durable and indexed."""

    async def settled(self, name: UnitName) -> None:
        """Wait for what has come whole of the unit and whose senders have gone: they are about to ask what is lacking.

        At most two seconds, since lines wait for no store. What is lacking then may come twice, and is found there.
        """
        keeping = {each.done for (whose, _), each in self._being_kept.items() if whose == name and each.gone()}
        if keeping:
            await asyncio.wait(keeping, timeout=_SETTLED_S)

    async def media(
        self,
        name: UnitName,
        announced: Announced,
        body: AsyncIterator[bytes],
        *,
        gone: Callable[[], bool] = lambda: False,
    ) -> int:
        """Take in a segment. Returns 201, or 200 where it is there already and ``body`` was not read.

        One that comes once more while it is being kept, since the first answer was lost, waits for what becomes of
        that. ``gone`` says whether its sender has gone. Raises RefusedError; then nothing of it is kept.
        """
        while True:
            try:
                named, held = await self._do(self._look, name, announced.sha256)
            except StoreAwayError as error:
                raise RefusedError(503, "store-away", "the store cannot be asked", retry_after_s=_AWAY_S) from error
            before = self._being_kept.get((name, announced.sha256))
            if held or before is None:
                break
            await asyncio.wait({before.done})
        if not named:
            raise RefusedError(404, "media-unnamed", "no line of this unit names it as armed: send the lines first")
        if held:
            return 200
        fault = judge_size(announced, named)
        if fault is None:
            with self._admission.admit(name, announced.size_bytes, announced.urgency):
                received = await self._receive(body, announced, named)
                if isinstance(received, Draft):
                    await self._keep(name, received, gone)
                    return 201
                fault = received
        fields = {"unit": str(name), "sha256": announced.sha256, "code": fault.code.value}
        _log.warning("media are refused", extra={"fields": fields})
        raise refuse(fault)

    def close(self) -> None:
        """Give the threads back, when nobody sends any more."""
        self._threads.shutdown()

    def _look(self, name: UnitName, sha256: str) -> tuple[list[Expected], bool]:
        """What armed lines say of a digest, and whether the unit has delivered it."""
        named = self._index.named(name, sha256)
        armed = [expected for expected, _ in named if expected.segment.mode is not Mode.UNARMED]
        return armed, bool(armed) and any(stored for _, stored in named) and self._store.has(sha256)

    async def _receive(
        self, body: AsyncIterator[bytes], announced: Announced, named: Sequence[Expected]
    ) -> Draft | Fault:
        incoming = Incoming(self._spool, self._reading)
        blocks: list[bytes] = []
        held_bytes = 0
        try:
            async for some in body:
                blocks.append(some)
                held_bytes += len(some)
                self._gathered_bytes += len(some)
                short = self._gathered_bytes > GATHERED_BYTES and held_bytes >= _LEAST_BYTES
                if held_bytes >= _BLOCK_BYTES or short:
                    await self._do(incoming.write, blocks)
                    blocks = []
                    self._gathered_bytes -= held_bytes
                    held_bytes = 0
            return await self._do(incoming.end, blocks, announced, named)
        except BaseException as error:
            await self._do(incoming.discard)
            if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
                _log.error("the disk takes no media", extra={"fields": {"error": str(error)}})
                raise RefusedError(503, "disk", "the archive's disk takes nothing", retry_after_s=_DISK_S) from error
            raise
        finally:
            self._gathered_bytes -= held_bytes

    async def _keep(self, name: UnitName, draft: Draft, gone: Callable[[], bool]) -> None:
        key = (name, draft.sha256)
        keeping = self._being_kept[key] = _Keeping(done=asyncio.get_running_loop().create_future(), gone=gone)
        try:
            await self._keeper.keep(name, draft)
        finally:
            if self._being_kept.get(key) is keeping:
                del self._being_kept[key]
            keeping.done.set_result(None)

    async def _do(self, call: Callable[..., T], *arguments: object) -> T:
        """In a thread, and never given up half way: a draft has one thread at a time."""
        job = self._threads.submit(call, *arguments)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            await asyncio.to_thread(wait, [job])
            raise
