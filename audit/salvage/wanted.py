"""Which media the kept lines name: by digest, by place, and which of them were pruned on purpose."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit.salvage.candidates import Candidate, Candidates
from evidence.lines import Pruned, Recovered, Run, Segment
from evidence.verify.ranges import Ranges
from evidence.verify.receipts import RECEIPTED
from evidence.words import Mode

RunKey = tuple[str, str, int]
"""Session, camera and number of a run."""
Key = tuple[str, str, int, int]
"""Session, camera, run and index of a segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A segment that a kept line names. The place holds nothing but names that the format has checked."""

    key: Key
    sha256: str
    size: int
    seq: int
    mode: Mode
    from_ns: int
    to_ns: int

    @property
    def path(self) -> str:
        """Where it lies under a unit's folder (spec/segment.md, section 2)."""
        session, camera, run, index = self.key
        return f"media/{session}/{camera}/{run}/{index:06d}.m4s"


class Wanted:
    """Segments and init segments by digest and by place."""

    def __init__(self) -> None:
        self._by_digest: defaultdict[str, list[Named]] = defaultdict(list)
        self._by_key: dict[Key, list[Named]] = {}
        self._pruned: defaultdict[RunKey, Ranges] = defaultdict(Ranges)
        self._barred: defaultdict[RunKey, Ranges] = defaultdict(Ranges)
        self.inits: dict[RunKey, str] = {}

    def read(self, candidates: Candidates, lines: Iterable[Candidate]) -> None:
        """Take in what lines name; a line of several branches counts once."""
        for each in lines:
            body = candidates.line(each).body
            match body:
                case Run():
                    self.inits[each.kid, body.camera, body.run] = body.init_sha256
                case Segment():
                    self._name(each, body)
                case Pruned():
                    key = (body.session, body.camera, body.run)
                    self._pruned[key].add(body.from_index, body.to_index)
                    if body.reason != RECEIPTED:
                        self._barred[key].add(body.from_index, body.to_index)
                case _:
                    pass

    def __iter__(self) -> Iterator[Named]:
        """Every segment named and not pruned, in the order of the lines."""
        for all_named in self._by_key.values():
            yield from (named for named in all_named if not self.pruned(named.key))

    def by_digest(self, sha256: str) -> list[Named]:
        """The segments that have this digest, without those that must not come back."""
        return [named for named in self._by_digest.get(sha256, ()) if not self.barred(named.key)]

    def by_key(self, key: Key) -> list[Named]:
        """What should lie in a place: one segment, or one for each branch."""
        return self._by_key.get(key, [])

    def pruned(self, key: Key) -> bool:
        """Whether a line says that the segment was deleted on purpose: nobody misses it."""
        pruned = self._pruned.get(key[:3])
        return pruned is not None and key[3] in pruned

    def barred(self, key: Key) -> bool:
        """Whether the segment must not come back. One that was pruned on a receipt is evidence, and may."""
        barred = self._barred.get(key[:3])
        return barred is not None and key[3] in barred

    def came_back(self, key: Key) -> None:
        """The segment turned up: it counts like one that was never pruned."""
        if self.pruned(key):
            self._pruned[key[:3]].discard(key[3])

    @property
    def pruned_count(self) -> int:
        """How many named segments were pruned."""
        return sum(self.pruned(key) for key in self._by_key)

    def _name(self, each: Candidate, segment: Segment) -> None:
        session = segment.session if isinstance(segment, Recovered) else each.kid
        key = (session, segment.camera, segment.run, segment.index)
        named = Named(
            key=key,
            sha256=segment.sha256,
            size=segment.size,
            seq=each.seq,
            mode=segment.mode,
            from_ns=segment.from_ns,
            to_ns=segment.to_ns,
        )
        here = self._by_key.setdefault(key, [])
        if all(other.sha256 != named.sha256 for other in here):
            here.append(named)
            self._by_digest[named.sha256].append(named)
