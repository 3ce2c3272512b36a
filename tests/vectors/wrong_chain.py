"""Attacks on the chain: lines taken away, doubled, moved, slipped in, and signed by the wrong key."""

from collections.abc import Callable
from dataclasses import replace

from evidence.codes import Code
from evidence.lines import Event, genesis, line_hash
from evidence.words import Cause
from tests.vectors import day, world
from tests.vectors.case import Case, Layer, pack, short_of
from tests.vectors.record import Record
from tests.vectors.world import MS, SECOND

# Lines of day.ordinary(): start, profile, armed, run, gap, segment, opened, counting, protocol-shown, segment, close.
_OPENED, _COUNTING, _PROTOCOL = 6, 7, 8


def _altered(
    name: str,
    wrong: str,
    alter: Callable[[list[bytes]], None],
    *codes: Code,
    layer: Layer = Layer.CHAIN,
    why: str = "",
) -> Callable[[], Case]:
    """An ordinary day in whose copy somebody altered the list of lines."""

    def make() -> Case:
        record = day.ordinary()
        alter(record.lines)
        return Case(name=name, layer=layer, codes=codes, files=pack(record), wrong=wrong, why=why)

    return make


def _case(name: str, record: Record, wrong: str, *codes: Code, layer: Layer = Layer.CHAIN, why: str = "") -> Case:
    return Case(name=name, layer=layer, codes=codes, files=pack(record), wrong=wrong, why=why)


def _remove(first: int, last: int) -> Callable[[list[bytes]], None]:
    def alter(lines: list[bytes]) -> None:
        del lines[first : last + 1]

    return alter


def _repeat(place: int, after: int) -> Callable[[list[bytes]], None]:
    return lambda lines: lines.insert(after + 1, lines[place])


def _swap(lines: list[bytes]) -> None:
    lines[_OPENED], lines[_COUNTING] = lines[_COUNTING], lines[_OPENED]


def segment_line_missing() -> Case:
    record = day.running()
    record.record(count=2)
    record.close()
    del record.lines[6]
    case = _case(
        "segment-line-missing",
        record,
        "A segment's line is missing; its file is still there. Its two seconds are missing, but no second finding.",
        Code.LINE_MISSING,
    )
    return replace(case, cameras={"cam1": short_of(2_000, covered_ms=4_000)})


def seq_jumps() -> Case:
    record = day.running()
    record.seq += 5
    record.event("opened")
    return _case("seq-jumps", day.finish(record), "The writer left out five numbers.", Code.LINE_MISSING)


def history_rewritten() -> Case:
    record = day.running()
    before = record.prev
    record.event("opened")
    follower = record.prev
    record.lines.pop()
    record.seq -= 1
    record.event("counting", prev=before)
    record.prev = follower
    return _case(
        "history-rewritten",
        day.finish(record),
        "A line was replaced by another one of the same session's key; the next line still follows the first.",
        Code.PREV_MISMATCH,
    )


def line_inserted() -> Case:
    record = day.ordinary()
    stranger = world.signer("stranger")
    forged = record.fork()
    forged.seq, forged.prev = _COUNTING, line_hash(record.lines[_OPENED])
    record.lines.insert(_COUNTING, forged.line(Event(event="finished"), signer=stranger))
    return _case(
        "line-inserted",
        record,
        "Between two lines stands one that a stranger's key signed.",
        Code.KEY_UNKNOWN,
        layer=Layer.KEY,
    )


def line_of_another_station() -> Case:
    record = day.ordinary()
    other = Record(station=world.OTHER_STATION, unit=world.OTHER_UNIT)
    day.armed(other).record()
    other.event("finished")
    record.lines.insert(_COUNTING, other.lines[-1])
    return _case(
        "line-of-another-station",
        record,
        "Between two lines stands one from another station's ledger.",
        Code.KEY_UNKNOWN,
        layer=Layer.KEY,
    )


def key_unknown() -> Case:
    record = day.running()
    record.event("opened", signer=world.signer("stranger"))
    wrong = "A line is signed by a key that no start line enrolled."
    return _case("key-unknown", day.finish(record), wrong, Code.KEY_UNKNOWN, layer=Layer.KEY)


def key_of_device() -> Case:
    record = day.running()
    record.event("opened", signer=record.device)
    wrong = "The device key signs an event; it may sign start lines only."
    return _case("key-of-device", day.finish(record), wrong, Code.KEY_UNKNOWN, layer=Layer.KEY)


def key_stale() -> Case:
    record = day.running()
    stale = record.signer
    day.restart(record)
    record.event("opened", signer=stale)
    record.close()
    wrong = "After a restart a line is signed by the key of the session before."
    return _case("key-stale", record, wrong, Code.KEY_STALE, layer=Layer.KEY)


