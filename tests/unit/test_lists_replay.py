"""Replay lists: every segment once in the sequence of all hours, whatever the day was like."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.index.rows import HeldSegment
from archive.names import UnitName
from archive.site.lists.hourlists import HourLists, Made, Wanted
from archive.site.lists.hours import HOUR_NS, HOUR_US, BootHour, Hour, UtcHour, read_hour
from archive.site.lists.times import Times
from evidence.words import Mode
from tests.fakes.day_rows import SECOND, DayRows
from tests.fakes.listed import example
from tests.fakes.published import BEGIN_US, UNIT

FIVE = UtcHour(number=BEGIN_US // HOUR_US)


class _Rows:
    """A day as the index answers it."""

    def __init__(self, day: DayRows) -> None:
        self.branches, self.stamps, self.segments = day.branches, day.stamps, day.segments_of


def lists_of(day: DayRows, *, now_us: int | None = BEGIN_US) -> HourLists:
    return HourLists(_Rows(day), day, lambda: now_us)


def made(day: DayRows, hour: Hour = FIVE, *, camera: str = "cam1", now_us: int | None = BEGIN_US) -> Made | None:
    return lists_of(day, now_us=now_us).make(Wanted(name=UNIT, camera=camera, hour=hour))


def text(day: DayRows, hour: Hour = FIVE) -> str:
    found = made(day, hour)
    assert found is not None
    return found.text().decode()


def tags(told: str) -> list[str]:
    """What stands for each entry, a word each: ``D`` for a discontinuity, ``G`` for a gap, ``.`` for media."""
    words = {"#EXT-X-DISCONTINUITY": "D", "gap.m4s": "G"}
    return [words.get(line, ".") for line in told.splitlines() if line in words or line.startswith("/media")]


def digests(told: str) -> list[int]:
    return [int(line[-68:-4], 16) for line in told.splitlines() if line.startswith("/media")]


def test_an_hour_is_written_as_the_specification_shows_it() -> None:
    day = DayRows()
    day.segments(1)
    day.hole(3)
    day.segments(1, seconds=2.0333)
    assert text(day) == example("replay")


@pytest.mark.parametrize(
    ("hole_s", "told"),
    [(0, ".."), (0.05, ".D."), (0.5, ".G."), (30, "." + "G" * 15 + "."), (30.001, ".D."), (600, ".D.")],
)
def test_a_hole_is_filled_where_it_is_neither_too_long_nor_too_short_to_be_found(hole_s: float, told: str) -> None:
    day = DayRows()
    day.segments(1)
    day.hole(hole_s)
    day.segments(1)
    assert "".join(tags(text(day))) == told


def test_what_is_signed_and_not_public_yet_is_left_out_and_no_gap() -> None:
    day = DayRows()
    day.segments(2)
    day.segments(3, public=False)
    day.segments(1)
    assert "".join(tags(text(day))) == "..D."


def test_what_was_recorded_before_arming_is_no_gap_either() -> None:
    day = DayRows()
    day.segments(1)
    day.segments(1, public=False, mode=Mode.UNARMED)
    day.segments(1)
    assert "".join(tags(text(day))) == ".D."


def test_a_new_run_is_a_discontinuity_with_its_init_segment_behind_a_filled_hole() -> None:
    day = DayRows()
    day.segments(1)
    day.hole(2)
    day.new_run()
    day.segments(1)
    told = text(day)
    assert "".join(tags(told)) == ".GD."
    assert told.count("#EXT-X-MAP") == 2


def test_a_reboot_is_a_discontinuity_and_never_filled() -> None:
    day = DayRows()
    day.segments(2)
    day.reboot(off_s=5)
    day.segments(1)
    assert "".join(tags(text(day))) == "..D."


def test_a_segment_that_straddles_the_hour_belongs_to_the_one_in_which_it_begins() -> None:
    day = DayRows(BEGIN_US - 1_000_000)
    day.segments(2)
    assert digests(text(day, UtcHour(number=FIVE.number - 1))) == [0]
    assert digests(text(day)) == [1]


def test_a_boot_of_which_no_utc_is_known_is_shown_by_boot_time_and_one_that_is_known_is_not() -> None:
    day = DayRows(known=False)
    day.segments(2)
    hour = BootHour(boot_id=day.boot_id, number=0)
    told = text(day, hour)
    assert digests(told) == [0, 1]
    assert "1970-01-01T00:00:20.000Z" in told
    assert told.count("DATE=BOOT") == 2
    assert made(day) is None
    day.known = True
    day.segments(1)
    assert made(day, hour) is None
    assert digests(text(day)) == [0, 1, 2]


def test_lines_that_the_unit_has_lost_fill_what_its_own_branch_leaves_and_no_more() -> None:
    day = DayRows()
    day.segments(4)
    day.fork(1)
    day.now_ns, day.boot, day.utc_us = 27 * SECOND, 0, BEGIN_US - 20_000_000  # only the recorder has died
    day.segments(1)
    assert digests(text(day)) == [0, 1, 2, 4]
    day.again(day.rows[2])
    told = text(day)
    assert digests(told) == [0, 1, 2, 4]
    assert [branch for branch, _ in named(told)] == [0, 0, 0, 1]


def test_where_two_histories_show_the_same_time_the_one_that_the_unit_is_on_is_shown() -> None:
    day = DayRows()
    day.segments(6)
    day.fork(4, back_s=66)  # off for a minute, and its clock says that it records what it had recorded before
    day.segments(3)
    assert digests(text(day)) == [0, 1, 2, 6, 7, 8]


def test_a_media_that_is_missing_keeps_the_list_short_lived_and_so_does_an_hour_that_is_not_over() -> None:
    day = DayRows()
    day.segments(2)
    over_us = BEGIN_US + HOUR_US + 200_000_000
    whole = made(day, now_us=over_us)
    assert whole is not None
    assert whole.whole
    for now_us in (BEGIN_US, None):
        early = made(day, now_us=now_us)
        assert early is not None
        assert not early.whole
    day.segments(1, public=False)
    lacking = made(day, now_us=over_us)
    assert lacking is not None
    assert not lacking.whole


def test_what_the_unit_has_deleted_is_not_waited_for() -> None:
    day = DayRows()
    day.segments(2)
    day.rows[1] = replace(day.rows[1], stored=False, pruned=True)
    day.public.remove((0, day.rows[1].seq))
    found = made(day, now_us=BEGIN_US + 2 * HOUR_US)
    assert found is not None
    assert found.whole


def test_nothing_is_made_of_what_is_not_there() -> None:
    day = DayRows()
    day.segments(1)
    assert made(day, UtcHour(number=FIVE.number + 1)) is None
    assert made(day, camera="cam2") is None
    assert made(day, BootHour(boot_id="f" * 32, number=0)) is None
    assert lists_of(day).make(Wanted(name=UnitName(station="x", unit="y"), camera="cam1", hour=FIVE)) is None


def test_what_is_known_of_utc_is_only_added_to_and_an_index_made_anew_is_read_anew() -> None:
    day = DayRows()
    day.segments(3)
    times = Times(_Rows(day))
    first = times.of(UNIT)
    day.segments(3)
    assert times.of(UNIT) is first
    assert first is not None
    assert first.seen == {0: day.rows[-1].seq}
    other = DayRows(BEGIN_US + HOUR_US)
    other.segments(1)
    again = Times(_Rows(day))
    before = again.of(UNIT)
    again._stamps = _Rows(other)
    assert again.of(UNIT) is not before


@pytest.mark.parametrize("wrong_us", [-(1 << 53), (1 << 53) - 10**12])
def test_what_a_unit_claims_of_utc_may_be_anything(wrong_us: int) -> None:
    day = DayRows(wrong_us)
    day.segments(1)
    windows = Times(_Rows(day)).of(UNIT)
    assert windows is not None
    for number in (0, FIVE.number, 1 << 21):
        assert all(0 <= begin < end < 1 << 63 for _, begin, end in windows.windows(UtcHour(number=number)))
    assert made(day) is None
    claimed = max(0, wrong_us // HOUR_US)
    assert (made(day, UtcHour(number=claimed)) is None) == (wrong_us < 0)


@pytest.mark.parametrize("name", ["2027-02-07T05Z", "1970-01-01T00Z", "9999-12-31T23Z", f"{'a' * 32}+05"])
def test_an_hour_is_read_as_it_is_written(name: str) -> None:
    assert str(read_hour(name)) == name


@pytest.mark.parametrize(
    "name",
    [
        *("2027-2-7T5Z", "2027-02-30T05Z", "2027-02-07T24Z", "2027-02-07T05", "0001-01-01T00Z", "٢027-02-07T05Z"),
        *(f"{'A' * 32}+05", f"{'a' * 32}+5", f"{'a' * 32}+005", f"{'a' * 32}+1234567", "", "2027-02-07T05Z\n"),
    ],
)
def test_what_is_no_name_of_an_hour_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"hour|day|1970|match|range"):
        read_hour(name)


steps = st.one_of(
    st.tuples(st.just("hidden"), st.integers(1, 4)),
    st.tuples(st.just("long"), st.sampled_from([0.6, 7, 59])),
    st.tuples(st.just("hole"), st.sampled_from([0.02, 0.7, 5, 29.9, 31, 1_700, 4_000])),
    st.tuples(st.just("run"), st.just(0)),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("reboot"), st.sampled_from([5, 60, 3_700])),
    st.tuples(st.just("step"), st.sampled_from([-3_700, -20, -0.4, 0.3, 15, 5_000])),
    st.tuples(st.just("clock"), st.booleans()),
    st.tuples(st.just("fork"), st.integers(1, 8)),
    st.tuples(st.just("rolled"), st.integers(1, 300)),
    st.tuples(st.just("again"), st.just(0)),
    st.tuples(st.just("died"), st.integers(1, 9)),
)


def live(day: DayRows, what: str, number: float) -> None:
    match what:
        case "hidden":
            day.segments(int(number), public=False)
        case "long":
            day.segments(1, seconds=number)
        case "hole":
            day.hole(number)
        case "run":
            day.new_run()
        case "restart":
            day.restart()
        case "reboot":
            day.reboot(int(number))
        case "step":
            day.step(number)
        case "clock":
            day.known = bool(number)
        case "fork":
            day.fork(int(number))
        case "rolled":
            day.fork(5, back_s=int(number) + 60)
        case "died":  # only the recorder, with lines that it had delivered, or one that claims time twice
            boot, now_ns, utc_us = day.boot, day.now_ns, day.utc_us
            day.fork(int(number))
            day.boot, day.now_ns, day.utc_us = boot, now_ns - int(number) * SECOND, utc_us
        case "again" if day.rows:
            day.again(day.rows[-1])
        case _:
            pass


@given(st.lists(st.tuples(steps, st.integers(0, 10)), min_size=3, max_size=25))
def test_the_hours_of_any_day_together_show_every_segment_once(happened: list[tuple[tuple[str, float], int]]) -> None:
    day = DayRows(BEGIN_US + 3_570_000_000)
    for (what, number), segments in happened:
        day.segments(segments)
        live(day, what, number)
    shown: dict[int, HeldSegment] = {}
    by_line = {(row.branch, row.seq): row for row in day.rows}
    for hour in all_hours(day):
        found = made(day, hour)
        told = "" if found is None else found.text().decode()
        check_text(told)
        for line, digest in zip(named(told), digests(told), strict=True):
            assert int(by_line[line].segment.sha256, 16) == digest
            assert line in day.public
            assert digest not in shown
            shown[digest] = by_line[line]
    public = [row for row in day.rows if (row.branch, row.seq) in day.public]
    for row in public:
        if int(row.segment.sha256, 16) not in shown:
            assert any(shares(day, row, other) for other in shown.values())
    for boot_id in {row.boot_id for row in public}:
        lane = sorted((row.segment.from_ns, row.segment.to_ns) for row in shown.values() if row.boot_id == boot_id)
        assert all(one[1] <= two[0] for one, two in pairwise(lane))


def named(told: str) -> list[tuple[int, int]]:
    """Branch and ``seq`` of each entry, as our own tag says them."""
    lines = [line.partition(":")[2].split(",") for line in told.splitlines() if line.startswith("#EXT-X-UNBROKEN:")]
    return [(int(line[0].removeprefix("BRANCH=")), int(line[1].removeprefix("SEQ="))) for line in lines]


def all_hours(day: DayRows) -> list[Hour]:
    """Every hour in which anything may be."""
    times = Times(_Rows(day)).of(UNIT)
    assert times is not None
    numbers: set[int] = set()
    hours: list[Hour] = []
    for boot_id in {row.boot_id for row in day.rows}:
        ends = [row.segment.from_ns for row in day.rows if row.boot_id == boot_id]
        if boot_id in times.boots:
            utc = [times.utc.at(boot_id, end) for end in (min(ends), max(ends))]
            middle = [sum(each) // 2 // HOUR_US for each in utc if each is not None]
            numbers |= set(range(middle[0] - 1, middle[1] + 2))
        else:
            hours += [BootHour(boot_id=boot_id, number=number) for number in range(max(ends) // HOUR_NS + 1)]
    return [*hours, *(UtcHour(number=number) for number in sorted(numbers))]


def shares(day: DayRows, row: HeldSegment, other: HeldSegment) -> bool:
    """Whether ``row`` may be left out for ``other``: the same time in one boot, or in two histories by UTC."""
    if row.boot_id == other.boot_id:
        return row.segment.from_ns < other.segment.to_ns and other.segment.from_ns < row.segment.to_ns
    times = Times(_Rows(day)).of(UNIT)
    assert times is not None
    ends = [
        times.utc.at(each.boot_id, at) for each in (row, other) for at in (each.segment.from_ns, each.segment.to_ns)
    ]
    on_the_way = row.seq < times.way.get(row.branch, 0)
    if row.branch == other.branch or on_the_way or None in ends:
        return False
    begin, end, other_begin, other_end = (each for each in ends if each is not None)
    return max(begin[1], other_begin[1]) < min(end[0], other_end[0])


def check_text(told: str) -> None:
    """What must be true of any replay list."""
    if not told:
        return
    read = m3u8.loads(told)
    assert read.is_endlist
    assert all(int(segment.duration + 0.5) <= read.target_duration for segment in read.segments)
    assert all(segment.duration <= 2 for segment in read.segments if segment.gap_tag)
    for before, after in pairwise(read.segments):
        assert isinstance(before.program_date_time, datetime)
        assert isinstance(after.program_date_time, datetime)
        if not after.discontinuity:
            jump = after.program_date_time - before.program_date_time - timedelta(seconds=before.duration)
            assert after.program_date_time > before.program_date_time
            assert abs(jump) <= timedelta(milliseconds=600)
