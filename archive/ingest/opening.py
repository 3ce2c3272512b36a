"""What a start does before anybody is let in: the index learns what the files have and it has not.

Ledger files and the journal are written before the index, so after a crash they may be ahead of it, never behind. What
is behind the index's knowledge was acknowledged to nobody and is verified like lines that come in. Starting and
rebuilding are the same code: a rebuilt index knows nothing.
"""

import logging

from archive.finding import Finding
from archive.index.index import Index
from archive.index.rows import Changes, NewMedia, ReceiptRow
from archive.ingest.forks import known_forks
from archive.ingest.reading import OtherUnitError, peek
from archive.ingest.record import ConflictError, UnitRecord
from archive.names import UnitName
from archive.receipts import logged_subject, stored_subject
from archive.store.aside import AsideFiles
from archive.store.journal import ReceiptJournal
from archive.store.ledgers import LedgerFiles
from archive.store.store import Store
from archive.trust import Trusted
from base.errors import OperatorError
from cmaf.content import ContentReader
from evidence import jws
from evidence.errors import EvidenceError
from evidence.members import decode
from evidence.receipt import RECEIPT_TYP, Acknowledged, Receipt
from evidence.verify.content import read_claim
from evidence.verify.media import Expected, names_same

_HEAD_BYTES = 1 << 16
_ALL_BRANCHES = 1 << 20
_RECEIPTS_AT_ONCE = 256
_REBUILD = "Keep a copy of the data folder; then a new index can be made: unbroken archive check --rebuild."
_log = logging.getLogger("archive")


def catch_up(*, election: str, trust: Trusted, index: Index, ledgers: LedgerFiles, journal: ReceiptJournal) -> None:
    """Bring the index up to the files. Raises OperatorError where it knows of lines that no file has."""
    for name in sorted({*index.units(), *ledgers.units()}):
        _catch_up_unit(name, election, trust, index, ledgers)
    _catch_up_receipts(index, journal)


def find_again(index: Index, ledgers: LedgerFiles, aside: AsideFiles) -> None:
    """Bring the index's findings up to the files: forks as branches show them, refused lines as they lie aside.

    After a crash that may be the newest one; after a rebuild it is all that files tell of, each counted as found once.
    """
    known = {(row.name, row.subject): row.code for row in index.findings()}
    found: list[Finding] = []
    for name in index.units():
        if len(index.branches(name)) > 1:
            found += [fork.finding(name, None, count=0) for fork in known_forks(name, index, ledgers)]
    for kept in aside.kept():
        note = kept.note
        found.append(
            Finding(
                name=kept.name,
                subject=note.subject,
                code=kept.code,
                detail=note.reason,
                seq=note.seq,
                utc_us=note.utc_us,
                count=0,
                evidence=kept.digest,
            )
        )
    new = tuple(
        each
        for each in found
        if known.get((each.name, each.subject)) != each.code and (each.name, f"{each.code}:more") not in known
    )
    if new:
        index.commit(Changes(findings=new))


def count_media(index: Index, store: Store) -> int:
    """After a rebuild: count as stored what the store holds, is of the size and says that it is of the unit.

    Returns how many. Every object was verified before it came into the store; which unit's it is, it says itself.
    """
    container = ContentReader()
    counted = 0
    for name in index.units():
        media: list[NewMedia] = []
        for sha256, _ in index.digests(name):
            if store.has(sha256) and any(
                _is(store, sha256, expected, container) for expected, _ in index.named(name, sha256)
            ):
                media.append(NewMedia(name=name, sha256=sha256))
        index.commit(Changes(media=tuple(media)))
        counted += len(media)
    return counted


def _is(store: Store, sha256: str, expected: Expected, container: ContentReader) -> bool:
    try:
        with store.open(sha256) as file:
            claim = read_claim(file.read(_HEAD_BYTES), container)
    except OSError as error:
        # A bad sector in one object is no reason to have no index.
        _log.error("an object cannot be read", extra={"fields": {"sha256": sha256, "error": str(error)}})
        return False
    return claim is not None and names_same(expected, claim)