def start_by_another_key() -> Case:
    record = day.ordinary()
    forged = record.fork()
    forged.device = world.signer("stranger")
    forged.start(40 * SECOND, ended="crash")
    record.lines.insert(-1, forged.lines[-1])
    return _case(
        "start-by-another-key",
        record,
        "A start line brings the unit's certificate, but a stranger's key signed it.",
        Code.KEY_UNKNOWN,
        layer=Layer.KEY,
    )


def start_of_another_station() -> Case:
    record = day.ordinary()
    other = Record(station=world.OTHER_STATION, unit=world.OTHER_UNIT, by=record.authority)
    other.seq, other.prev = len(record.lines) - 1, line_hash(record.lines[-2])
    other.start(40 * SECOND, ended="crash")
    record.lines.insert(-1, other.lines[-1])
    return _case(
        "start-of-another-station",
        record,
        "In the middle of the record another station's unit, properly certified, begins a session.",
        Code.START_MISMATCH,
        layer=Layer.KEY,
    )


def head_cut() -> Case:
    record = day.running()
    first = len(record.lines)
    record.media.clear()
    day.restart(record)
    record.close()
    del record.lines[:first]
    return _case("head-cut", record, "The first session's lines and media are cut away.", Code.HEAD_MISSING)


def head_cut_to_session() -> Case:
    record = day.ordinary()
    del record.lines[0]
    return _case(
        "head-cut-in-session",
        record,
        "The first line, which enrols the session's key, is cut away.",
        Code.HEAD_MISSING,
    )


def other_genesis() -> Case:
    record = Record()
    record.prev = genesis(world.ELECTION, world.OTHER_STATION, world.OTHER_UNIT)
    record.start(day.START_NS)
    record.arm()
    record.run()
    record.gap(21 * SECOND, Cause.STARTING)
    wrong = "The first line follows the genesis text of another unit."
    return _case("other-genesis", day.finish(record), wrong, Code.HEAD_MISSING)


def tail_cut() -> Case:
    record = day.ordinary()
    del record.lines[-2:]
    del record.media[record.path(1)]
    wrong = "The last segment, its line and the close are cut away: nothing says that the record ended here."
    return _case("tail-cut", record, wrong, Code.OPEN_END)


def tail_cut_in_line() -> Case:
    case = tail_cut()
    lines = case.files["ledger.jws"]
    return replace(
        case,
        name="tail-cut-in-a-line",
        codes=(Code.OPEN_END, Code.TORN_TAIL),
        files={**case.files, "ledger.jws": lines[:-60]},
        wrong="The file ends within a line.",
        why="The torn tail is as a power cut leaves it; what came after it cannot be told.",
    )


def line_after_close() -> Case:
    record = day.ordinary()
    record.event("opened")
    return _case("line-after-close", record, "An event follows the close.", Code.LINE_AFTER_CLOSE)


def session_after_close() -> Case:
    record = day.ordinary()
    record.start(60 * SECOND, ended="stopped")
    return _case("session-after-close", record, "A session begins after the close.", Code.LINE_AFTER_CLOSE)


def time_backwards() -> Case:
    record = day.running()
    record.event("opened", stamp=record.clock.stamp(record.now_ns - SECOND))
    wrong = "A line's boot time is a second before that of the line before."
    return _case("time-backwards", day.finish(record), wrong, Code.TIME_BACKWARDS, layer=Layer.TIME)


def time_ahead() -> Case:
    record = day.running()
    segment = record.shoot()
    record.line(segment, stamp=record.clock.stamp(segment.to_ns - SECOND - MS))
    record.now_ns = segment.to_ns
    record.event("finished")
    record.close()
    wrong = "A line was made 1,001 ms before the end of the segment that it names."
    return _case("time-ahead", record, wrong, Code.TIME_AHEAD, layer=Layer.TIME)


CASES: tuple[Callable[[], Case], ...] = (
    _altered("line-missing", "One event's line is missing.", _remove(_COUNTING, _COUNTING), Code.LINE_MISSING),
    _altered("lines-missing", "Two lines in a row are missing.", _remove(_OPENED, _COUNTING), Code.LINE_MISSING),
    segment_line_missing,
    seq_jumps,
    _altered("line-repeated", "A line stands there twice.", _repeat(_OPENED, _OPENED), Code.LINE_REPEATED),
    _altered(
        "line-repeated-later",
        "A line stands there once more, two lines on.",
        _repeat(_OPENED, _PROTOCOL),
        Code.LINE_REPEATED,
    ),
    _altered(
        "lines-reordered",
        "Two neighbouring lines have changed places.",
        _swap,
        Code.LINE_REORDERED,
    ),
    history_rewritten,
    line_inserted,
    line_of_another_station,
    key_unknown,
    key_of_device,
    key_stale,
    start_by_another_key,
    start_of_another_station,
    head_cut,
    head_cut_to_session,
    other_genesis,
    tail_cut,
    tail_cut_in_line,
    line_after_close,
    session_after_close,
    time_backwards,
    time_ahead,
)
