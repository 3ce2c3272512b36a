"""Time across boots counts once (spec/verify.md, section 3), in records in which something else claims a part of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from evidence.coverage import Crossing, Lane, Span, clip, union

Spans = dict[str, tuple[Span, ...]]


def cut_crossings(spans: Mapping[str, Sequence[Span]], crossings: Sequence[Crossing]) -> tuple[Spans, list[Crossing]]:
    """Crossings that end where anything else of their second boot begins, and the spans with what is left of them.

    A crossing claims its second boot from 0 on. What it claims behind the first other span lies within that boot, and
    only where nothing that comes first in ``State`` does. Nothing changes in a record whose pieces share no time.
    """
    within: dict[str, Lane] = {}
    cut: dict[tuple[str, str, int], Crossing] = {}
    for crossing in crossings:
        others = clip(spans.get(crossing.to_boot, ()), 0, crossing.to_ns)
        if others:
            begin_ns = others[0].from_ns
            rest = Span(
                from_ns=begin_ns,
                to_ns=crossing.to_ns,
                state=crossing.state,
                cause=crossing.cause,
                evidence=crossing.evidence,
            )
            within.setdefault(crossing.to_boot, Lane()).add(rest)
            crossing = replace(crossing, to_ns=begin_ns)
        cut.setdefault((crossing.from_boot, crossing.to_boot, crossing.to_ns), crossing)
    lanes = {boot_id: tuple(lane) for boot_id, lane in spans.items()}
    for boot_id, lane in within.items():
        lanes[boot_id] = union(lanes[boot_id], lane.spans)
    return lanes, list(cut.values())
