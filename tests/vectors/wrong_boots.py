"""Sessions and starts of the machine that cannot have followed each other as a record says."""

from evidence.codes import Code
from evidence.words import Cause, ClockChange, Mode
from tests.vectors import day, world
from tests.vectors.case import Case, Layer, pack
from tests.vectors.good_times import SECOND_BOOT, reboot
from tests.vectors.record import Clock, Record
from tests.vectors.world import SECOND


def _case(name: str, record: Record, wrong: str, *codes: Code, layer: Layer = Layer.TIME, why: str = "") -> Case:
    return Case(name=name, layer=layer, codes=codes, files=pack(record), wrong=wrong, why=why)


def segment_before_session() -> Case:
    record = day.running()
    record.start(25 * SECOND, ended="crash")
    record.run()
    record.record(count=2)
    record.close()
    wrong = "After a restart, media found on disk are signed as if the new session had recorded them."
    return _case("segment-before-its-session", record, wrong, Code.TIME_BACKWARDS)


def segment_before_record() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.arm()
    record.run()
    record.at["cam1"] = 18 * SECOND
    record.record(count=2)
    record.close()
    wrong = "A record begins with video from two seconds before its first start."
    return _case("segment-before-the-record", record, wrong, Code.TIME_BACKWARDS)


def recovered_of_later() -> Case:
    record = day.running()
    session, found = record.session, record.shoot(frames=20)
    record.start(25 * SECOND, ended="crash")
    record.recover(found, session)
    record.gap(28 * SECOND, Cause.CRASH)
    record.close()
    wrong = "Media are said to be found after a restart, and go on for two seconds behind it."
    return _case("recovered-of-later", record, wrong, Code.TIME_AHEAD)


def segment_in_crossing_gap() -> Case:
    record = day.running()
    before = record.boot
    record.start(18 * SECOND, boot="second", clock=SECOND_BOOT, ended="power")
    record.gap(21 * SECOND, Cause.POWER, from_boot=before)
    record.run()
    record.at["cam1"] = 20 * SECOND
    record.record()
    record.close()
    wrong = "A gap from one start of the machine to the next reaches over a second that a segment covers."
    return _case("segment-in-crossing-gap", record, wrong, Code.GAP_OVER_SEGMENT, layer=Layer.COVERAGE)


def crossing_gap_over_segment() -> Case:
    record = day.running()
    record.gap(24 * SECOND, Cause.CAMERA)
    record.record()
    before = record.boot
    record.start(18 * SECOND, boot="second", clock=SECOND_BOOT, ended="power")
    record.gap(18 * SECOND, Cause.POWER, from_boot=before, from_ns=23 * SECOND)
    record.close()
    wrong = "A gap into the next start of the machine begins before the last segment of the one before."
    return _case("crossing-gap-over-segment", record, wrong, Code.GAP_OVER_SEGMENT, layer=Layer.COVERAGE)


def boot_comes_back() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    record.record()
    first, clock = record.boot, record.clock
    record.start(18 * SECOND, boot="second", clock=SECOND_BOOT, ended="power")
    record.arm()
    record.gap(18 * SECOND, Cause.POWER, from_boot=first)
    record.run()
    record.record()
    second = record.boot
    record.mode = Mode.UNARMED
    record.start(300 * SECOND, boot="first", clock=clock, ended="power")
    record.gap(300 * SECOND, Cause.POWER, from_boot=second)
    record.run()
    record.record()
    record.close()
    return _case(
        "boot-comes-back",
        record,
        "A unit that was armed goes on in an earlier start of its machine, where it was not: it records as UNARMED.",
        Code.GAP_OVER_SEGMENT,
        Code.TIME_BACKWARDS,
        why="The gap into that start reaches over what was recorded in it.",
    )


def reboot_before_end() -> Case:
    record = day.running()
    early = Clock(offset_us=world.FIRST_BOOT_US - 3_600_000_000)
    reboot(record, early)
    record.close()
    wrong = "The clock is synchronised in both starts of the machine, and the second begins an hour before the first."
    return _case("reboot-before-end", record, wrong, Code.CLOCK_CONTRADICTION)


def session_key_again() -> Case:
    record = day.running()
    signer = record.signer
    record.start(30 * SECOND, ended="crash", session=signer.public_point)
    record.signer = signer
    record.gap(30 * SECOND, Cause.CRASH)
    record.runs["cam1"] = 0
    record.run()
    record.record()
    record.close()
    wrong = "A second start enrols the session key of the first: a key that should have died with its process."
    return _case("session-key-again", record, wrong, Code.KEY_STALE, layer=Layer.KEY)


def gap_ahead() -> Case:
    record = day.running()
    record.gap(record.at["cam1"] + 3 * 3600 * SECOND, Cause.PAUSED, made_ns=24 * SECOND)
    record.event("opened", at_ns=record.at["cam1"])
    record.record()
    record.close()
    return _case("gap-ahead", record, "A gap is signed three hours before it ends.", Code.TIME_AHEAD)


def clock_line_untrue() -> Case:
    record = day.quiet()
    record.clock = Clock(error_us=None)
    record.clock_line(ClockChange.LOST, 0)
    record.clock = record.clock.moved(-3_600_000_000)
    record.clock_line(ClockChange.STEP, -1_000_000)
    wrong = "A clock line tells a step of a second where the clock was set back by an hour."
    return _case("clock-line-untrue", day.finish(record), wrong, Code.CLOCK_STEP_UNTOLD)


CASES = (
    segment_before_session,
    segment_before_record,
    recovered_of_later,
    segment_in_crossing_gap,
    crossing_gap_over_segment,
    boot_comes_back,
    reboot_before_end,
    session_key_again,
    gap_ahead,
    clock_line_untrue,
)
