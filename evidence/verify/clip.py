"""The rules for a clip: segments of one camera with the lines that prove them (spec/verify.md, section 2.4)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from evidence.certificate import Trust
from evidence.clip import Proof, peek_line
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.lines import Close, Gap, Line, Segment, line_hash
from evidence.receipt import Acknowledged, read_receipt
from evidence.verify.findings import Place
from evidence.verify.keyring import check_signatures
from evidence.verify.media import ExpectedInit, Facts, Fault, judge
from evidence.verify.part import Clip, Part
from evidence.verify.record import MediaTask, Record
from evidence.verify.verifier import Verifier

_LINES_PER_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What follows a proof box. ``facts`` are of the segment's bytes, None where they are cut short or no ``mdat``
    holds them. ``base_ticks`` is the decode time that the ``moof`` in front of them calls 0, None where it is not the
    ``moof`` that follows from them. ``offset`` is where the bytes begin in the file.
    """

    facts: Facts | None = None
    base_ticks: int | None = None
    offset: int = 0


Look = Callable[[Media], tuple[Fault, ...]]
"""Looks inside the pictures of a segment that checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A proof box and what follows it; bytes that stand anywhere else are a piece without lines."""

    proof: Proof = field(default_factory=lambda: Proof(lines=()))
    media: Media | None = None


@dataclass(frozen=True, slots=True)
class _Owned:
    """A piece whose last line names a segment."""

    piece: Piece
    text: bytes
    line: Line
    segment: Segment


def judge_clip(pieces: Sequence[Piece], *, beginning: bool | None, trust: Trust, look: Look | None = None) -> Record:
    """The finished record of a clip's pieces, in the order of the file. ``look`` is asked for segments that check.

    ``beginning`` says whether the file's first boxes are those that follow from its segments; None where it has none.
    """
    record = Record()
    owned = [found for piece in pieces if (found := _owner(piece)) is not None]
    first = next((each for each in owned if each.piece.media is not None), None)
    if first is None:
        record.findings.add(Code.CLIP_UNSIGNED, Place(), "no line in it names a segment that it holds")
        return record
    part = Part(camera=first.segment.camera, first_seq=first.line.seq)
    judged = _Judged(record, look, {each.text: each for each in reversed(owned) if each.piece.media is not None})
    verifier = Verifier(trust, record, part=part)
    for batch in _batches(_in_order(pieces, part.first_seq)):
        opened = [verifier.open(text) for text in batch]
        good = iter(check_signatures([each.check for each in opened if each.check is not None]))
        for text, each in zip(batch, opened, strict=True):
            for task in verifier.take(each, next(good) if each.check is not None else True):
                judged.settle(task, text)
    verifier.finish()
    if not trust.roots:
        record.findings.add(Code.NO_TRUST, Place())
    if beginning is False:
        record.findings.add(Code.INIT_CHANGED, Place(camera=part.camera), "the clip's beginning")
    _judge_strangers(record, pieces, part.camera)
    held = _receipted(record, pieces, judged.digests, trust)
    _describe(record, first, judged, held)
    record.finish()
    return record


class _Judged:
    """The segments that lines ask for, as the file holds them."""

    def __init__(self, record: Record, look: Look | None, owned: dict[bytes, _Owned]) -> None:
        self._record, self._look, self._owned = record, look, owned
        self._base: int | None = None
        self.here: list[tuple[Place, Segment]] = []
        """The lines that ask for what the file holds, whatever it is worth."""
        self.good: list[Segment] = []
        self.digests: dict[int, str] = {}
        """Of the lines that ask, by ``seq``."""
        self.boot_id = ""
        """That of the first line that asks: one film is of one run, so of one boot."""
        self._run: tuple[str, int] | None = None

    def settle(self, task: MediaTask, text: bytes) -> None:
        if isinstance(task.expected, ExpectedInit):
            self._record.settle(task, None)
            return
        assert task.at.seq is not None
        self.digests[task.at.seq] = line_hash(text)
        run = (task.expected.session, task.expected.segment.run)
        if self._run is None:
            self._run, self.boot_id = run, task.expected.boot_id
        owned = self._owned.get(text)
        media = None if owned is None else owned.piece.media
        if media is None:
            self._record.settle(task, None)
            return
        if run == self._run:
            self.here.append((task.at, task.expected.segment))
        else:
            self._record.findings.add(Code.CLIP_UNSIGNED, task.at, "a film shows one run, and this is of another")
        if media.facts is None:
            self._record.settle(task, (Fault(code=Code.MEDIA_CHANGED, detail="it is cut short in this file"),))
            return
        faults = judge(task.expected, media.facts)
        if not faults and self._look is not None:
            faults = self._look(media)
        self._record.settle(task, faults)
        if not faults:
            self.good.append(task.expected.segment)
            self._judge_boxes(media, task.at)

    def _judge_boxes(self, media: Media, at: Place) -> None:
        """A player shows the samples of the segment, all of them, at their times."""
        self._base = media.base_ticks if self._base is None else self._base
        if media.base_ticks is None:
            self._record.findings.add(Code.CLIP_UNSIGNED, at, "the boxes in front of a segment show something else")
        elif media.base_ticks != self._base:
            self._record.findings.add(Code.CLIP_UNSIGNED, at, "a segment is shown at another time than its own")