def _catch_up_unit(name: UnitName, election: str, trust: Trusted, index: Index, ledgers: LedgerFiles) -> None:
    record = UnitRecord(name, election=election, trust=trust, index=index, ledgers=ledgers, most_branches=_ALL_BRANCHES)
    sizes = ledgers.sizes(name)
    for row in record.branches.values():
        if sizes.get(row.number, 0) < row.size_bytes:
            raise OperatorError(f"{ledgers.path(name, row.number)} is shorter than the index says.", hint=_REBUILD)
    for number, size_bytes in sizes.items():
        known = record.branches.get(number)
        known_bytes = 0 if known is None else known.size_bytes
        if size_bytes > known_bytes:
            _take(record, ledgers, index, number, known_bytes)


def _take(record: UnitRecord, ledgers: LedgerFiles, index: Index, number: int, known_bytes: int) -> None:
    """Index what a file holds behind ``known_bytes``, and cut off what was never a whole line."""
    name = record.name
    # Memory may remember what a failed sync has lost.
    data = ledgers.reread(name, number, known_bytes)
    texts = data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]
    try:
        planned = record.plan(texts, forks=True, now_us=0)
    except (ConflictError, OtherUnitError) as error:
        raise OperatorError(f"{ledgers.path(name, number)} does not belong to its unit.", hint=_REBUILD) from error
    good_bytes = known_bytes
    if planned.new is not None:
        branch = planned.new.branch
        if branch.number != number:
            raise OperatorError(f"{ledgers.path(name, number)} should be branch {branch.number}.", hint=_REBUILD)
        good_bytes = branch.size_bytes
    rest = data[good_bytes - known_bytes :]
    readable = any(_is_line(text) for text in rest.split(b"\n")[1:])
    if good_bytes == 0 or (known_bytes == 0 and readable):
        raise OperatorError(f"{ledgers.path(name, number)} is damaged at byte {good_bytes}.", hint=_REBUILD)
    if rest:
        fields = {"unit": str(name), "branch": number, "bytes": len(rest)}
        _log.warning("an unfinished write was cut off", extra={"fields": fields})
        if readable:  # lost where the index is older than the file; then whoever asks may still find it
            ledgers.keep_aside(name, number, good_bytes, rest)
    ledgers.settle(name, number, good_bytes)
    if planned.new is not None:
        index.commit(Changes(lines=(planned.new,)))
        record.applied(planned)


def _catch_up_receipts(index: Index, journal: ReceiptJournal) -> None:
    end = index.journal_end()
    if end > journal.end:
        raise OperatorError("The journal of receipts is shorter than the index says.", hint=_REBUILD)
    rows: list[ReceiptRow] = []
    media: list[NewMedia] = []

    def commit() -> None:
        index.commit(Changes(media=tuple(media), receipts=tuple(rows)))
        rows.clear()
        media.clear()

    skipped = 0
    for written in journal.behind(end):
        receipt = _receipt(written.text)
        if receipt is None or written.offset + written.size_bytes >= journal.end:
            skipped += 1
            continue
        end = written.offset + written.size_bytes + 1
        name = UnitName(station=receipt.station, unit=receipt.unit)
        if receipt.kind is Acknowledged.LOGGED:
            subject = logged_subject(receipt.seq or 0, receipt.sha256 or "")
        else:
            subject = stored_subject(receipt.media)
            # They were durable when it was signed. Should one be gone, reading back tells, as it must: it was promised.
            media += [NewMedia(name=name, sha256=each, utc_us=receipt.utc_us) for each in receipt.media]
        rows.append(
            ReceiptRow(
                name=name,
                kind=receipt.kind,
                subject=subject,
                offset=written.offset,
                size_bytes=written.size_bytes,
            )
        )
        if len(rows) >= _RECEIPTS_AT_ONCE:
            commit()
    journal.settle(end)
    if skipped:
        _log.warning("receipts could not be read", extra={"fields": {"lines": skipped}})
    if rows:
        commit()


def _receipt(text: str) -> Receipt | None:
    try:
        return decode(Receipt, jws.parse(jws.unseal(text.encode("ascii"), RECEIPT_TYP).payload))
    except ValueError:
        return None


def _is_line(text: bytes) -> bool:
    try:
        peek(text)
    except EvidenceError:
        return False
    return True
