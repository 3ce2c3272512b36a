"""The shortest ordinary days; cases of attacks begin with one of these and bend it."""

from evidence.words import Cause, Mode
from tests.vectors.record import Record
from tests.vectors.world import SECOND

START_NS = 20 * SECOND
FIRST_PICTURE_NS = 21 * SECOND


def armed(record: Record | None = None, mode: Mode = Mode.LIVE) -> Record:
    """A record that has started, is armed and about to show its first picture."""
    record = record or Record()
    record.start(START_NS)
    record.arm(mode)
    record.run()
    record.gap(FIRST_PICTURE_NS, Cause.STARTING)
    return record


def running() -> Record:
    """Armed, and one segment (21 s to 23 s) recorded."""
    record = armed()
    record.record()
    return record


def finish(record: Record) -> Record:
    """One more segment, and the end of the day."""
    record.record()
    record.event("finished")
    record.close()
    return record


def ordinary() -> Record:
    """A closed LIVE day: lines 0 to 10, two segments, three events between them."""
    record = running()
    for phase in ("opened", "counting", "protocol-shown"):
        record.event(phase)
    record.record()
    record.close()
    return record


def quiet(record: Record | None = None) -> Record:
    """An unarmed record with one segment, at its shortest: lines 0 to 3."""
    record = record or Record()
    record.start(START_NS)
    record.run()
    record.gap(FIRST_PICTURE_NS, Cause.STARTING)
    record.record()
    return record


def crashed() -> Record:
    """A recorder that crashed at 23 s and began again at 30 s of the same boot, one segment each."""
    record = running()
    restart(record)
    return record


def restart(record: Record, at_ns: int = 30 * SECOND) -> None:
    """A second session in the same boot, with a segment; the hole before is told as a crash."""
    record.start(at_ns, ended="crash", evidence={"unit_result": "signal"})
    record.gap(at_ns, Cause.CRASH)
    record.run()
    record.gap(at_ns + SECOND, Cause.STARTING)
    record.record()
