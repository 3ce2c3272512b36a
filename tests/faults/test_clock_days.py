"""Days on which the clock is the fault: the record stays the same, and UTC is as sure as spec/verify.md allows."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import pytest

from appliance.pipeline import Pipeline
from audit.verify import verify
from cmaf.read import read_segment
from evidence.certificate import Trust
from evidence.lines import Event
from tests.fakes.checker import Checked, Json, check_record
from tests.fakes.station import NOON_US, SECOND
from tests.fakes.stepped import QuickDisk, SteppedStation, memory_folder

BOOTED_US = NOON_US - (2 * 3600 + 49 * 60) * 10**6
"""True UTC at boot time 0: 09:11:00."""
FIRST_S, SYNC_S, LAST_S = 20, 180, 300
"""The first recorder starts, it is 09:14, the day ends: seconds of boot time."""
MARK_S = 15
"""Somebody presses a button this often, so that the answer holds a UTC of every part of the day."""
HOUR_US = 3600 * 10**6


@dataclass(frozen=True, slots=True)
class Shown:
    """The wall clock: how far off it is, None while it is unset; and the bound that the kernel gives, None unsynced."""

    off_us: int | None
    error_us: int | None = None


OFF_US = 2_000
GOOD = Shown(OFF_US, 5_000)
UNSET = Shown(None)
Story = Callable[[int], Shown]
"""What the wall clock shows at a second of boot time."""


def _from_sync_on(before: Shown, after: Shown) -> Story:
    return lambda second: before if second < SYNC_S else after


def _loses_sync(second: int) -> Shown:
    """The clock goes 300 ppm too fast once nobody holds it."""
    return GOOD if second < SYNC_S else Shown(OFF_US + 300 * (second - SYNC_S))


def _is_dragged(second: int) -> Shown:
    """The time server has it run 0.2 % too fast: nothing jumps, and no crystal is that bad."""
    return GOOD if second < SYNC_S else Shown(OFF_US + 2_000 * (second - SYNC_S), 5_000)


def _is_lied_to_for_a_minute(second: int) -> Shown:
    return Shown(HOUR_US, 5_000) if SYNC_S <= second < SYNC_S + 60 else GOOD


def _is_lied_to_after_it_was_unset(second: int) -> Shown:
    return GOOD if second < SYNC_S - 30 else UNSET if second < SYNC_S else Shown(HOUR_US, 5_000)


STORIES: dict[str, Story] = {
    "no clock, gains sync": _from_sync_on(UNSET, GOOD),
    "a wrong clock, gains sync": _from_sync_on(Shown(-72 * HOUR_US), GOOD),
    "two hours ahead, put back by sync": _from_sync_on(Shown(2 * HOUR_US), GOOD),
    "steps back two hours": _from_sync_on(GOOD, Shown(-2 * HOUR_US, 5_000)),
    "loses sync": _loses_sync,
    "lied to by an hour, for a minute": _is_lied_to_for_a_minute,
    "lied to by 400 ms": _from_sync_on(GOOD, Shown(400_000, 5_000)),
    "lied to by 20 ms": _from_sync_on(GOOD, Shown(20_000, 5_000)),
    "dragged by its server": _is_dragged,
    "lied to after it was unset": _is_lied_to_after_it_was_unset,
    "never set": lambda _: UNSET,
    "set wrong by hand": _from_sync_on(Shown(-24 * HOUR_US), Shown(-HOUR_US)),
}


def _mark(pipeline: Pipeline) -> dict[str, object]:
    pipeline.enqueue(Event(event="counting"))
    return {}


def _record(station: SteppedStation, story: Story, first_s: int = FIRST_S, last_s: int = LAST_S) -> None:
    """From one second of the boot to another."""
    for second in range(first_s + 1, last_s + 1):
        _show(station, story(second))
        station.run(1, step_ns=SECOND)
        if second % MARK_S == 0:
            station.command(_mark)


def _show(station: SteppedStation, shown: Shown, booted_us: int = BOOTED_US) -> None:
    true_us = booted_us + station.clock.boot_ns() // 1000
    station.clock.set_utc(None if shown.off_us is None else true_us + shown.off_us)
    station.clock.error_us = shown.error_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A closed record, what the second checker read in it and what the verifier says of it."""

    station: SteppedStation
    checked: Checked
    record: Json

    def part(self, name: str) -> list[Json]:
        """A list of the answer."""
        return cast("list[Json]", self.record[name])

    def findings(self) -> list[tuple[object, object, object]]:
        """Code, class and count of each finding."""
        return [(each["code"], each["class"], each["count"]) for each in self.part("findings")]

    def clock_lines(self) -> list[tuple[object, object]]:
        return [(line["change"], line["step_us"]) for line in self.checked.kinds("clock")]


