"""Makes clips of records, and lets each part of one be bent before it is written (spec/clip.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cmaf.clip import carry, clip_head, proof_box
from cmaf.fragment import ticks
from evidence.clip import Proof, peek_line, write_proof
from evidence.lines import Config, Event, Run, Segment, Start
from tests.vectors.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A segment with its proof: ``boxes`` is the ``moof`` and the header of the ``mdat`` that holds ``data``."""

    lines: tuple[bytes, ...]
    receipts: tuple[bytes, ...]
    boxes: bytes
    data: bytes

    @property
    def proof(self) -> bytes:
        """Its proof box."""
        return proof_box(write_proof(Proof(lines=self.lines, receipts=self.receipts)))

    @property
    def written(self) -> bytes:
        """All of it."""
        return self.proof + self.boxes + self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip in its parts: the file's beginning, the proof of profile and arming, the segments."""

    beginning: bytes
    opening: bytes
    parts: tuple[Part, ...]

    @property
    def written(self) -> bytes:
        """The file."""
        return join(self.beginning, self.opening, *self.parts)


def join(*parts: bytes | Part) -> bytes:
    """A file of these."""
    return b"".join(part if isinstance(part, bytes) else part.written for part in parts)


def clip_of(
    record: Record,
    indexes: range,
    *,
    camera: str = "cam1",
    receipts: Mapping[int, Sequence[str]] | None = None,
) -> Clip:
    """Segments of the record's running run, as an archive gives them out. ``receipts`` go with their segments."""
    lines = [(text, line) for text in record.lines if (line := peek_line(text)) is not None]
    start = [text for text, line in lines if isinstance(line.body, Start) and line.body.kid == record.session][-1:]
    run_number = record.runs[camera]
    session_from = next(line.seq for text, line in lines if text in start)
    run = [
        text
        for text, line in lines
        if isinstance(line.body, Run)
        and (line.body.camera, line.body.run) == (camera, run_number)
        and line.seq > session_from
    ]
    owners = {
        line.body.index: line.seq
        for _, line in lines
        if isinstance(line.body, Segment)
        and (line.body.camera, line.body.run) == (camera, run_number)
        and line.seq > session_from
    }
    first_seq = owners[indexes[0]]
    told = [
        text
        for text, line in lines
        if line.seq < first_seq
        and (isinstance(line.body, Start | Config) or (isinstance(line.body, Event) and line.body.event == "armed"))
    ]
    base_ticks = begin_ns = end_ns = 0
    parts: list[Part] = []
    before = first_seq - 1
    for index in indexes:
        data = record.media[record.path(index, camera)]
        owner = next(line.body for _, line in lines if line.seq == owners[index])
        assert isinstance(owner, Segment)
        if not parts:
            base_ticks = ticks(owner.from_ns)
            begin_ns = owner.from_ns
        end_ns = owner.to_ns - begin_ns
        between = [text for text, line in lines if before < line.seq <= owners[index]]
        parts.append(
            Part(
                lines=(*start, *run, *between),
                receipts=tuple(text.encode() for text in (receipts or {}).get(index, ())),
                boxes=carry(data, base_ticks=base_ticks, sequence=index + 1).head,
                data=data,
            )
        )
        before = owners[index]
    return Clip(
        beginning=clip_head(record.takes[camera].track, end_ns // 1_000_000),
        opening=proof_box(write_proof(Proof(lines=tuple(told)))),
        parts=tuple(parts),
    )
