"""The same SIGKILLs for this recorder and for others: seconds lost, files that nobody can read, holes explained."""

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from bench.kill_camera import NumberedCamera, boot_ns
from bench.kill_systems import CAMERA, PATIENCE_S, Hole, Recorder, Unbroken, peers
from bench.row import Bound, Row, median

KILLS = 10
SEED = 2027
SOONEST_S, LATEST_S = 4, 8
"""A life is killed so long after its first file."""
POLL_S = 0.005
OWN_ENDS = 3


class End(Enum):
    """How a life ends."""

    KILLED = auto()
    BY_ITSELF = auto()
    IN_ORDER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One process, in nanoseconds of boot time: started, first file there, and ended in the way of ``end``."""

    start_ns: int
    file_ns: int
    end_ns: int
    end: End


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is left of one recorder. ``lost_s`` and ``explained`` speak of kills only."""

    name: str
    lost_s: tuple[float, ...]
    first_picture_s: float
    files: int
    unreadable: int
    explained: int
    own_ends: int


def measure(folder: Path) -> list[Row]:
    """All recorders at the same time, each killed `KILLS` times at the same seeded moments of its lives."""
    chance = random.Random(SEED)
    moments = [chance.uniform(SOONEST_S, LATEST_S) for _ in range(KILLS)]
    camera = NumberedCamera(CAMERA)
    with camera.running() as url:
        recorders: list[Recorder] = [Unbroken(folder / "unbroken"), *peers(folder, camera, url)]
        with ThreadPoolExecutor(len(recorders)) as supervisors:
            days = list(supervisors.map(lambda recorder: endure(recorder, moments), recorders))
    return rows([judge(recorder, lives) for recorder, lives in zip(recorders, days, strict=True)])


def endure(recorder: Recorder, moments: Sequence[float], *, last_s: float = LATEST_S) -> list[Life]:
    """One life for each of ``moments``, killed so many seconds after its first file; one more ends well.

    A life that ends by itself before its moment stands in the list, too, and is lived again, as a supervisor would
    have it. Raises RuntimeError where that happens more than `OWN_ENDS` times or a process writes no file.
    """
    lives: list[Life] = []
    ahead = [*moments, last_s]
    while ahead:
        life = _live(recorder, len(lives), ahead[0], last=len(ahead) == 1)
        lives.append(life)
        if life.end is not End.BY_ITSELF:
            ahead.pop(0)
        elif sum(each.end is End.BY_ITSELF for each in lives) > OWN_ENDS:
            raise RuntimeError(f"{recorder.name} keeps ending by itself: {recorder.said()}")
    return lives


def _live(recorder: Recorder, number: int, moment: float, *, last: bool) -> Life:
    before = recorder.files()
    start_ns = boot_ns()
    process = recorder.start(number)
    try:
        while not recorder.files() - before:
            if process.poll() is not None or boot_ns() - start_ns > PATIENCE_S * 1_000_000_000:
                raise RuntimeError(f"{recorder.name} ended or wrote nothing in life {number}: {recorder.said()}")
            time.sleep(POLL_S)
        file_ns = boot_ns()
        end = End.IN_ORDER if last else End.KILLED
        if _ends_within(process, moment):
            end = End.BY_ITSELF
            print(f"{recorder.name} ended by itself in life {number}: {recorder.said()}", file=sys.stderr, flush=True)
        end_ns = boot_ns()
        if end is End.IN_ORDER:
            recorder.finish(process)
    finally:
        process.kill()
        process.wait()
    return Life(start_ns=start_ns, file_ns=file_ns, end_ns=end_ns, end=end)


def judge(recorder: Recorder, lives: Sequence[Life]) -> Outcome:
    """Read everything that a recorder has left behind."""
    pictures = [recorder.taken_ns(path) for path in sorted(recorder.files())]
    taken_ns = sorted(each for file in pictures for each in file)
    killed = [life for life in lives if life.end is End.KILLED]
    return Outcome(
        name=recorder.name,
        lost_s=tuple(lost_s(life, taken_ns) for life in killed),
        first_picture_s=median([seconds for life in lives for seconds in first_picture_s(life, taken_ns)] or [0]),
        files=len(pictures),
        unreadable=sum(not file for file in pictures),
        explained=explained(recorder.holes(), [life.end_ns for life in killed]),
        own_ends=sum(life.end is End.BY_ITSELF for life in lives),
    )


def lost_s(life: Life, taken_ns: Sequence[int]) -> float:
    """Seconds from the last picture of ``life`` among ``taken_ns`` to its end; without one, from its first file."""
    last_ns = max(_within(life, taken_ns), default=life.file_ns)
    return (life.end_ns - last_ns) / 1e9


def first_picture_s(life: Life, taken_ns: Sequence[int]) -> list[float]:
    """Seconds from the start of the process to its first picture; empty where ``life`` left none."""
    return [(each - life.start_ns) / 1e9 for each in sorted(_within(life, taken_ns))[:1]]


def explained(holes: Sequence[Hole], kills_ns: Sequence[int]) -> int:
    """How many kills lie in a hole that is told with begin, end and the cause ``crash``."""
    crashes = [hole for hole in holes if hole.cause == "crash"]
    return sum(any(hole.from_ns <= kill_ns < hole.to_ns for hole in crashes) for kill_ns in kills_ns)


def rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """A row of seconds lost for each recorder, then files and holes of the first one with the others beside it."""
    ours, *others = outcomes
    found = [
        Row(
            name=f"lost by a SIGKILL, {each.name}",
            value=median(each.lost_s),
            runs=each.lost_s,
            unit="s",
            reference="" if each is ours else ours.name,
            reference_value=None if each is ours else median(ours.lost_s),
            note=f"first picture {each.first_picture_s:.2f} s after the start of the process"
            + (f"; ended by itself, too: {each.own_ends}" if each.own_ends else ""),
        )
        for each in outcomes
    ]
    found.append(
        Row(
            name=f"files that cannot be read after {KILLS} kills, {ours.name}",
            value=ours.unreadable,
            unit=f"of {ours.files}",
            target=0,
            note="; ".join(f"{each.name}: {each.unreadable} of {each.files}" for each in others),
        )
    )
    found.append(
        Row(
            name=f"holes explained after {KILLS} kills, {ours.name}",
            value=ours.explained,
            unit=f"of {KILLS}",
            bound=Bound.AT_LEAST,
            target=KILLS,
            note="; ".join(f"{each.name}: {each.explained}" for each in others),
        )
    )
    return found


def _within(life: Life, taken_ns: Sequence[int]) -> list[int]:
    return [each for each in taken_ns if life.start_ns <= each <= life.end_ns]


def _ends_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