def _day(station: SteppedStation) -> Day:
    station.close()
    answer = verify([station.config.data], trust=Trust.from_pem(station.root))
    (record,) = cast("list[Json]", answer["records"])
    return Day(station=station, checked=check_record(station.config.data), record=record)


def _live(folder: Path, story: Story) -> Day:
    station = SteppedStation(folder, cameras=("cam1", "cam2"), disk=QuickDisk)
    _show(station, story(FIRST_S))
    station.start()
    _record(station, story)
    return _day(station)


@pytest.fixture(scope="module")
def days() -> Iterator[dict[str, Day]]:
    """Each story once, and the same day with a good clock."""
    told = {"good": lambda _: GOOD, **STORIES}
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        yield {name: _live(Path(folder, str(number)), story) for number, (name, story) in enumerate(told.items())}


def _without_clock(day: Day) -> list[Json]:
    """All that the lines say beyond the time of day, in order."""
    of_clock = {"seq", "prev", "utc_us", "error_us", "sha256", "size", "path"}
    return [
        {name: value for name, value in line.items() if name not in of_clock}
        for line in day.checked.lines
        if line["kind"] != "clock"
    ]


def _pictures(day: Day) -> list[bytes]:
    """Each segment's fragments, byte for byte: pictures and media times, without the identity before them."""
    held = [cast("Path", line["path"]).read_bytes() for line in day.checked.kinds("segment")]
    return [data[read_segment(data).fragments[0].offset :] for data in held]


def _moments(value: object) -> Iterator[Json]:
    """Every moment of an answer that names its boot."""
    if isinstance(value, dict):
        if value.get("boot_id") is not None:
            yield value
        for each in value.values():
            yield from _moments(each)
    elif isinstance(value, list):
        for each in value:
            yield from _moments(each)


def _allowed(lines: list[Json], at_ns: int, *, hull: bool = False) -> tuple[int, int]:
    """Section 3 of spec/verify.md in its own words: what all synced ones of a boot's lines say of UTC."""
    lows, highs = list[Fraction](), list[Fraction]()
    for line in lines:
        if line["error_us"] is None:
            continue
        far_ns = at_ns - cast("int", line["boot_ns"])
        middle = cast("int", line["utc_us"]) + Fraction(far_ns, 1000)
        error = cast("int", line["error_us"]) + Fraction(abs(far_ns), 2_000_000)
        lows.append(middle - error)
        highs.append(middle + error)
    low, high = (min(lows), max(highs)) if hull else (max(lows), min(highs))
    return low.__floor__(), high.__ceil__()


def _judge_utc(day: Day, *, hull: bool = False) -> None:
    """Every moment of the answer holds the true UTC, and is what the lines allow."""
    moments = list(_moments(day.record))
    assert len(moments) > LAST_S // MARK_S
    for moment in moments:
        at_ns, utc_us = cast("int", moment["boot_ns"]), cast("list[int]", moment["utc_us"])
        assert utc_us[0] <= BOOTED_US + at_ns // 1000 <= utc_us[1], moment
        assert tuple(utc_us) == _allowed(day.checked.lines, at_ns, hull=hull), moment


def _width_us(day: Day, second: int) -> int:
    """How sure the UTC of the event at a second is."""
    (event,) = [each for each in day.part("events") if each["boot_ns"] == second * SECOND]
    least, most = cast("list[int]", event["utc_us"])
    return most - least


