"""UTC as an interval, against a model that asks every observation."""

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.codes import Code
from evidence.lines import Stamp
from evidence.utc import MOST_CONES, Utc

BOOT = "b" * 32
BASE_US = 1_780_000_000_000_000


def stamp(boot_ns: int, offset_us: int, error_us: int | None) -> Stamp:
    return Stamp(boot_ns=boot_ns, utc_us=BASE_US + offset_us + boot_ns // 1000, error_us=error_us)


def allowed(observed: Stamp, at_ns: int) -> tuple[Fraction, Fraction]:
    """What one line says of UTC at ``at_ns``, straight from the contract."""
    assert observed.utc_us is not None
    assert observed.error_us is not None
    centre = observed.utc_us - Fraction(observed.boot_ns, 1000) + Fraction(at_ns, 1000)
    error = observed.error_us + Fraction(abs(at_ns - observed.boot_ns), 2_000_000)
    return centre - error, centre + error


observations = st.lists(
    st.tuples(st.integers(0, 10**13), st.integers(-2_000_000, 2_000_000), st.integers(0, 1_500_000)),
    min_size=1,
    max_size=12,
)


@given(observations, st.integers(0, 10**13))
def test_utc_is_the_intersection_or_else_the_hull_of_what_the_lines_say(
    seen: list[tuple[int, int, int]], at_ns: int
) -> None:
    stamps = [stamp(*each) for each in sorted(seen)]
    utc = Utc()
    found = [utc.observe(BOOT, each) for each in stamps]
    contradicted = False
    for i, one in enumerate(stamps):
        for two in stamps[:i]:
            low, high = allowed(two, one.boot_ns)
            assert one.error_us is not None
            mine = allowed(one, one.boot_ns)
            contradicted = contradicted or mine[0] > high or mine[1] < low
    assert (Code.CLOCK_CONTRADICTION in found) == contradicted
    intervals = [allowed(each, at_ns) for each in stamps]
    if contradicted:
        expected = min(low for low, _ in intervals), max(high for _, high in intervals)
    else:
        expected = max(low for low, _ in intervals), min(high for _, high in intervals)
    assert utc.at(BOOT, at_ns) == (expected[0].__floor__(), expected[1].__ceil__())


@pytest.mark.parametrize("seed", range(4))
def test_after_thinning_the_interval_still_holds_the_true_one_and_is_close_to_it(seed: int) -> None:
    rand = random.Random(seed).randint
    stamps, boot_ns = [], 0
    for _ in range(3 * MOST_CONES):
        boot_ns += rand(10**9, 3 * 10**9)
        stamps.append(stamp(boot_ns, rand(-500, 500), rand(1_000, 20_000)))
    utc = Utc()
    for each in stamps:
        assert utc.observe(BOOT, each) is None
    for at_ns in (0, boot_ns // 3, boot_ns // 2, boot_ns):
        intervals = [allowed(each, at_ns) for each in stamps]
        low, high = max(low for low, _ in intervals), min(high for _, high in intervals)
        known = utc.at(BOOT, at_ns)
        assert known is not None
        assert known[0] <= low
        assert known[1] >= high
        assert known[1] - known[0] <= high - low + 20_000


def test_unsynced_lines_say_nothing() -> None:
    utc = Utc()
    assert utc.observe(BOOT, stamp(10, 0, None)) is None
    assert utc.at(BOOT, 10) is None


def test_each_boot_stands_alone() -> None:
    utc = Utc()
    utc.observe(BOOT, stamp(0, 0, 5))
    assert utc.at("c" * 32, 0) is None
    assert utc.at(BOOT, 0) == (BASE_US - 5, BASE_US + 5)


def test_a_step_that_is_told_is_a_note_once_and_widens_utc_to_all_statements() -> None:
    utc = Utc()
    utc.observe(BOOT, stamp(0, 0, 10))
    assert utc.observe(BOOT, stamp(10**9, 3_000_000, 10), told=True) is Code.CLOCK_STEP
    assert utc.observe(BOOT, stamp(2 * 10**9, 3_000_000, 10)) is None
    known = utc.at(BOOT, 0)
    assert known is not None
    assert known[0] <= BASE_US - 10
    assert known[1] >= BASE_US + 3_000_000


def test_a_step_that_is_told_while_unsynced_is_noted_at_the_first_synced_line() -> None:
    utc = Utc()
    utc.observe(BOOT, stamp(0, 0, 10))
    assert utc.observe(BOOT, stamp(10**9, 3_000_000, None), told=True) is None
    assert utc.observe(BOOT, stamp(2 * 10**9, 3_000_000, 10)) is Code.CLOCK_STEP


def test_one_untold_jump_is_one_contradiction() -> None:
    utc = Utc()
    found = [utc.observe(BOOT, stamp(at * 10**9, 0 if at < 5 else 300_000, 10)) for at in range(20)]
    assert found.count(Code.CLOCK_CONTRADICTION) == 1
    assert found[5] is Code.CLOCK_CONTRADICTION
