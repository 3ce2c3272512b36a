"""Clips on disk: found among files, and read box by box with bounded memory (spec/clip.md)."""

import io
from collections.abc import Iterator
from pathlib import Path

from audit.files import open_regular
from cmaf.clip import (
    MAX_HEAD_BYTES,
    MAX_PROOF_BYTES,
    PROOF_AT,
    PROOF_MARK,
    carried_base,
    clip_head,
    proof_size,
    read_duration_ms,
)
from cmaf.content import ContentReader
from cmaf.errors import MediaError
from cmaf.track import Track
from evidence.certificate import Trust
from evidence.clip import Proof, read_proof
from evidence.lines import MAX_SEGMENT_BYTES
from evidence.verify.clip import Media, Piece, judge_clip
from evidence.verify.content import read_facts
from evidence.verify.media import Facts, Fault
from evidence.verify.record import Record

_BLOCK_BYTES = 1 << 20
_BOX_BYTES = 8


def is_clip(head: bytes) -> bool:
    """Whether a file that begins with ``head`` (64 KiB, or all of it) is a clip: a proof stands there."""
    return head[4:8] in (b"ftyp", b"uuid", b"moov") and PROOF_MARK in head[:MAX_HEAD_BYTES]


def verify_clip(path: Path, trust: Trust, *, decode: bool = False) -> Record:
    """The finished record of a clip. Memory keeps the lines, and a few hundred bytes of each segment."""
    with open_regular(path) as file:
        reader = _Reader(file)
        pieces = list(reader.pieces())
        look = reader.look_inside if decode else None
        return judge_clip(pieces, beginning=reader.beginning, trust=trust, look=look)


class _Reader:
    """Takes one file apart. ``beginning`` is as in ``judge_clip`` once all pieces are read."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._end = file.seek(0, io.SEEK_END)
        self._container = ContentReader()
        self._head = b""
        self.beginning: bool | None = None

    def look_inside(self, media: Media) -> tuple[Fault, ...]:
        """What is wrong with the pictures of a segment that checks: nobody else's are decoded."""
        from audit.decode import pictures_fault

        assert media.facts is not None
        return pictures_fault(self._read(media.offset, media.offset + media.facts.size), media.facts.pictures)

    def pieces(self) -> Iterator[Piece]:
        """Every proof and what follows it, and whatever stands between, in the order of the file."""
        at = self._find_proof(0)
        if at > 0:
            self.beginning = False
            self._head = self._read(0, min(at, MAX_HEAD_BYTES + 1))
        while at < self._end:
            size = proof_size(self._read(at, at + PROOF_AT))
            if size is None:
                after = self._find_proof(at + PROOF_AT)
                yield Piece(media=Media())
            elif at + size > self._end:
                after = self._end
                whole = self._read(at + PROOF_AT, self._end).rpartition(b"\n")[0]
                yield Piece(proof=read_proof(whole), media=Media())
            else:
                proof = read_proof(self._read(at + PROOF_AT, at + size))
                after, piece = self._piece(proof, at + size)
                yield piece
                if after < self._end and not self._is_proof(after):
                    after = self._find_proof(after)
                    yield Piece(media=Media())
            at = after

    def _piece(self, proof: Proof, at: int) -> tuple[int, Piece]:
        """What follows a proof box, and where that ends."""
        if at >= self._end or self._is_proof(at):
            return at, Piece(proof=proof)
        media_at = self._box_end(at, b"moof", MAX_PROOF_BYTES)
        end = None if media_at is None else self._box_end(media_at, b"mdat", MAX_SEGMENT_BYTES + _BOX_BYTES)
        if media_at is None or end is None:
            return self._find_proof(at), Piece(proof=proof, media=Media())
        boxes = self._read(at, media_at + _BOX_BYTES)
        data = self._read(media_at + _BOX_BYTES, end)
        facts = read_facts(data, self._container)
        self._judge_beginning(facts)
        media = Media(facts=facts, base_ticks=carried_base(boxes, data), offset=media_at + _BOX_BYTES)
        return end, Piece(proof=proof, media=media)

    def _judge_beginning(self, facts: Facts) -> None:
        """The first segment that is well-formed says what the file must begin with."""
        identity = facts.identity
        if not self._head or identity is None or facts.malformed is not None:
            return
        stream = {"width": identity.width, "height": identity.height, "timescale": identity.timescale}
        try:
            wanted = clip_head(Track(**stream, avcc=identity.avcc), read_duration_ms(self._head))
            self.beginning = wanted == self._head
        except MediaError:
            self.beginning = False
        self._head = b""

    def _is_proof(self, at: int) -> bool:
        return self._read(at + 4, at + PROOF_AT) == PROOF_MARK

    def _box_end(self, at: int, kind: bytes, most: int) -> int | None:
        head = self._read(at, at + _BOX_BYTES)
        size = int.from_bytes(head[:4], "big")
        fits = _BOX_BYTES <= size <= most and at + size <= self._end
        return at + size if head[4:] == kind and fits else None

    def _find_proof(self, at: int) -> int:
        """Where the next proof box begins; the end of the file where there is none."""
        rest = b""
        place = at
        while block := self._read(place, place + _BLOCK_BYTES):
            found = (rest + block).find(PROOF_MARK, 4 if place == at else 0)
            if found >= 0:
                return place - len(rest) + found - 4
            place += len(block)
            rest = (rest + block)[1 - PROOF_AT :]
        return self._end

    def _read(self, begin: int, end: int) -> bytes:
        self._file.seek(begin)
        parts: list[bytes] = []
        while begin < end and (block := self._file.read(end - begin)):
            parts.append(block)
            begin += len(block)
        return b"".join(parts)
