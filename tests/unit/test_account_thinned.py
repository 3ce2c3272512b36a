"""A day that came over a thin link is told in stretches."""

from itertools import pairwise

from evidence.coverage import State
from evidence.day.answer import Moment, Span
from evidence.day.thinned import LEAST_PIECES, PIECE_NS, join_thinned

SECOND = 10**9


def spans(*pieces: tuple[State, int], mode: str = "LIVE", boot: str = "b", begin: int = 0) -> list[Span]:
    """Pieces of so many seconds, one after the other."""
    out, at = [], begin
    for state, seconds in pieces:
        start, end = (
            Moment(boot_id=boot, boot_ns=ns, utc_us=(ns // 1_000 - 5, ns // 1_000 + 5))
            for ns in (at, at + seconds * SECOND)
        )
        out.append(Span(start=start, end=end, state=state.value, mode=mode, cause=None))
        at += seconds * SECOND
    return out


def told(found: tuple[Span, ...]) -> list[tuple[str, int]]:
    return [(span.state, (span.end.boot_ns - span.start.boot_ns) // SECOND) for span in found]


HERE, COMING, GAP = State.SEGMENT, State.MISSING, State.GAP


def test_turns_between_here_and_missing_are_one_stretch() -> None:
    day = spans((GAP, 1), *[(HERE, 2), (COMING, 6)] * 9, (HERE, 2), (GAP, 10), (HERE, 100))
    assert told(join_thinned(day)) == [("gap", 1), ("thinned", 74), ("gap", 10), ("segment", 100)]


def test_a_stretch_ends_with_what_is_here() -> None:
    day = spans((COMING, 30), *[(HERE, 2), (COMING, 6)] * 9)
    assert told(join_thinned(day)) == [("missing", 30), ("thinned", 66), ("missing", 6)]


def test_a_few_turns_a_long_piece_another_mode_or_boot_stand_for_themselves() -> None:
    few = spans(*[(HERE, 2), (COMING, 6)] * (LEAST_PIECES // 2))
    assert join_thinned(few) == tuple(few)
    long = spans(*[(HERE, PIECE_NS // SECOND + 1), (COMING, 6)] * 9)
    assert join_thinned(long) == tuple(long)
    half = [(HERE, 2), (COMING, 2)] * 4
    tested = spans(*half, mode="TEST", begin=16 * SECOND)
    assert [span.mode for span in join_thinned([*spans(*half), *tested])] == ["LIVE", "LIVE", "TEST", "TEST"]
    other = spans(*half, boot="c")
    assert [span.start.boot_id for span in join_thinned([*spans(*half), *other])] == ["b", "b", "c", "c"]


def test_no_time_is_lost_or_told_twice() -> None:
    day = spans((GAP, 1), *[(HERE, 2), (COMING, 6)] * 50, (COMING, 70), *[(HERE, 4), (COMING, 2)] * 3, (GAP, 5))
    joined = join_thinned(day)
    assert (joined[0].start, joined[-1].end) == (day[0].start, day[-1].end)
    assert all(one.end == two.start for one, two in pairwise(joined))


def test_nothing_is_nothing() -> None:
    assert join_thinned([]) == ()
