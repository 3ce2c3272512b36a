"""What the archive does with lines that a unit sends; of HTTP it knows only the statuses that it refuses with."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from archive.config import Limits
from archive.finding import Finding, FindingCode, Oddity
from archive.index.index import Index
from archive.index.rows import BranchRow, NewLines, NewMedia
from archive.ingest.committer import Committer, FoundWork, LinesWork, ReceiptWork, StoredWork
from archive.ingest.forks import UnitForks
from archive.ingest.held import Receipted
from archive.ingest.reading import OtherUnitError, Refusal
from archive.ingest.record import ConflictError, Planned, TooManyBranchesError, UnitRecord
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from archive.receipts import logged_subject
from archive.store.aside import MOST_REASON, Aside, Note
from archive.store.journal import ReceiptJournal
from archive.store.ledgers import LedgerFiles
from archive.trust import Trusted
from base.clock import Clock
from evidence.receipt import Acknowledged

MAX_LACKS = 512
_UNKNOWN_TIME_S, _TOO_MANY_BRANCHES_S = 60, 3_600
_log = logging.getLogger("archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesAnswer:
    """The answer to lines: ``status``, and the members of spec/upload.md, section 2."""

    status: int
    head: tuple[int, str] | None
    receipt: str | None
    lacks: Sequence[str]
    refused: Refusal | None


class LineIntake:
    """Verifies lines in threads, leaves writing to the committer, and answers for what is durable."""

    def __init__(
        self,
        *,
        election: str,
        receipted: Receipted,
        trust: Trusted,
        clock: Clock,
        limits: Limits,
        index: Index,
        ledgers: LedgerFiles,
        journal: ReceiptJournal,
        committer: Committer,
    ) -> None:
        self._election, self._trust, self._clock = election, trust, clock
        self._receipted = receipted
        self._limits = limits
        self._index, self._ledgers, self._journal = index, ledgers, journal
        self._committer = committer
        self._records: dict[UnitName, UnitRecord] = {}
        self._forks: dict[UnitName, UnitForks] = {}
        self._locks: dict[UnitName, asyncio.Lock] = {}
        """One request with lines at a time for each unit; all three grow with the units of the election only."""

    async def lines(self, name: UnitName, texts: Sequence[bytes], *, branch: int | None, by: str) -> LinesAnswer:
        """Take in what verifies of ``texts``; ``branch`` where the unit announced one. The rest is kept aside.

        ``by`` names the certificate that brought them. Raises RefusedError.
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            record = await self._record(name)
            now_us = self._clock.read().utc_us
            status = 200

            try:
                planned = await asyncio.to_thread(record.plan, texts, forks=branch is not None, now_us=now_us)
            except ConflictError:
                planned, status = Planned(new=None, piece=None, head=record.current, refused=None), 409
            except OtherUnitError as error:
                note = Note(
                    subject=f"{error.code}:{by}", seq=None, reason=str(error)[:MOST_REASON], by=by, utc_us=now_us
                )
                await self._keep_aside(name, error.code, texts, note)
                raise RefusedError(403, error.code, str(error)) from error
            except TooManyBranchesError as error:
                _log.error("a unit sends more branches than are kept", extra={"fields": {"unit": str(name)}})
                note = Note(subject="branches", seq=None, reason="too many branches", by=by, utc_us=now_us)
                await self._keep_aside(name, Oddity.TOO_MANY_BRANCHES, texts, note)
                raise RefusedError(429, "branches", "too many branches", retry_after_s=_TOO_MANY_BRANCHES_S) from error
            there: tuple[NewMedia, ...] = ()
            if planned.new is not None and planned.new.pruned:
                there = await self._look_at_receipts(planned.new, now_us)
            receipt = await self._keep(name, planned)
            record.applied(planned)
            if there:
                await self._committer.do(StoredWork(media=there))
            if planned.new is not None and len(record.branches) > 1:
                await self._tell_forks(name, planned.new.branch.number, now_us)
            if planned.refused is not None:
                status, refused = 422, planned.refused
                fields = {"unit": str(name), "seq": refused.seq, "code": refused.code.value}
                _log.warning("a line is refused", extra={"fields": fields})
                subject = f"{refused.code}:{refused.seq}"
                note = Note(
                    subject=subject, seq=refused.seq, reason=refused.message[:MOST_REASON], by=by, utc_us=now_us
                )
                await self._keep_aside(name, refused.code, planned.rest, note)
        lacks = await asyncio.to_thread(self._index.wanted, name, MAX_LACKS)
        return LinesAnswer(
            status=status, head=_head(planned.head), receipt=receipt, lacks=lacks, refused=planned.refused
        )

    async def line_at(self, name: UnitName, seq: int) -> LinesAnswer:
        """The line at ``seq`` of the branch that the unit is on."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            record = await self._record(name)
            line = await asyncio.to_thread(record.line_at, seq)
        head = None if line is None else (line.seq, line.sha256)
        return LinesAnswer(status=200, head=head, receipt=None, lacks=(), refused=None)

    async def receipt(self, name: UnitName, media: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
        """A *stored* receipt for ``media``, the same each time; or None, and those that the archive does not hold."""
        done = await self._committer.do(ReceiptWork(name=name, media=media))
        if done.receipt is None and not done.lacks:
            raise RefusedError(503, "no-receipts", "no receipt can be signed now", retry_after_s=_UNKNOWN_TIME_S)
        return done.receipt, done.lacks

    async def _record(self, name: UnitName) -> UnitRecord:
        if name not in self._records:
            self._records[name], self._forks[name] = await asyncio.to_thread(self._open, name)
        return self._records[name]

    def _open(self, name: UnitName) -> tuple[UnitRecord, UnitForks]:
        record = UnitRecord(
            name,
            election=self._election,
            trust=self._trust,
            index=self._index,
            ledgers=self._ledgers,
            most_branches=self._limits.branches,
        )
        return record, UnitForks(name, self._index, self._ledgers)

    async def _keep(self, name: UnitName, planned: Planned) -> str | None:
        """Have what was planned made durable. Returns the receipt for the head, if there can be one."""
        head = planned.head
        if head is None:
            return None
        if planned.new is None:
            subject = logged_subject(head.head_seq, head.head_sha256)
            place = await asyncio.to_thread(self._index.receipt, name, Acknowledged.LOGGED, subject)
            if place is not None:
                return await asyncio.to_thread(self._journal.read, *place)
        work = LinesWork(name=name, new=planned.new, piece=planned.piece, seq=head.head_seq, sha256=head.head_sha256)
        done = await self._committer.do(work)
        return done.receipt

    async def _keep_aside(self, name: UnitName, code: FindingCode, texts: Sequence[bytes], note: Note) -> None:
        """Evidence lies there before anybody is answered."""
        finding = Finding(
            name=name, subject=note.subject, code=code, detail=note.reason, seq=note.seq, utc_us=note.utc_us
        )
        await self._committer.do(FoundWork(findings=(finding,), aside=Aside(texts=tuple(texts), note=note)))

    async def _look_at_receipts(self, new: NewLines, now_us: int | None) -> tuple[NewMedia, ...]:
        """What receipts in ``pruned`` lines speak of and the store has. What is lost is told before the lines count:
        should the power fail in between, they come again.
        """
        shown = await asyncio.to_thread(self._receipted.shown, new, self._trust.now(), now_us)
        if shown.lost:
            fields = {"unit": str(new.name), "first": shown.lost[0].detail, "count": len(shown.lost)}
            _log.error("media that were receipted and pruned are lost", extra={"fields": fields})
            await self._committer.do(FoundWork(findings=shown.lost))
        return shown.there

    async def _tell_forks(self, name: UnitName, grown: int, now_us: int | None) -> None:
        findings: list[Finding] = []
        for fork, new in await asyncio.to_thread(self._forks[name].grown, grown):
            findings.append(fork.finding(name, now_us, count=1 if new else 0))
            fields = {"unit": str(name), "seq": fork.seq, "branch": fork.two, "code": findings[-1].code.value}
            _log.warning("the unit has two histories", extra={"fields": fields})
        if findings:
            await self._committer.do(FoundWork(findings=tuple(findings)))


def _head(row: BranchRow | None) -> tuple[int, str] | None:
    return None if row is None else (row.head_seq, row.head_sha256)
