"""The courier: what a network would have brought, from a unit's card or a copy of it, by the same rules.

Lines first, then the media that they name, then receipts. Nothing on the card is written. What is damaged, missing or
refused is said and blocks nothing else; interrupted and done again, it goes on.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from archive.brought import Brought
from archive.card import Batch, CardError, Damage, Record, find_records, read_batches, read_file, whose
from archive.desk import Desk
from archive.entries import Entries
from archive.index.rows import PlaceRow
from archive.ingest.media import Announced
from archive.ingest.reading import digests
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from base.durable import Disk
from base.errors import OperatorError
from evidence.receipt import MAX_MEDIA

COURIER = "0" * 64
"""Stands for the certificate in notes of what was kept aside: there was none."""
_AT_ONCE = 8
_LEAST_URGENT = 7
_BLOCK_BYTES = 1 << 18
_AGAIN = "Import again later; it goes on where it was."
_log = logging.getLogger("archive")


class Courier:
    """Brings the records of one folder after the other."""

    def __init__(
        self, desk: Desk, *, operator: str, receipts: Path | None, disk: Disk, progress: Callable[[int], None]
    ) -> None:
        """``operator`` is who brings it, for the log. Receipts are laid below ``receipts``, by station and unit.

        ``progress`` is told of each segment that was looked at.
        """
        self._desk, self._operator = desk, operator
        self._receipts, self._disk = receipts, disk
        self._progress = progress

    async def bring(self, path: Path) -> list[Brought]:
        """All that lies in a folder. Raises OperatorError where it holds no record or the archive takes nothing now."""
        records, unread = await asyncio.to_thread(find_records, path)
        if not records:
            raise OperatorError(
                f"There is no record in {path}{''.join(f'; {each}' for each in unread[:1])}.",
                hint="Name the folder that holds a unit's ledger.jws, or one that holds several of them.",
            )
        brought = [await self._bring(record) for record in records]
        brought[0].unread.extend(unread)
        return brought

    async def settle(self, brought: Sequence[Brought]) -> None:
        """What one card lacks, another may have had."""
        for each in brought:
            if each.name is not None and each.missing:
                for some in _parts(sorted(each.missing)):
                    for sha256 in await asyncio.to_thread(self._desk.index.stored, each.name, some):
                        del each.missing[sha256]

    async def _bring(self, record: Record) -> Brought:
        name = await asyncio.to_thread(whose, record)
        brought = Brought(folder=record.folder, name=name)
        fields = {"path": str(record.folder), "unit": str(name), "operator": self._operator}
        _log.info("a courier brings a record", extra={"fields": fields})
        if name is None:
            brought.unread.append("neither ledger nor unit.json says whose it is")
            return brought
        logged: str | None = None
        for ledger in record.ledgers:
            logged = await self._bring_ledger(name, ledger, brought) or logged
        entries = await asyncio.to_thread(self._open_entries, name)
        if logged is not None:
            await asyncio.to_thread(entries.lay_logged, logged)
        # Where lines are there and the archive takes none of them, it is another record than the one that it has.
        if brought.lines_new or brought.lines_known or not brought.lines_refused:
            await self._bring_media(name, record, entries, brought)
        fields |= {"lines": str(brought.lines_new), "media": str(brought.media_new), "complete": str(brought.complete)}
        _log.info("a courier has brought a record", extra={"fields": fields})
        return brought

    async def _bring_ledger(self, name: UnitName, ledger: Path, brought: Brought) -> str | None:
        """The newest receipt that was given for lines."""
        receipt: str | None = None
        taken = True
        batches = read_batches(ledger)
        while (found := await asyncio.to_thread(next, batches, None)) is not None:
            if isinstance(found, Damage):
                text = f"{ledger}, byte {found.offset}: {found.reason}"
                (brought.notes if found.torn else brought.unread).append(text)
            elif found.joined and not taken:
                # Nothing can follow a line that was not taken.
                brought.lines_refused += len(found.texts)
            else:
                taken, given = await self._bring_batch(name, ledger, found, brought)
                receipt = given or receipt
        return receipt

    async def _bring_batch(
        self, name: UnitName, ledger: Path, batch: Batch, brought: Brought
    ) -> tuple[bool, str | None]:
        """Whether the archive has all of it, and the receipt for it."""
        before = await asyncio.to_thread(self._known, name, batch)
        receipt, why = await self._hand_over(name, batch)
        after = await asyncio.to_thread(self._known, name, batch)
        brought.lines_known += before
        brought.lines_new += after - before
        refused = len(batch.texts) - after
        last = batch.from_seq + len(batch.texts) - 1
        if refused:
            brought.lines_refused += refused
            brought.refused.append(f"{ledger}: {refused:,} of lines {batch.from_seq} to {last}: {why}")
        elif receipt is None:
            brought.notes.append(f"no receipt can be signed now for lines up to {last}")
        return not refused, receipt

    async def _hand_over(self, name: UnitName, batch: Batch) -> tuple[str | None, str]:
        """The receipt, and why not all was taken."""
        try:
            answer = await self._desk.commits.lines(name, batch.texts, branch=batch.from_seq, by=COURIER)
        except RefusedError as error:
            return None, str(error)
        if answer.refused is not None:
            return answer.receipt, f"line {answer.refused.seq}: {answer.refused.message}"
        return answer.receipt, "the archive has nothing that they follow"

    def _known(self, name: UnitName, batch: Batch) -> int:
        """How many lines of a batch the archive has."""
        to_seq = batch.from_seq + len(batch.texts)
        there = self._desk.index.lines(name, batch.from_seq, to_seq)
        return sum(key in there for key in zip(range(batch.from_seq, to_seq), digests(batch.texts), strict=True))

    async def _bring_media(self, name: UnitName, record: Record, entries: Entries, brought: Brought) -> None:
        """Armed media that lines name, in the order of digests: what shares a receipt comes together."""
        after = ""
        while rows := await asyncio.to_thread(self._desk.index.places_behind, name, after, MAX_MEDIA):
            after = rows[-1].sha256
            places = {sha256: tuple(some) for sha256, some in groupby(rows, key=lambda row: row.sha256)}
            known = {sha256 for sha256, some in places.items() if any(each.stored for each in some)}
            taken = await self._take(
                name, record, {sha256: places[sha256] for sha256 in places.keys() - known}, brought
            )
            receipt, lost = await self._acknowledge(name, known | taken, brought)
            if lost:
                # The archive has lost what it had: this is the chance to give it back.
                known -= lost
                taken |= await self._take(name, record, {sha256: places[sha256] for sha256 in lost}, brought)
                receipt, _ = await self._acknowledge(name, known | taken, brought)
            brought.media_known += len(known)
            brought.media_new += len(taken)
            if receipt is not None:
                brought.receipts += 1
                held = [each.place for each in rows if each.sha256 in known | taken]
                await asyncio.to_thread(entries.lay_stored, receipt, held)
            self._progress(len(places))

    async def _take(
        self, name: UnitName, record: Record, wanted: Mapping[str, Sequence[PlaceRow]], brought: Brought
    ) -> set[str]:
        """Which of ``wanted`` the card had and the archive has taken in."""
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(sha256: str) -> bool:
            async with room:
                return await self._take_one(name, record, wanted[sha256], brought)

        order = sorted(wanted)
        took = await asyncio.gather(*map(one, order), return_exceptions=True)
        for each in took:
            if isinstance(each, BaseException):
                raise each
        return {sha256 for sha256, there in zip(order, took, strict=True) if there is True}

    async def _take_one(self, name: UnitName, record: Record, places: Sequence[PlaceRow], brought: Brought) -> bool:
        here = False
        for each in places:
            path = record.media(*each.place)
            try:
                data = await asyncio.to_thread(read_file, path, each.size_bytes + 1)
                here = True
                announced = Announced(sha256=each.sha256, size_bytes=len(data), urgency=_LEAST_URGENT)
                await self._desk.media.media(name, announced, _blocks(data))
                return True
            except (FileNotFoundError, NotADirectoryError):
                continue
            except CardError as error:
                here = True
                brought.unread.append(f"{path}: {error}")
            except RefusedError as error:
                if error.retry:
                    raise OperatorError(f"The archive takes no media now: {error}.", hint=_AGAIN) from error
                brought.refused.append(f"{path}: {error}")
        if not here:
            brought.missing[places[0].sha256] = f"{record.media(*places[0].place)}"
        return False

    async def _acknowledge(
        self, name: UnitName, media: Collection[str], brought: Brought
    ) -> tuple[str | None, set[str]]:
        """The receipt for ``media``, or None; and which of them the archive has lost."""
        if not media:
            return None, set()
        try:
            receipt, lost = await self._desk.commits.receipt(name, tuple(sorted(media)))
        except RefusedError as error:
            brought.notes.append(f"no receipt for {len(media)} media: {error}")
            return None, set()
        return receipt, set(lost)

    def _open_entries(self, name: UnitName) -> Entries:
        branches = self._desk.index.branches(name)
        head_seq = max((each.head_seq for each in branches), default=0)
        folder = None if self._receipts is None else self._receipts / name.station / name.unit
        return Entries(folder, self._disk, head_seq)


async def _blocks(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), _BLOCK_BYTES):
        yield data[at : at + _BLOCK_BYTES]


def _parts(digests: Sequence[str]) -> Iterator[Sequence[str]]:
    return (digests[at : at + MAX_MEDIA] for at in range(0, len(digests), MAX_MEDIA))
