"""What the archive reads from outside: requests, lines, media, its own files after a crash, its configuration."""

import base64
import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from archive.config import describe, load_config
from archive.index.index import Index
from archive.index.rows import Changes, NewMedia
from archive.ingest import commitforms
from archive.ingest.app import _read_media
from archive.ingest.findingforms import read_finding, write_finding
from archive.ingest.media import Announced, Incoming, Reading, judge_size, read_head, refuse
from archive.ingest.opening import catch_up, find_again
from archive.ingest.reading import OtherUnitError, Reader, split_lines
from archive.ingest.record import ConflictError, UnitRecord
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from archive.store.aside import AsideFiles
from archive.store.journal import ReceiptJournal
from archive.store.ledgers import LedgerFiles
from archive.store.spool import Draft, Spool
from archive.trust import Trusted
from base.errors import OperatorError
from evidence.codes import Code
from evidence.verify.media import Expected, Fault
from tests.fakes.station import NOON_US, Station, authority
from tests.fuzz.cards import Fleeting
from tests.fuzz.programs import STATION, UNIT, chained
from tests.fuzz.station import acknowledged
from tests.vectors.delivered import delivery

NAME = UnitName(station=STATION, unit=UNIT)
ELECTION = "az-2026"


@functools.cache
def _folder() -> Path:
    """One folder for the life of the process; every input replaces the one before."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-archive-"))
    (folder / "root.pem").write_bytes(authority().root_pem)
    return folder


@functools.cache
def _trusted() -> Trusted:
    return Trusted(_folder() / "root.pem", None)


@functools.cache
def _station() -> Station:
    """The unit whose key ``chained`` enrols: a record with LIVE segments, one UNARMED before them."""
    station = Station(authority(), station=STATION, unit=UNIT, seed="fuzz")
    station.begin()
    station.segment()
    station.arm()
    station.segments(2)
    return station


@contextmanager
def _archive(folder: Path) -> Iterator[tuple[Index, LedgerFiles, ReceiptJournal]]:
    """The archive's parts on what lies in ``folder``, with an index that knows nothing."""
    disk = Fleeting()  # remembers which folders it has made
    disk.make_directory(folder)
    index = Index("sqlite://", ELECTION)
    try:
        journal = ReceiptJournal(disk, folder / "receipts.jws")
        try:
            yield index, LedgerFiles(disk, folder / "ledgers"), journal
        finally:
            journal.close()
    finally:
        index.close()


def config(data: bytes) -> None:
    """The archive's configuration; what is in force can be printed."""
    path = _folder() / "archive.toml"
    path.write_bytes(data)
    with suppress(OperatorError):
        describe(load_config(path))


def forms(data: bytes) -> None:
    """Headers of an upload, one a line; the body of a question for receipts; what workers and the committer say."""
    _read_heads(data)
    _read_commits(data)


def _read_heads(data: bytes) -> None:
    texts = [*data.decode("latin-1").split("\n"), "", "", "", "", ""]
    with suppress(RefusedError):
        announced = read_head(
            texts[0],
            content_type=texts[1],
            length=int(texts[2]) if texts[2].isdecimal() and len(texts[2]) < 20 else None,
            digest=texts[3],
            priority=texts[4],
        )
        assert 0 <= announced.urgency <= 7
    with suppress(RefusedError):
        assert 1 <= len(_read_media(data)) <= 128


def _read_commits(data: bytes) -> None:
    """What is read can be written, and reads the same."""
    pairs: list[tuple[Callable[[bytes], object], Callable[..., bytes]]] = [
        (commitforms.read_digests, commitforms.write_digests),
        (commitforms.read_stored, commitforms.write_stored),
        (commitforms.read_lines_answer, commitforms.write_lines_answer),
        (read_finding, write_finding),
    ]
    for read, write in pairs:
        with suppress(ValueError):
            value = read(data)
            assert read(write(value)) == value
    with suppress(ValueError):
        receipt, lacks = commitforms.read_receipt_answer(data)
        assert commitforms.read_receipt_answer(commitforms.write_receipt_answer(receipt, lacks)) == (receipt, lacks)
    with suppress(ValueError):
        refusal = commitforms.read_refusal(data)
        assert commitforms.read_refusal(commitforms.write_refusal(refusal)).status == refusal.status