@pytest.mark.parametrize("name", STORIES)
def test_whatever_the_clock_does_order_and_pictures_are_those_of_a_good_day(days: dict[str, Day], name: str) -> None:
    good, day = days["good"], days[name]
    assert _without_clock(day) == _without_clock(good)
    assert _pictures(day) == _pictures(good)
    assert len(_pictures(day)) == 2 * (LAST_S - FIRST_S) // 2
    assert sum(cast("int", line["frames"]) for line in day.checked.kinds("segment")) == 5 * 2 * (LAST_S - FIRST_S) - 8


def test_a_day_with_a_good_clock_is_verified(days: dict[str, Day]) -> None:
    day = days["good"]
    assert day.record["verdict"] == "verified"
    assert day.findings() == []
    assert day.clock_lines() == []
    _judge_utc(day)


@pytest.mark.parametrize(
    ("name", "step_us"),
    [
        ("no clock, gains sync", None),
        ("a wrong clock, gains sync", 72 * HOUR_US + OFF_US),
        ("two hours ahead, put back by sync", -2 * HOUR_US + OFF_US),
    ],
)
def test_sync_at_nine_fourteen_tells_the_utc_of_everything_before_it(
    days: dict[str, Day], name: str, step_us: int | None
) -> None:
    day = days[name]
    assert day.clock_lines() == [("gained", step_us)]
    assert day.checked.kinds("clock")[0]["boot_ns"] == SYNC_S * SECOND
    assert day.record["verdict"] == "verified"
    assert day.findings() == []
    _judge_utc(day)
    # 5 ms each way, and 500 ppm of the time until the first synced line.
    assert _width_us(day, SYNC_S) == 2 * 5_000
    assert _width_us(day, 2 * MARK_S) == 2 * (5_000 + 500 * (SYNC_S - 2 * MARK_S))


def test_a_step_back_of_two_hours_is_told_and_leaves_utc_as_wide_as_both_statements(days: dict[str, Day]) -> None:
    day = days["steps back two hours"]
    assert day.clock_lines() == [("step", -2 * HOUR_US - OFF_US)]
    assert day.findings() == [("clock-step", "note", 1)]
    assert day.record["verdict"] == "verified"
    _judge_utc(day, hull=True)
    assert _width_us(day, SYNC_S) > 2 * HOUR_US


def test_a_lie_that_is_taken_back_is_told_twice_and_utc_holds_the_truth_and_the_lie(days: dict[str, Day]) -> None:
    day = days["lied to by an hour, for a minute"]
    assert day.clock_lines() == [("step", HOUR_US - OFF_US), ("step", OFF_US - HOUR_US)]
    assert day.findings() == [("clock-step", "note", 1)] * 2
    _judge_utc(day, hull=True)


def test_a_clock_that_loses_sync_stays_within_500_ppm_of_what_it_last_knew(days: dict[str, Day]) -> None:
    day = days["loses sync"]
    assert day.clock_lines() == [("lost", 0)]
    assert day.record["verdict"] == "verified"
    assert [each["state"] for each in day.part("clock")] == ["synced", "unsynced"]
    _judge_utc(day)
    last_synced_s = SYNC_S - 1
    assert _width_us(day, LAST_S - MARK_S) == 2 * (5_000 + 500 * (LAST_S - MARK_S - last_synced_s))


@pytest.mark.parametrize(
    "name", ["lied to by 400 ms", "lied to by 20 ms", "dragged by its server", "lied to after it was unset"]
)
def test_a_time_server_that_lies_is_a_contradiction_and_utc_holds_the_truth_and_the_lie(
    days: dict[str, Day], name: str
) -> None:
    day = days[name]
    assert {each[:2] for each in day.findings()} == {("clock-contradiction", "wrong")}
    assert day.record["verdict"] == "findings"
    first = min(cast("int", each["boot_ns"]) for each in day.part("findings"))
    # At once; or, dragged by 1.5 ms a second beyond what a crystal may do, when that is more than twice 5 ms.
    assert first == (SYNC_S + 7 if name == "dragged by its server" else SYNC_S) * SECOND
    _judge_utc(day, hull=True)


