"""A clock that contradicts itself, and media time with holes, overlaps and pieces that do not belong."""

from dataclasses import replace

from evidence.codes import Code
from evidence.keys import thumbprint
from evidence.words import Cause, ClockChange
from tests.vectors import day, world
from tests.vectors.case import Case, Expected, Layer, pack, short_of
from tests.vectors.record import Clock, Record
from tests.vectors.world import MS, SECOND


def _case(name: str, record: Record, wrong: str, *codes: Code, layer: Layer = Layer.COVERAGE, why: str = "") -> Case:
    return Case(name=name, layer=layer, codes=codes, files=pack(record), wrong=wrong, why=why)


def clock_set_back() -> Case:
    record = day.quiet()
    record.clock = Clock(error_us=None)
    record.clock_line(ClockChange.LOST, 0)
    record.clock = record.clock.moved(-3_600_000_000)
    record.event("opened")
    return _case(
        "clock-set-back",
        day.finish(record),
        "A clock that has lost its time server was set back by an hour, and no line says so.",
        Code.CLOCK_STEP_UNTOLD,
        layer=Layer.TIME,
    )


def synchronised_clock_set_back() -> Case:
    record = day.quiet()
    record.clock = record.clock.moved(-60_000_000)
    record.event("opened")
    return _case(
        "clock-set-back-synchronised",
        day.finish(record),
        "A clock that the kernel calls synchronised was set back by a minute, and no line says so.",
        Code.CLOCK_CONTRADICTION,
        Code.CLOCK_STEP_UNTOLD,
        layer=Layer.TIME,
        why="The step is untold, and what the clock says before and after it contradicts.",
    )


def clock_contradiction() -> Case:
    record = day.quiet()
    record.clock = record.clock.moved(300_000)
    return _case(
        "clock-contradiction",
        day.finish(record),
        "Within seconds the clock moved by 300 ms and claims an error of 4 ms before and after.",
        Code.CLOCK_CONTRADICTION,
        layer=Layer.TIME,
    )


def hole() -> Case:
    record = day.quiet()
    record.at["cam1"] += 2 * SECOND
    wrong = "Two seconds are missing between two segments, and no gap tells them."
    case = _case("hole", day.finish(record), wrong, Code.HOLE)
    return replace(case, cameras={"cam1": short_of(2_000, covered_ms=4_000)})


def hole_at_start() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.arm()
    record.run()
    record.at["cam1"] = day.FIRST_PICTURE_NS
    return _case("hole-at-start", day.finish(record), "No gap leads from the start to the first picture.", Code.HOLE)


def hole_at_close() -> Case:
    record = day.quiet()
    record.event("finished")
    record.close(25 * SECOND)
    case = _case("hole-at-close", record, "The last segment ends two seconds before the close.", Code.HOLE)
    return replace(case, cameras={"cam1": short_of(2_000, covered_ms=2_000)})


def close_too_early() -> Case:
    record = day.quiet()
    record.event("finished")
    record.close(22 * SECOND)
    return _case("close-too-early", record, "The close names a second at which a segment still runs.", Code.HOLE)


def hole_at_restart() -> Case:
    record = day.quiet()
    record.start(30 * SECOND, ended="crash")
    record.run()
    record.at["cam1"] = 30 * SECOND
    record.record()
    record.close()
    return _case("hole-at-restart", record, "After a restart no gap tells what was lost.", Code.HOLE)


def hole_of_a_camera() -> Case:
    record = Record()
    record.start(day.START_NS, cameras=("cam1", "cam2"))
    record.arm()
    record.run()
    record.gap(21 * SECOND, Cause.STARTING)
    record.gap(21 * SECOND, Cause.CAMERA, "cam2")
    record.record(count=2)
    record.close()
    return _case("hole-of-a-camera", record, "The second camera falls silent, and no gap says so.", Code.HOLE)


def overlap() -> Case:
    record = day.quiet()
    record.at["cam1"] -= SECOND
    wrong = "The second segment begins a second before the first one ends."
    case = _case("overlap", day.finish(record), wrong, Code.OVERLAP)
    return replace(case, cameras={"cam1": short_of(0, covered_ms=3_000)})


def gap_over_segment() -> Case:
    record = day.quiet()
    record.gap(24 * SECOND, Cause.CAMERA, from_ns=22 * SECOND)
    record.run()
    wrong = "A gap claims a second that a segment covers."
    case = _case("gap-over-segment", day.finish(record), wrong, Code.GAP_OVER_SEGMENT)
    gaps = (("starting", (1_000, 1_000)), ("camera", (1_000, 1_000)))
    return replace(case, cameras={"cam1": Expected(covered_ms=4_000, missing_ms=(2_000, 2_000), gaps=gaps)})