def lines(data: bytes) -> None:
    """A body of lines: what is taken is what stands before the first line that is refused."""
    try:
        texts = split_lines(data)
    except ValueError:
        return
    assert b"".join(text + b"\n" for text in texts) == data
    with suppress(OtherUnitError):
        good, refused = Reader(NAME, ELECTION, _trusted().now(), ()).read(texts, None, now_us=NOON_US)
        assert [each.text for each in good] == texts[: len(good)]
        assert (refused is None) == (len(good) == len(texts))


def signed_lines(data: bytes) -> None:
    """Lines of a hostile unit, chained and signed as they should be: what is taken can be indexed and looked up."""
    texts = chained(data, election=ELECTION, station=STATION, unit=UNIT)
    folder = _folder() / "data"
    shutil.rmtree(folder, ignore_errors=True)
    with _archive(folder) as (index, ledgers, _):
        record = _record(index, ledgers)
        for part in (texts[:3], texts[3:]):
            with suppress(ConflictError, OtherUnitError):
                planned = record.plan(part, forks=True, now_us=NOON_US)
                taken = 0 if planned.new is None else len(planned.new.lines)
                assert taken + len(planned.rest) == len(part)
                if planned.new is not None and planned.piece is not None:
                    ledgers.write([planned.piece])
                    index.commit(Changes(lines=(planned.new,)))
                    record.applied(planned)
        for sha256 in index.wanted(NAME, 512):
            assert all(expected.segment.sha256 == sha256 for expected, _ in index.named(NAME, sha256))
            index.commit(Changes(media=(NewMedia(name=NAME, sha256=sha256),)))


def _record(index: Index, ledgers: LedgerFiles) -> UnitRecord:
    return UnitRecord(NAME, election=ELECTION, trust=_trusted(), index=index, ledgers=ledgers, most_branches=4)


def opening(data: bytes) -> None:
    """A data folder as a crash, a damaged disk or somebody's hand left it: two branches, the journal, a note."""
    folder = _folder() / "data"
    shutil.rmtree(folder, ignore_errors=True)
    unit = folder / "ledgers" / NAME.station / NAME.unit
    aside = folder / "aside" / NAME.station / NAME.unit
    for each in (unit, aside):
        each.mkdir(parents=True)
    parts = [*data.split(b"\n\n\n", 3), b"", b"", b"", b""]
    digest = hashlib.sha256(b"x\n").hexdigest()
    (unit / "0.jws").write_bytes(parts[0])
    if parts[1]:
        (unit / "1.jws").write_bytes(parts[1])
    (folder / "receipts.jws").write_bytes(parts[2])
    (aside / f"{digest}.lines").write_bytes(b"x\n")
    (aside / f"{digest}.{Code.LINE_MALFORMED}.json").write_bytes(parts[3])
    with suppress(OperatorError), _archive(folder) as (index, ledgers, journal):
        catch_up(election=ELECTION, trust=_trusted(), index=index, ledgers=ledgers, journal=journal)
        find_again(index, ledgers, AsideFiles(Fleeting(), folder / "aside"))
        catch_up(election=ELECTION, trust=_trusted(), index=index, ledgers=ledgers, journal=journal)


