"""What a verifier found: collected, neighbours merged, in an order that does not depend on who found it first."""

from bisect import bisect_left
from dataclasses import dataclass

from evidence.codes import MEANINGS, Code, Weight

NEIGHBOUR_LINES = 32
"""Findings of one code and camera whose ``seq`` lie no further apart are one (spec/verify.md, section 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a finding is; what does not apply is None."""

    seq: int | None = None
    camera: str | None = None
    boot_id: str | None = None
    boot_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One damage. ``detail`` says more than the code's sentence; ``count`` is how many were merged into it."""

    code: Code
    at: Place
    detail: str
    count: int = 1

    @property
    def weight(self) -> Weight:
        """What it does to the verdict."""
        return MEANINGS[self.code].weight


@dataclass(frozen=True, slots=True)
class _Cluster:
    last: int
    first: Finding
    count: int


class Findings:
    """Collects findings. Memory grows with what is left after merging."""

    def __init__(self) -> None:
        self._clusters: dict[tuple[Code, str | None], list[_Cluster]] = {}
        self._placeless: dict[tuple[Code, str | None], Finding] = {}
        self.muted = False
        """While set, nothing is collected: the lines being judged were judged before, in another copy."""

    def add(self, code: Code, at: Place, detail: str = "", count: int = 1) -> None:
        """One more finding. Of those merged, the one with the least ``seq`` speaks for all."""
        if self.muted:
            return
        finding = Finding(code=code, at=at, detail=detail, count=count)
        key = (code, at.camera)
        if at.seq is None:
            known = self._placeless.get(key)
            self._placeless[key] = finding if known is None else _counted(known, known.count + count)
            return
        clusters = self._clusters.setdefault(key, [])
        index = bisect_left(clusters, at.seq - NEIGHBOUR_LINES, key=_last)
        new = _Cluster(last=at.seq, first=finding, count=count)
        if index < len(clusters) and clusters[index].first.at.seq - NEIGHBOUR_LINES <= at.seq:  # type: ignore[operator]
            new = _merged(clusters.pop(index), new)
            if index < len(clusters) and clusters[index].first.at.seq - NEIGHBOUR_LINES <= new.last:  # type: ignore[operator]
                new = _merged(new, clusters.pop(index))
        clusters.insert(index, new)

    def copy(self) -> "Findings":
        """Another collection of what was found so far."""
        findings = Findings()
        findings._clusters = {key: list(clusters) for key, clusters in self._clusters.items()}
        findings._placeless = dict(self._placeless)
        return findings

    def all(self) -> tuple[Finding, ...]:
        """Everything found, by ``seq`` (those without one last) and code."""
        found = [_counted(c.first, c.count) for clusters in self._clusters.values() for c in clusters]
        found += self._placeless.values()
        order = list(Code)
        return tuple(
            sorted(found, key=lambda f: (f.at.seq is None, f.at.seq or 0, order.index(f.code), f.at.camera or ""))
        )

    def weights(self) -> set[Weight]:
        """The weights of all findings."""
        return {MEANINGS[code].weight for code, _ in (*self._clusters, *self._placeless)}


def _last(cluster: _Cluster) -> int:
    return cluster.last


def _merged(one: _Cluster, two: _Cluster) -> _Cluster:
    first = min(one.first, two.first, key=lambda finding: (finding.at.seq or 0, finding.detail))
    return _Cluster(last=max(one.last, two.last), first=first, count=one.count + two.count)


def _counted(finding: Finding, count: int) -> Finding:
    return Finding(code=finding.code, at=finding.at, detail=finding.detail, count=count)
