"""Two thousand viewers of one camera, behind the project's nginx, while its station delivers: nobody there notices."""

from pathlib import Path

import pytest

from bench.crowd import live_through

VIEWERS = 2_000
SEGMENTS = 4
SEGMENT_BYTES = 40_000
"""Small, so that two thousand players fit into two processes of Python; how many bytes a station sends is its own."""
SPREAD = 1.05
"""What receipts, asked for by the clock, and TLS let vary from one stretch to the next."""


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_a_crowd_costs_the_station_not_one_byte_and_is_shown_every_segment_as_it_was_signed(tmp_path: Path) -> None:
    day = live_through(tmp_path, viewers=VIEWERS, segments=SEGMENTS, segment_bytes=SEGMENT_BYTES)
    seen = day.seen
    assert seen.viewers == VIEWERS
    assert (seen.wrong, seen.cut, dict(seen.refused)) == (0, 0, {})
    assert seen.media_bytes >= VIEWERS * SEGMENT_BYTES
    # Everything that was committed meanwhile was acknowledged, or the scene would have failed.
    assert len(day.crowd.acknowledged_s) == SEGMENTS
    alone = [phase.carried_bytes for phase in day.alone]
    assert min(alone) / SPREAD <= day.crowd.carried_bytes <= max(alone) * SPREAD