def draft(data: bytes) -> None:
    """Media whose digest a line names: what they are is judged, and nothing of what is refused is left."""
    if not data:
        return
    segment = replace(_expected().segment, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    named = [replace(_expected(), segment=segment)]
    announced = Announced(sha256=segment.sha256, size_bytes=len(data), urgency=1)
    assert judge_size(announced, named) is None
    # What a reader remembers of the segments before changes nothing.
    found = [_receive(data, reading, announced, named) for reading in (_reading(), Reading())]
    assert found[0] == found[1]
    assert not list((_folder() / "incoming").iterdir())


def _receive(data: bytes, reading: Reading, announced: Announced, named: list[Expected]) -> Fault | None:
    incoming = Incoming(_spool(), reading)
    found = incoming.end([data[: len(data) // 2], data[len(data) // 2 :]], announced, named)
    if isinstance(found, Draft):
        found.discard()
        return None
    refuse(found)
    return found


@functools.cache
def _reading() -> Reading:
    return Reading()


@functools.cache
def _spool() -> Spool:
    return Spool(Fleeting(), _folder() / "incoming")


@functools.cache
def _expected() -> Expected:
    """What the unit's ledger says of its first LIVE segment."""
    folder = _folder() / "expected"
    with _archive(folder) as (index, ledgers, _):
        record = _record(index, ledgers)
        planned = record.plan(_station().lines, forks=False, now_us=NOON_US)
        assert planned.new is not None
        index.commit(Changes(lines=(planned.new,)))
        named = [expected for sha256 in index.wanted(NAME, 2) for expected, _ in index.named(NAME, sha256)]
    return min(named, key=lambda expected: expected.segment.index)


def configurations() -> list[bytes]:
    """A whole configuration, one with a bucket, and values that TOML readers stumble over."""
    whole = b"""[archive]
election = "sample-2027"
name = "centre"
[listen]
address = "127.0.0.1"
port = 8443
[keys]
trust = "root.pem"
revoked = "crl.pem"
key = "archive.key"
certificate = "archive.pem"
receipt_key = "receipts.key"
receipt_certificate = "receipts.pem"
[disk]
data = "data"
database = "postgresql://archive@localhost/archive"
[limits]
in_flight_mib = 256
"""
    bucket = b'[s3]\nbucket = "b"\nendpoint = "https://s3.example"\n'
    return [whole, whole + bucket, b"[archive]\nelection = " + b"[" * 2000, b"[limits]\nstall_s = " + b"9" * 5000]


def all_forms() -> list[bytes]:
    """One of each."""
    digest = "0" * 64
    encoded = base64.b64encode(bytes.fromhex(digest)).decode()
    headers = (digest, "video/mp4", "1", f"sha-256=:{encoded}:", "u=6, i")
    head = {"status": 422, "head_seq": 1, "head_sha256": "A" * 43, "receipt": None, "lacks": [digest]}
    refused = {"seq": 2, "code": "signature-wrong", "message": "no"}
    finding = {"station": STATION, "unit": UNIT, "subject": "s", "code": "cert-revoked", "detail": "d"}
    objects: list[object] = [
        {**head, "refused": refused},
        {"media": [digest]},
        {"receipt": "a.b.c", "lacks": []},
        {"status": 503, "code": "busy", "message": "too much", "retry_after_s": 5},
        {**finding, "seq": None, "utc_us": None, "count": 1},
    ]
    rows = ["\n".join(headers), f"{digest}\n", f"{STATION} {UNIT} {digest}\n"]
    return [*(json.dumps(each).encode() for each in objects), *(row.encode() for row in rows)]


def ledgers() -> list[bytes]:
    """A good ledger; and those of the vectors, which are another election's."""
    station = _station()
    return [station.ledger, *(b"".join(line + b"\n" for line in found) for found in delivery().ledgers.values())]


def folders() -> list[bytes]:
    """Whole; a torn ledger; a fork; and a receipt that is torn."""
    station, other = _station(), Station(authority(), station=STATION, unit=UNIT, seed="fuzz")
    other.begin()
    other.event("opened")
    whole, fork = station.ledger, other.ledger
    receipt = acknowledged().encode() + b"\n"
    note = json.dumps({"subject": "s", "seq": 1, "reason": "r", "by": "0" * 64, "utc_us": 1}).encode()
    parts = ((whole, b"", receipt, note), (whole[:-9], b"", receipt[:-9], b""), (whole, fork, b"x\n" + receipt, b"{}"))
    return [b"\n\n\n".join(each) for each in parts]


def drafts() -> list[bytes]:
    """A good segment, a cut one, and an UNARMED one."""
    segments = [data for name, data in sorted(_station().files.items()) if name.endswith(".m4s")]
    return [*segments[:2], segments[0][:500]]