def test_a_clock_that_is_never_set_claims_no_utc_anywhere(days: dict[str, Day]) -> None:
    day = days["never set"]
    assert day.clock_lines() == []
    assert {line["utc_us"] for line in day.checked.lines} == {None}
    assert day.findings() == [("cert-time-unknown", "open", 1)]
    assert {moment["utc_us"] for moment in _moments(day.record)} == {None}
    assert [each["state"] for each in day.part("clock")] == ["unset"]


def test_a_clock_set_by_hand_is_put_on_record_and_claims_nothing(days: dict[str, Day]) -> None:
    day = days["set wrong by hand"]
    assert day.clock_lines() == [("step", 23 * HOUR_US)]
    assert None not in {line["utc_us"] for line in day.checked.lines}
    assert day.findings() == [("cert-time-unknown", "open", 1)]
    assert {moment["utc_us"] for moment in _moments(day.record)} == {None}
    assert [each["state"] for each in day.part("clock")] == ["unsynced"]


OFF_S = 45
"""From the power cut to the kernel's start."""
SECOND_BOOTED_US = BOOTED_US + (60 + OFF_S) * 10**6


def _two_boots(folder: Path, first: Shown, second: Shown) -> Day:
    """Power fails 60 s after the machine started, and comes back ``OFF_S`` later; each boot keeps to its clock."""
    station = SteppedStation(folder, cameras=("cam1",))
    _show(station, first)
    station.start()
    _record(station, lambda _: first, last_s=60)
    station.lose_power()
    _show(station, second, SECOND_BOOTED_US)
    station.start()
    station.run(30, step_ns=SECOND)
    station.command(_mark)
    return _day(station)


def _crossing(day: Day) -> Json:
    (camera,) = day.part("cameras")
    (gap,) = [gap for gap in cast("list[Json]", camera["gaps"]) if gap["cause"] == "power"]
    return gap


def test_the_time_without_power_is_known_where_both_boots_know_utc(tmp_path: Path) -> None:
    day = _two_boots(tmp_path / "unit", GOOD, GOOD)
    assert day.findings() == []
    gap = _crossing(day)
    begin, end = cast("Json", gap["from"]), cast("Json", gap["to"])
    true_ms = OFF_S * 1000 + (cast("int", end["boot_ns"]) + 60 * SECOND - cast("int", begin["boot_ns"])) // 10**6
    least, most = cast("list[int]", gap["duration_ms"])
    assert least <= true_ms <= most <= least + 4 * 5 + 2


@pytest.mark.parametrize(
    ("first", "second"),
    [(GOOD, Shown(-2 * HOUR_US, 5_000)), (Shown(2 * HOUR_US, 5_000), GOOD)],
    ids=["the second boot is lied to", "the first boot was lied to"],
)
def test_a_lie_is_found_where_the_machine_started_before_it_stopped(
    tmp_path: Path, first: Shown, second: Shown
) -> None:
    day = _two_boots(tmp_path / "unit", first, second)
    assert day.findings() == [("clock-contradiction", "wrong", 1)]
    (finding,) = day.part("findings")
    start = day.checked.kinds("start")[1]
    assert (finding["seq"], finding["boot_ns"]) == (start["seq"], start["boot_ns"])
    # Two hours less 45 s without power, 5 ms for each clock, 7.5 ms for the 15 s before the second boot's first line.
    assert "the machine started 7154.98" in str(finding["message"])


@pytest.mark.parametrize(
    ("first", "second"), [(GOOD, UNSET), (UNSET, GOOD), (GOOD, Shown(-2 * HOUR_US))], ids=["second", "first", "by hand"]
)
def test_a_boot_without_utc_takes_none_from_its_neighbour(tmp_path: Path, first: Shown, second: Shown) -> None:
    day = _two_boots(tmp_path / "unit", first, second)
    assert day.findings() == [("cert-time-unknown", "open", 1)]
    synced = {boot: shown.error_us is not None for boot, shown in zip(_boots(day), (first, second), strict=True)}
    for moment in _moments(day.record):
        assert (moment["utc_us"] is not None) == synced[str(moment["boot_id"])], moment
    least, most = cast("list[int | None]", _crossing(day)["duration_ms"])
    assert (least, most) == (15_000, None)


def _boots(day: Day) -> list[str]:
    return [str(line["boot_id"]) for line in day.checked.kinds("start")]
