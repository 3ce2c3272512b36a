"""Lines as they were found, each once, kept in a scratch file: a day's lines are too many for memory."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from evidence.errors import EvidenceError
from evidence.jws import unseal
from evidence.lines import Line, Start, read_payload

MOST_LINES = 4_000_000
"""More than a hundred days of two cameras."""
MOST_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line that can be read; nothing is known of its signature. ``digest`` and ``prev`` are SHA-256, 32 bytes."""

    seq: int
    digest: bytes
    prev: str
    kid: str
    starts: bool
    at: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why lines were not kept, how many, and where the first few were found: source and offset."""

    reason: str
    count: int
    examples: tuple[tuple[str, int], ...]


class Refusals:
    """Counts lines that are not kept, by reason."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[tuple[str, int]]] = {}

    def add(self, reason: str, source: str, offset: int) -> None:
        """One more."""
        self._counts[reason] += 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < MOST_EXAMPLES:
            examples.append((source, offset))

    def all(self) -> tuple[Refusal, ...]:
        """The most frequent first."""
        return tuple(
            Refusal(reason=reason, count=count, examples=tuple(self._examples[reason]))
            for reason, count in self._counts.most_common()
        )


class Candidates:
    """Every distinct line that can be read. ``scratch`` is an open temporary file that nobody else writes."""

    def __init__(self, scratch: IO[bytes], refusals: Refusals) -> None:
        self._scratch = scratch
        self._refusals = refusals
        self._seen: set[bytes] = set()
        self._all: list[Candidate] = []
        self._end = 0
        self.places: dict[bytes, tuple[str, int]] = {}
        """Where a line was found first, by its digest."""

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, text: bytes, source: str, offset: int) -> None:
        """Take a line in, if it is one and new. One that cannot be read is a refusal."""
        digest = hashlib.sha256(text).digest()
        if digest in self._seen:
            return
        if len(self._seen) >= MOST_LINES:
            self._refusals.add("too-many-lines", source, offset)
            return
        self._seen.add(digest)
        try:
            token = unseal(text)
            line = read_payload(token.payload)
        except EvidenceError as error:
            self._refusals.add(error.code, source, offset)
            return
        starts = isinstance(line.body, Start)
        self._all.append(Candidate(line.seq, digest, line.prev, token.kid, starts, self._end, len(text)))
        self.places[digest] = (source, offset)
        self._scratch.seek(self._end)
        self._scratch.write(text)
        self._end += len(text)

    def refuse(self, candidate: Candidate, reason: str) -> None:
        """The line is not kept after all."""
        self._refusals.add(str(reason), *self.places[candidate.digest])

    def text(self, candidate: Candidate) -> bytes:
        """The very bytes of the line."""
        self._scratch.seek(candidate.at)
        return self._scratch.read(candidate.size)

    def line(self, candidate: Candidate) -> Line:
        """What the line says."""
        return read_payload(unseal(self.text(candidate)).payload)