def segment_over_gap() -> Case:
    record = day.quiet()
    record.gap(25 * SECOND, Cause.CAMERA)
    record.run()
    record.at["cam1"] = 24 * SECOND
    wrong = "A segment begins a second before the gap in front of it ends."
    return _case("segment-over-gap", day.finish(record), wrong, Code.GAP_OVER_SEGMENT)


def recovered_not_contiguous() -> Case:
    record = day.quiet()
    session = record.session
    record.at["cam1"] += SECOND
    found = record.shoot()
    record.start(30 * SECOND, ended="crash")
    record.recover(found, session)
    record.gap(30 * SECOND, Cause.CRASH)
    record.close()
    return _case(
        "recovered-not-contiguous",
        record,
        "Media found after a restart begin a second after the record's end.",
        Code.RECOVERED_NOT_CONTIGUOUS,
    )


def recovered_over_segment() -> Case:
    record = day.quiet()
    session = record.session
    record.at["cam1"] -= SECOND
    found = record.shoot()
    record.start(30 * SECOND, ended="crash")
    record.recover(found, session)
    record.gap(30 * SECOND, Cause.CRASH)
    record.close()
    return _case(
        "recovered-over-segment",
        record,
        "Media found after a restart begin a second before the record's end.",
        Code.RECOVERED_NOT_CONTIGUOUS,
    )


def recovered_too_long() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run(fps=2)
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    record.record(frames=4, spacing_ns=500 * MS)
    session = record.session
    found = [record.shoot(frames=31, spacing_ns=500 * MS) for _ in range(2)]
    record.start(60 * SECOND, ended="crash")
    for piece in found:
        record.recover(piece, session)
    record.gap(60 * SECOND, Cause.CRASH)
    record.close()
    return _case(
        "recovered-too-long",
        record,
        "Media found after a restart are 31 s long; a crash leaves 30 s at the most.",
        Code.RECOVERED_TOO_LONG,
    )


def recovered_of_no_session() -> Case:
    record = day.quiet()
    stranger = thumbprint(world.signer("stranger").public_point)
    found = record.shoot(store=False)
    record.start(30 * SECOND, ended="crash")
    record.recover(found, stranger)
    record.gap(30 * SECOND, Cause.CRASH, from_ns=found.from_ns)
    record.close()
    return _case(
        "recovered-of-no-session",
        record,
        "Media found after a restart are said to be of a session that the record does not know.",
        Code.RECOVERED_NOT_CONTIGUOUS,
    )


def index_missing() -> Case:
    record = day.quiet()
    record.indexes["cam1"] += 1
    wrong = "A run goes from segment 0 to segment 2, without a hole in time."
    return _case("index-missing", day.finish(record), wrong, Code.INDEX_MISSING)


def run_missing() -> Case:
    record = day.quiet()
    record.runs["cam1"] += 1
    record.gap(24 * SECOND, Cause.CAMERA)
    record.run()
    return _case("run-missing", day.finish(record), "A camera goes from run 0 to run 2.", Code.INDEX_MISSING)


def run_unknown() -> Case:
    record = day.quiet()
    record.gap(24 * SECOND, Cause.CAMERA)
    at = record.fork()
    record.run()
    record.lines.pop()
    record.seq, record.prev = at.seq, at.prev
    del record.media[f"{record.folder()}/init.mp4"]
    return _case("run-unknown", day.finish(record), "A segment belongs to a run that no line opened.", Code.RUN_UNKNOWN)


def camera_not_configured() -> Case:
    record = day.quiet()
    record.at["cam2"] = record.at["cam1"]
    record.run("cam2")
    record.record("cam2")
    record.record()
    del record.at["cam2"]
    record.close()
    wrong = "A run and a segment belong to a camera that no start line names."
    return _case("camera-not-configured", record, wrong, Code.RUN_UNKNOWN)


def segment_twice() -> Case:
    record = day.quiet()
    segment = record.shoot()
    for _ in range(2):
        record.line(segment, at_ns=segment.to_ns + 100 * MS)
    record.event("finished")
    record.close()
    return _case(
        "segment-twice",
        record,
        "Two lines of the writer name the same segment.",
        Code.INDEX_MISSING,
        Code.OVERLAP,
        why="The second line claims the same time, and the same place in the run.",
    )


CASES = (
    clock_set_back,
    synchronised_clock_set_back,
    clock_contradiction,
    hole,
    hole_at_start,
    hole_at_close,
    close_too_early,
    hole_at_restart,
    hole_of_a_camera,
    overlap,
    gap_over_segment,
    segment_over_gap,
    recovered_not_contiguous,
    recovered_over_segment,
    recovered_too_long,
    recovered_of_no_session,
    index_missing,
    run_missing,
    run_unknown,
    camera_not_configured,
    segment_twice,
)