def _owner(piece: Piece) -> _Owned | None:
    if not piece.proof.lines:
        return None
    text = piece.proof.lines[-1]
    line = peek_line(text)
    if line is None or not isinstance(line.body, Segment):
        return None
    return _Owned(piece, text, line, line.body)


def _in_order(pieces: Sequence[Piece], first_seq: int) -> Iterator[bytes]:
    """The lines as they count: first what precedes the first segment, by ``seq`` and each once; the others as they
    stand in the file, so that what was moved or doubled shows.
    """
    before: dict[bytes, int] = {}
    for piece in pieces:
        for text in piece.proof.lines:
            line = None if text in before else peek_line(text)
            if line is not None and line.seq < first_seq and not isinstance(line.body, Segment | Gap | Close):
                before[text] = line.seq
    yield from sorted(before, key=before.__getitem__)
    for piece in pieces:
        yield from (text for text in piece.proof.lines if text not in before)


def _batches(texts: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for text in texts:
        batch.append(text)
        if len(batch) == _LINES_PER_BATCH:
            yield batch
            batch = []
    yield batch


def _judge_strangers(record: Record, pieces: Sequence[Piece], camera: str) -> None:
    """Bytes of which no line of the clip's camera speaks."""
    for piece in pieces:
        if piece.media is None:
            continue
        owned = _owner(piece)
        if owned is None:
            record.findings.add(Code.CLIP_UNSIGNED, Place(), "bytes in it are named by no line")
        elif owned.segment.camera != camera:
            at = Place(seq=owned.line.seq, camera=owned.segment.camera)
            record.findings.add(Code.CLIP_UNSIGNED, at, f"beside {camera}, it shows another camera")


def _receipted(record: Record, pieces: Sequence[Piece], digests: dict[int, str], trust: Trust) -> set[str]:
    """The media that good receipts name. A receipt of lines must speak of the lines that are here."""
    named: set[str] = set()
    texts: dict[bytes, int | None] = {}
    for piece in pieces:
        owned = _owner(piece)
        for text in piece.proof.receipts:
            texts.setdefault(text, None if owned is None else owned.line.seq)
    for text, seq in texts.items():
        try:
            receipt = read_receipt(text.decode("ascii"), trust)
            if (receipt.election, receipt.station, receipt.unit) != record.names:
                whose = f"election {receipt.election}, station {receipt.station}, unit {receipt.unit}"
                raise EvidenceError(Code.RECEIPT_REFUSED, f"the receipt is refused: it is for {whose}")
            if receipt.kind is Acknowledged.LOGGED and digests.get(receipt.seq or 0, receipt.sha256) != receipt.sha256:
                raise EvidenceError(
                    Code.RECEIPT_REFUSED, f"the receipt is refused: it names another line {receipt.seq}"
                )
        except EvidenceError as error:
            record.findings.add(Code.RECEIPT_REFUSED, Place(seq=seq), str(error))
            continue
        named.update(receipt.media)
    return named


def _describe(record: Record, first: _Owned, judged: "_Judged", held: set[str]) -> None:
    """Where the clip begins and ends, by the lines of its first and last segment."""
    at, segment = Place(seq=first.line.seq), first.segment
    found = sorted(judged.here, key=lambda each: each[0].seq or 0) or [(at, segment)]
    (begin, from_segment), (end, to_segment) = found[0], found[-1]
    record.clip = Clip(
        camera=segment.camera,
        first_seq=begin.seq or 0,
        last_seq=end.seq or 0,
        boot_id=judged.boot_id,
        from_ns=from_segment.from_ns,
        to_ns=to_segment.to_ns,
        segments=len(judged.good),
        receipted=sum(each.sha256 in held for each in judged.good),
    )
    detail = f"lines before {begin.seq} and after {end.seq} are not here"
    record.findings.add(Code.PART_ONLY, Place(seq=begin.seq, camera=segment.camera), detail)
