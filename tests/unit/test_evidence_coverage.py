"""Coverage against a model that keeps every nanosecond apart."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from evidence.coverage import COVERED, CameraCoverage, Crossing, Lane, Span, State, clip, holes, total_ns, union
from evidence.verify.crossings import cut_crossings
from evidence.verify.ranges import Ranges, count
from evidence.words import Cause, Mode

spans = st.builds(
    lambda begin, length, state, mode, cause: Span(
        from_ns=begin, to_ns=begin + length, state=state, mode=mode, cause=cause
    ),
    st.integers(0, 60),
    st.integers(1, 20),
    st.sampled_from(State),
    st.sampled_from([None, Mode.LIVE]),
    st.sampled_from([None, Cause.CAMERA]),
)
RANK = list(State)


def painted(pieces: list[Span]) -> dict[int, Span]:
    """For each tick the span that wins it."""
    ticks: dict[int, Span] = {}
    for piece in pieces:
        for tick in range(piece.from_ns, piece.to_ns):
            if tick not in ticks or RANK.index(piece.state) < RANK.index(ticks[tick].state):
                ticks[tick] = piece
    return ticks


def said(pieces: tuple[Span, ...]) -> dict[int, tuple[State, Mode | None, Cause | None]]:
    return {
        tick: (piece.state, piece.mode, piece.cause) for piece in pieces for tick in range(piece.from_ns, piece.to_ns)
    }


def as_said(ticks: dict[int, Span]) -> dict[int, tuple[State, Mode | None, Cause | None]]:
    return {tick: (piece.state, piece.mode, piece.cause) for tick, piece in ticks.items()}


@given(st.lists(spans, max_size=30))
def test_a_lane_says_of_each_tick_what_the_strongest_claim_says(pieces: list[Span]) -> None:
    lane = Lane(pieces)
    assert said(lane.spans) == as_said(painted(pieces))
    for one, two in pairwise(lane.spans):
        assert one.to_ns <= two.from_ns
        assert one.to_ns < two.from_ns or not one.says_the_same(two)
    assert all(piece.from_ns < piece.to_ns for piece in lane.spans)


@given(st.lists(spans, max_size=20), st.integers(0, 80), st.integers(1, 30))
def test_overlapping_spans_are_those_that_share_a_tick(pieces: list[Span], begin: int, length: int) -> None:
    lane = Lane(pieces)
    expected = [piece for piece in lane.spans if piece.from_ns < begin + length and begin < piece.to_ns]
    assert list(lane.overlapping(begin, begin + length)) == expected


@given(st.lists(spans, max_size=12), st.lists(spans, max_size=12), st.integers(0, 80), st.integers(1, 30))
def test_union_clip_holes_and_totals_agree_with_ticks(
    one: list[Span], two: list[Span], begin: int, length: int
) -> None:
    both = union(Lane(one).spans, Lane(two).spans)
    states = {tick: state for tick, (state, _, _) in said(both).items()}
    for tick, state in states.items():
        claims = [ticks[tick].state for ticks in (painted(one), painted(two)) if tick in ticks]
        assert state is min(claims, key=RANK.index)
    assert set(states) == set(painted(one)) | set(painted(two))
    end = begin + length
    assert said(clip(both, begin, end)) == {t: s for t, s in said(both).items() if begin <= t < end}
    empty = {tick for low, high in holes(both, begin, end) for tick in range(low, high)}
    assert empty == set(range(begin, end)) - set(states)
    assert total_ns(both, COVERED) == sum(state in COVERED for state in states.values())


def test_a_day_of_segments_is_one_span() -> None:
    lane = Lane()
    for index in range(50_000):
        at = index * 2 * 10**9
        lane.add(Span(from_ns=at, to_ns=at + 2 * 10**9, state=State.SEGMENT, mode=Mode.LIVE))
    assert len(lane.spans) == 1
    assert total_ns(lane.spans, COVERED) == 100_000 * 10**9


def test_segments_that_are_settled_out_of_order_are_one_span() -> None:
    lane = Lane()
    for index in (3, 1, 0, 2, 5, 4):
        lane.add(Span(from_ns=index * 10, to_ns=index * 10 + 10, state=State.SEGMENT))
    assert lane.spans == (Span(from_ns=0, to_ns=60, state=State.SEGMENT),)


def test_a_crossing_begins_where_the_longest_branch_ends() -> None:
    coverage = CameraCoverage()
    coverage.add("one", Span(from_ns=0, to_ns=10, state=State.SEGMENT))
    coverage.cross(Crossing(from_boot="one", from_ns=10, to_boot="two", to_ns=5, state=State.GAP, cause=Cause.POWER))
    coverage.add("one", Span(from_ns=12, to_ns=20, state=State.SEGMENT))
    lanes, crossings = coverage.settled()
    assert [(span.from_ns, span.to_ns, span.state) for span in lanes["one"]] == [
        (0, 10, State.SEGMENT),
        (10, 12, State.GAP),
        (12, 20, State.SEGMENT),
    ]
    assert [crossing.from_ns for crossing in crossings] == [20]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(0, 12)), max_size=40))
def test_ranges_are_a_set_of_integers(steps: list[tuple[bool, int, int]]) -> None:
    ranges, model = Ranges(), set[int]()
    for put, begin, length in steps:
        if put:
            ranges.add(begin, begin + length)
            model |= set(range(begin, begin + length))
        else:
            ranges.discard(begin)
            model.discard(begin)
    parts = list(ranges)
    assert {number for low, high in parts for number in range(low, high)} == model
    assert all(one[1] < two[0] for one, two in pairwise(parts))
    assert all((number in ranges) == (number in model) for number in range(60))
    assert count(ranges.within(10, 30)) == len(model & set(range(10, 30)))
    assert count(ranges.without(10, 30)) == 20 - len(model & set(range(10, 30)))


def test_a_crossing_over_a_segment_counts_no_time_twice() -> None:
    coverage = CameraCoverage()
    coverage.add("one", Span(from_ns=0, to_ns=10, state=State.SEGMENT))
    coverage.cross(Crossing(from_boot="one", from_ns=10, to_boot="two", to_ns=9, state=State.GAP, cause=Cause.POWER))
    coverage.add("two", Span(from_ns=3, to_ns=5, state=State.SEGMENT))
    coverage.add("two", Span(from_ns=9, to_ns=12, state=State.SEGMENT))
    lanes, (crossing,) = cut_crossings(*coverage.settled())
    assert (crossing.from_ns, crossing.to_ns, crossing.cause) == (10, 3, Cause.POWER)
    assert [(span.from_ns, span.to_ns, span.state) for span in lanes["two"]] == [
        (3, 5, State.SEGMENT),
        (5, 9, State.GAP),
        (9, 12, State.SEGMENT),
    ]


def test_a_crossing_that_shares_no_time_stays_as_it_is() -> None:
    coverage = CameraCoverage()
    coverage.add("one", Span(from_ns=0, to_ns=10, state=State.SEGMENT))
    coverage.cross(Crossing(from_boot="one", from_ns=10, to_boot="two", to_ns=5, state=State.GAP))
    coverage.add("two", Span(from_ns=5, to_ns=12, state=State.SEGMENT))
    lanes, crossings = coverage.settled()
    assert cut_crossings(lanes, crossings) == (lanes, list(crossings))
