"""The one writer: what requests have verified becomes durable here, in groups, and only then is acknowledged.

The order, each step durable before the next begins:

1. media lie in the store under their digests: whoever received them saw to that before it came here
   (archive/ingest/keeping.py);
2. lines lie in the ledger files;
3. receipts lie in the journal;
4. what does not count lies aside;
5. the index says so, in one transaction. COMMIT: from here on it is answered for.

A power cut between two steps leaves files that no answer spoke of. The next start reads ledgers and journal behind what
the index knows (archive/ingest/opening.py); media that no line counts as stored are asked for again and found there.
An error of any step is final: the outcome is unknown, the process ends, and the next start decides.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from archive.finding import Finding
from archive.index.index import Index
from archive.index.rows import Changes, NewLines, NewMedia, ReceiptRow
from archive.names import UnitName
from archive.receipts import Acknowledger, logged_subject, stored_subject
from archive.store.aside import Aside, AsideFiles
from archive.store.journal import ReceiptJournal
from archive.store.ledgers import LedgerFiles, Piece
from archive.store.store import Store, StoreAwayError
from evidence.receipt import Acknowledged

_MOST_AT_ONCE = 256
_log = logging.getLogger("archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesWork:
    """Lines to be kept, if any are new, and the head to be acknowledged."""

    name: UnitName
    new: NewLines | None
    piece: Piece | None
    seq: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWork:
    """Media that check against their units' lines and are durable in the store."""

    media: tuple[NewMedia, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptWork:
    """A receipt for media that the index counts as stored, in ascending order, each once."""

    name: UnitName
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWork:
    """Findings, and the evidence of the first one."""

    findings: tuple[Finding, ...]
    aside: Aside | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LostWork:
    """Media that are not in the store any more, or are other bytes there."""

    name: UnitName
    media: tuple[str, ...]
    utc_us: int | None


Work = LinesWork | StoredWork | ReceiptWork | FoundWork | LostWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What has become of it: the receipt, where one was asked for and can be given, and what is not held after all."""

    receipt: str | None = None
    lacks: tuple[str, ...] = ()


class Committer:
    """Takes work from many tasks and does it in one thread. ``run`` is its task."""

    def __init__(
        self,
        *,
        store: Store,
        ledgers: LedgerFiles,
        aside: AsideFiles,
        journal: ReceiptJournal,
        index: Index,
        acknowledger: Acknowledger,
    ) -> None:
        self._store, self._ledgers, self._aside = store, ledgers, aside
        self._journal, self._index = journal, index
        self._acknowledger = acknowledger
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="committer")
        # Full, it makes requests wait, each of which holds what admission has allowed it.
        self._queue: asyncio.Queue[tuple[Work, asyncio.Future[Done]] | None] = asyncio.Queue(_MOST_AT_ONCE)
        self._broken = False

    @property
    def busy(self) -> bool:
        """Whether work waits."""
        return not self._queue.empty()

    async def do(self, work: Work) -> Done:
        """On return the work is durable and indexed. Raises OSError where the committer has ended."""
        if self._broken:
            raise OSError("the archive is ending")
        future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        await self._queue.put((work, future))
        if self._broken:
            raise OSError("the archive is ending")
        # The work goes on where the sender has gone: half of it would help nobody.
        return await future

    async def run(self) -> None:
        """Work until ``stop``. Raises what a durable step raised; then nothing is taken any more."""
        loop = asyncio.get_running_loop()
        ending = False
        while not ending:
            group = [await self._queue.get()]
            while len(group) < _MOST_AT_ONCE and not self._queue.empty():
                group.append(self._queue.get_nowait())
            taken = [each for each in group if each is not None]
            ending = len(taken) < len(group)
            try:
                done = await loop.run_in_executor(self._thread, self._commit, [work for work, _ in taken])
            except BaseException as error:
                self._break([future for _, future in taken], error)
                raise
            for (_, future), result in zip(taken, done, strict=True):
                if not future.done():
                    future.set_result(result)

    async def stop(self) -> None:
        """Have ``run`` return after all that is waiting now."""
        if not self._broken:
            await self._queue.put(None)

    def close(self) -> None:
        """Give the thread back, after ``run``."""
        self._broken = True
        self._thread.shutdown()

    def _break(self, futures: list["asyncio.Future[Done]"], error: BaseException) -> None:
        self._broken = True
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is not None:
                futures.append(waiting[1])
        for future in futures:
            if not future.done():
                future.set_exception(OSError(f"the archive is ending: {error}"))
                future.exception()  # its sender may have gone; that is no error

    def _commit(self, group: Sequence[Work]) -> list[Done]:
        media = tuple(each for work in group if isinstance(work, StoredWork) for each in work.media)
        self._ledgers.write([work.piece for work in group if isinstance(work, LinesWork) and work.piece is not None])
        lacking = [self._lacking(work) for work in group]
        signed = self._sign(group, lacking)
        written = self._journal.append([text for text, _ in signed.values() if text is not None])
        places = iter(written)
        rows: list[ReceiptRow] = []
        texts: dict[tuple[UnitName, Acknowledged, str], str | None] = {}
        for key, (text, known) in signed.items():
            texts[key] = text or known
            if text is not None:
                place = next(places)
                name, kind, subject = key
                rows.append(
                    ReceiptRow(name=name, kind=kind, subject=subject, offset=place.offset, size_bytes=place.size_bytes)
                )
        new = tuple(work.new for work in group if isinstance(work, LinesWork) and work.new is not None)
        for lost in (work for work in group if isinstance(work, LostWork)):
            self._index.lose(lost.name, lost.media, lost.utc_us)
        found = tuple(each for work in group if isinstance(work, FoundWork) for each in self._keep_aside(work))
        if new or media or rows or found:
            utc_us = self._acknowledger.utc_us()
            self._index.commit(Changes(lines=new, media=media, receipts=tuple(rows), findings=found, utc_us=utc_us))
        # COMMIT
        done: list[Done] = []
        for work, lacks in zip(group, lacking, strict=True):
            asked = _key(work)
            given = asked is not None and lacks == ()
            done.append(Done(receipt=texts.get(asked) if asked and given else None, lacks=lacks or ()))
        return done

    def _keep_aside(self, work: FoundWork) -> tuple[Finding, ...]:
        """The evidence is durable on return, and the finding names it."""
        if work.aside is None:
            return work.findings
        first, *others = work.findings
        assert first.name is not None
        evidence = self._aside.keep(first.name, first.code, work.aside)
        return (replace(first, evidence=evidence), *others)

    def _sign(
        self, group: Sequence[Work], lacking: Sequence[tuple[str, ...] | None]
    ) -> dict[tuple[UnitName, Acknowledged, str], tuple[str | None, str | None]]:
        """For each receipt that is asked for: the text to be written, or the one that was given before."""
        signed: dict[tuple[UnitName, Acknowledged, str], tuple[str | None, str | None]] = {}
        for work, lacks in zip(group, lacking, strict=True):
            key = _key(work)
            if key is None or key in signed or lacks is None or lacks:
                continue
            place = self._index.receipt(*key)
            if place is not None:
                signed[key] = (None, self._journal.read(*place))
            elif isinstance(work, LinesWork):
                signed[key] = (self._acknowledger.logged(work.name, work.seq, work.sha256), None)
            elif isinstance(work, ReceiptWork):
                signed[key] = (self._acknowledger.stored(work.name, work.media), None)
        return signed

    def _lacking(self, work: Work) -> tuple[str, ...] | None:
        """What a receipt must not be given for: it is looked for where it should lie, not in the index only.

        None where the store cannot say at the moment: then there is no receipt.
        """
        if not isinstance(work, ReceiptWork):
            return ()
        known = self._index.stored(work.name, work.media)
        try:
            missing = self._store.missing(known)
        except StoreAwayError as error:
            _log.warning("the store is away", extra={"fields": {"error": str(error)}})
            return None
        lost = [sha256 for sha256 in work.media if sha256 in missing]
        if lost:
            _log.error(
                "media are lost", extra={"fields": {"unit": str(work.name), "first": lost[0], "count": len(lost)}}
            )
            self._index.lose(work.name, lost, self._acknowledger.utc_us())
        return tuple(sha256 for sha256 in work.media if sha256 not in known or sha256 in missing)


def _key(work: Work) -> tuple[UnitName, Acknowledged, str] | None:
    match work:
        case LinesWork():
            return work.name, Acknowledged.LOGGED, logged_subject(work.seq, work.sha256)
        case ReceiptWork():
            return work.name, Acknowledged.STORED, stored_subject(work.media)
        case StoredWork() | FoundWork() | LostWork():
            return None
