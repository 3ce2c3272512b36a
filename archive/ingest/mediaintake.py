"""What the archive does with media that a unit sends; of HTTP it knows only the statuses that it refuses with."""

import asyncio
import logging
from collections.abc import AsyncIterator

from archive.index.index import Index
from archive.ingest.admission import Admission
from archive.ingest.committer import Committer, MediaWork
from archive.ingest.media import Announced, judge_draft, receive, refuse
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from archive.store.spool import Draft, Spool
from archive.store.store import Store
from evidence.words import Mode

_DISK_S = 60
_log = logging.getLogger("archive")


class MediaIntake:
    """Receives, hashes and judges media in threads, and leaves their keeping to the committer."""

    def __init__(self, *, index: Index, store: Store, spool: Spool, committer: Committer, admission: Admission) -> None:
        self._index, self._store, self._spool = index, store, spool
        self._committer = committer
        self._admission = admission

    async def media(self, name: UnitName, announced: Announced, body: AsyncIterator[bytes]) -> int:
        """Take in a segment. Returns 201, or 200 where it is there already and ``body`` was not read.

        Raises RefusedError; then nothing of it is kept.
        """
        named = await asyncio.to_thread(self._index.named, name, announced.sha256)
        armed = [expected for expected, _ in named if expected.segment.mode is not Mode.UNARMED]
        if not armed:
            raise RefusedError(404, "media-unnamed", "no line of this unit names it as armed: send the lines first")
        if any(stored for _, stored in named) and self._store.has(announced.sha256):
            return 200
        with self._admission.admit(announced.size_bytes, announced.urgency):
            draft = await self._draft(body)
            try:
                fault = await asyncio.to_thread(judge_draft, draft, announced, armed)
            except BaseException:
                await asyncio.to_thread(draft.discard)
                raise
            if fault is not None:
                await asyncio.to_thread(draft.discard)
                fields = {"unit": str(name), "sha256": announced.sha256, "code": fault.code.value}
                _log.warning("media are refused", extra={"fields": fields})
                raise refuse(fault)
            await self._committer.do(MediaWork(name=name, draft=draft))
        return 201

    async def _draft(self, body: AsyncIterator[bytes]) -> Draft:
        try:
            draft = await asyncio.to_thread(self._spool.begin)
        except OSError as error:
            raise _disk_error(error) from error
        try:
            await receive(body, draft)
        except BaseException as error:
            await asyncio.to_thread(draft.discard)
            if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
                raise _disk_error(error) from error
            raise
        return draft


def _disk_error(error: OSError) -> RefusedError:
    _log.error("the disk takes no media", extra={"fields": {"error": str(error)}})
    return RefusedError(503, "disk", "the archive's disk takes nothing", retry_after_s=_DISK_S)
