"""Two histories of one unit."""

from evidence.codes import Code
from evidence.lines import Event
from evidence.words import Cause
from tests.vectors import day
from tests.vectors.case import Case, Layer, pack
from tests.vectors.good_times import SECOND_BOOT, reboot
from tests.vectors.record import Clock, Record
from tests.vectors.world import MS, SECOND


def _case(name: str, record: Record, branch: Record, wrong: str, code: Code) -> Case:
    record.media |= branch.media
    return Case(
        name=name,
        layer=Layer.FORK,
        codes=(code,),
        files=pack(record, branch=branch.lines),
        paths=(".", "branch.jws"),
        wrong=wrong,
    )


def equivocation_by_a_session() -> Case:
    record = day.running()
    branch = record.fork()
    for one, phase in ((record, "opened"), (branch, "closed")):
        one.line(Event(event=phase))
        one.close()
    wrong = "One session signed two different lines in one place."
    return _case("equivocation-by-a-session", record, branch, wrong, Code.EQUIVOCATION)


def equivocation_by_two_starts() -> Case:
    record = day.running()
    branch = record.fork()
    reboot(record)
    reboot_elsewhere(branch)
    record.close()
    branch.close()
    wrong = "From one state of the card, two units went on: both branches begin with a start."
    return _case("equivocation-by-two-starts", record, branch, wrong, Code.EQUIVOCATION)


def reboot_elsewhere(record: Record) -> None:
    """As ``reboot``, in a third boot of its own."""
    before = record.boot
    assert SECOND_BOOT.offset_us is not None
    clock = Clock(offset_us=SECOND_BOOT.offset_us + 5_000_000, error_us=5_950)
    record.start(19 * SECOND, boot="third", clock=clock, ended="power")
    record.gap(19 * SECOND, Cause.POWER, from_boot=before)
    record.run()
    record.gap(20 * SECOND, Cause.STARTING)
    record.record()


def silence(record: Record) -> None:
    """Seven gap lines after 23 s, a minute from the first to the last."""
    for end in range(33, 94, 10):
        record.gap(end * SECOND, Cause.CAMERA)


def _silent() -> Record:
    """A record without any picture, at its shortest."""
    record = Record()
    record.start(day.START_NS)
    record.gap(day.FIRST_PICTURE_NS, Cause.CAMERA)
    return record


def _go_on(record: Record) -> None:
    """A second session in the same boot, and still no picture."""
    record.start(30 * SECOND, ended="crash")
    record.gap(30 * SECOND, Cause.CRASH)


def equivocation_beside_a_lost_tail() -> Case:
    record = _silent()
    branch, third = record.fork(), record.fork()
    branch.event("opened")
    third.event("closed")
    _go_on(record)
    record.close()
    return Case(
        name="equivocation-beside-a-lost-tail",
        layer=Layer.FORK,
        codes=(Code.EQUIVOCATION, Code.TAIL_LOST),
        files=pack(record, branch=branch.lines, third=third.lines),
        wrong="Two branches, each of which alone could be a lost tail, are signed by one session.",
        why="Beside the branch that goes on, each of the two is a lost tail.",
    )


def close_on_a_lost_tail() -> Case:
    record = _silent()
    branch = record.fork()
    branch.close()
    _go_on(record)
    return Case(
        name="close-on-a-lost-tail",
        layer=Layer.CHAIN,
        codes=(Code.OPEN_END, Code.TAIL_LOST),
        files=pack(record, branch=branch.lines),
        wrong="The end stands on a branch that was lost; the unit went on, and that branch has no end.",
        why="The branch with the end is a lost tail.",
    )


def rolled_back() -> Case:
    record = day.running()
    archived = record.fork()
    silence(archived)
    archived.gap(archived.at["cam1"] + MS, Cause.CAMERA)
    later = Clock(offset_us=(SECOND_BOOT.offset_us or 0) + 600_000_000, error_us=SECOND_BOOT.error_us)
    reboot(record, later)
    record.close()
    wrong = "The unit went on from a state of its card that is more than a minute older than what the archive has."
    return _case("rolled-back", record, archived, wrong, Code.ROLLED_BACK)


def session_in_abandoned_branch() -> Case:
    record = day.running()
    branch = record.fork()
    day.restart(branch)
    branch.event("opened")
    reboot(record)
    record.close()
    wrong = "The abandoned branch holds a start of its own, however short it is."
    return _case("equivocation-by-an-abandoned-start", record, branch, wrong, Code.EQUIVOCATION)


CASES = (
    equivocation_by_a_session,
    equivocation_by_two_starts,
    equivocation_beside_a_lost_tail,
    close_on_a_lost_tail,
    rolled_back,
    session_in_abandoned_branch,
)
