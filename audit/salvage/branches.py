"""Puts lines that check back in order: one ledger, and a branch for each other continuation.

Where lines are missing, the pieces before and after are joined by their ``seq`` alone. Two lines with one ``seq`` are
a fork (spec/ledger.md, section 8): both are kept, in files of their own, for the verifier to judge.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.salvage.candidates import Candidate
from evidence import base64url
from evidence.verify.ranges import Ranges

MOST_BRANCHES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """``ledger`` is in the order of ``seq``, as is each of ``branches``, which begin with the lines that they share
    with it. ``left_out`` lines are on more branches than are kept.
    """

    ledger: tuple[Candidate, ...]
    branches: tuple[tuple[Candidate, ...], ...]
    left_out: tuple[Candidate, ...]

    @property
    def missing(self) -> list[tuple[int, int]]:
        """The ``seq`` that no line of the ledger has, up to its last, as half-open intervals."""
        found = Ranges()
        for line in self.ledger:
            found.add(line.seq, line.seq + 1)
        return found.without(0, self.ledger[-1].seq + 1) if self.ledger else []


def without_parent(lines: Sequence[Candidate]) -> list[Candidate]:
    """The lines, but for the first of all, whose predecessor is not among ``lines``."""
    names = {base64url.encode(line.digest) for line in lines}
    return [line for line in lines if line.seq and line.prev not in names]


def order(lines: Iterable[Candidate]) -> Ordered:
    """Order lines that all check. The longest pieces come first into the ledger; what no longer fits is a branch."""
    parents, pieces = _pieces(sorted(lines, key=lambda line: (line.seq, line.digest)))
    ledger: list[Candidate] = []
    taken: list[tuple[int, int]] = []
    branches: list[tuple[Candidate, ...]] = []
    left_out: list[Candidate] = []
    for piece in sorted(pieces, key=lambda piece: (-len(piece), piece[0].seq, piece[0].digest)):
        begin, end = piece[0].seq, piece[-1].seq
        at = bisect_left(taken, (begin, begin))
        before_fits = at == 0 or taken[at - 1][1] < begin
        after_fits = at == len(taken) or end < taken[at][0]
        if before_fits and after_fits:
            insort(taken, (begin, end))
            ledger += piece
        elif len(branches) < MOST_BRANCHES:
            branches.append((*_before(piece[0], parents), *piece))
        else:
            left_out += piece
    return Ordered(
        ledger=tuple(sorted(ledger, key=lambda line: line.seq)), branches=tuple(branches), left_out=tuple(left_out)
    )


def _pieces(lines: Sequence[Candidate]) -> tuple[dict[bytes, Candidate], list[list[Candidate]]]:
    """Each line's predecessor by the line's digest, and the lines in pieces that hang together by ``prev``.

    At a fork the longest continuation goes on with the piece, and each other begins one.
    """
    by_name = {base64url.encode(line.digest): line for line in lines}
    parents: dict[bytes, Candidate] = {}
    length: dict[bytes, int] = {}
    heir: dict[bytes, Candidate] = {}
    for line in reversed(lines):
        length.setdefault(line.digest, 1)
        parent = by_name.get(line.prev)
        if parent is not None and parent.seq == line.seq - 1:
            parents[line.digest] = parent
            if length[line.digest] + 1 > length.get(parent.digest, 1):
                length[parent.digest] = length[line.digest] + 1
                heir[parent.digest] = line
    pieces: list[list[Candidate]] = []
    for line in lines:
        parent = parents.get(line.digest)
        if parent is None or heir[parent.digest] is not line:
            piece = [line]
            while (following := heir.get(piece[-1].digest)) is not None:
                piece.append(following)
            pieces.append(piece)
    return parents, pieces


def _before(line: Candidate, parents: dict[bytes, Candidate]) -> list[Candidate]:
    """The lines that lead to ``line``, oldest first."""
    found: list[Candidate] = []
    while (parent := parents.get(line.digest)) is not None:
        found.append(parent)
        line = parent
    return found[::-1]
