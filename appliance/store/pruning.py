"""Lines that let media go: one for each stretch of neighbours (spec/ledger.md, section 4.9)."""

from collections.abc import Iterable

from evidence.lines import Pruned

Place = tuple[str, str, int, int]
"""Session, camera, run and index of a segment."""


def pruned_lines(places: Iterable[Place], reason: str, receipt: str | None = None) -> list[Pruned]:
    """Lines for ``places``, each run in the order given."""
    stretches: dict[tuple[str, str, int], list[tuple[int, int]]] = {}
    for session, camera, run, index in places:
        found = stretches.setdefault((session, camera, run), [])
        begin = found.pop()[0] if found and found[-1][1] == index else index
        found.append((begin, index + 1))
    return [
        Pruned(camera=camera, session=session, run=run, from_index=begin, to_index=end, reason=reason, receipt=receipt)
        for (session, camera, run), found in stretches.items()
        for begin, end in found
    ]
