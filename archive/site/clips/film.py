"""The bytes of a clip, segment by segment: what the published tree holds, and what proves it (spec/clip.md)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from archive.index.rows import LineRow
from archive.site.clips.plan import Part
from cmaf.clip import carry, clip_head, proof_box
from cmaf.content import ContentReader
from cmaf.fragment import ticks
from cmaf.track import Track
from evidence.clip import Proof, write_proof
from evidence.verify.content import read_claim

_NS_PER_MS = 1_000_000


class Tree(Protocol):
    """Where published media lie: ``archive.publish.tree.PublishedTree``."""

    def path(self, sha256: str) -> Path:
        """Of a segment."""


def film(part: Part, *, media: Tree, ledger: Path, receipts: Mapping[str, bytes]) -> Iterator[bytes]:
    """The file in pieces, the first with the first segment; blocking. ``receipts`` are by digest.

    Raises OSError where media or lines are not there any more, or are not what the index says: then the rest must not
    be sent, for it would not prove itself. Memory is that of one segment.
    """
    first, last = part.segments[0].row.segment, part.segments[-1].row.segment
    base_ticks = ticks(first.from_ns)
    with ledger.open("rb") as lines:
        once = Proof(lines=_read(lines, part.opening))
        opening = proof_box(write_proof(once)) if once.lines else b""
        for planned in part.segments:
            segment = planned.row.segment
            data = media.path(segment.sha256).read_bytes()
            if len(data) != segment.size:
                raise OSError(f"{segment.sha256} has another size than its line says")
            receipt = receipts.get(segment.sha256)
            proof = Proof(lines=_read(lines, planned.lines), receipts=() if receipt is None else (receipt,))
            try:
                head = carry(data, base_ticks=base_ticks, sequence=segment.index + 1).head
                begin = (
                    b"" if planned is not part.segments[0] else _beginning(data, last.to_ns - first.from_ns) + opening
                )
                yield begin + proof_box(write_proof(proof)) + head
            except ValueError as error:
                raise OSError(f"{segment.sha256} cannot stand in a clip: {error}") from error
            yield data


def _beginning(segment: bytes, duration_ns: int) -> bytes:
    """``ftyp`` and ``moov``. Raises ValueError where the segment does not say of what stream it is."""
    claim = read_claim(segment, ContentReader())
    if claim is None:
        raise ValueError("its identity cannot be read")
    track = Track(width=claim.width, height=claim.height, timescale=claim.timescale, avcc=claim.avcc)
    return clip_head(track, duration_ns // _NS_PER_MS)


def _read(ledger: BinaryIO, rows: Sequence[LineRow]) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for row in rows:
        ledger.seek(row.offset)
        found.append(ledger.read(row.size_bytes))
        if len(found[-1]) != row.size_bytes:
            raise OSError("the ledger is shorter than the index says")
    return tuple(found)
