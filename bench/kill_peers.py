"""The same SIGKILLs for this recorder and for others: seconds lost, files that nobody can read, holes explained."""

import random
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.kill_camera import NumberedCamera, boot_ns
from bench.kill_systems import CAMERA, PATIENCE_S, Hole, Recorder, Unbroken, peers
from bench.row import Bound, Row, median

KILLS = 10
SEED = 2027
SOONEST_S, LATEST_S = 4, 8
"""A life is killed so long after its first file."""
POLL_S = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One process, in nanoseconds of boot time: started, first file there, and killed or ended."""

    start_ns: int
    file_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is left of one recorder. ``lost_s`` and ``explained`` speak of kills only, not of the last life."""

    name: str
    lost_s: tuple[float, ...]
    first_picture_s: float
    files: int
    unreadable: int
    explained: int


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


def endure(recorder: Recorder, moments: Sequence[float]) -> list[Life]:
    """One life for each of ``moments``, killed so many seconds after its first file, and one that ends well.

    Raises RuntimeError where a process ends by itself or writes no file.
    """
    lives: list[Life] = []
    for number, moment in enumerate([*moments, LATEST_S]):
        before = recorder.files()
        start_ns = boot_ns()
        process = recorder.start(number)
        try:
            while not recorder.files() - before:
                if process.poll() is not None or boot_ns() - start_ns > PATIENCE_S * 1_000_000_000:
                    raise RuntimeError(f"{recorder.name} ended or wrote nothing, life {number}")
                time.sleep(POLL_S)
            file_ns = boot_ns()
            _let_live(process, moment, recorder.name)
            end_ns = boot_ns()
            if number == len(moments):
                recorder.finish(process)
        finally:
            process.kill()
            process.wait()
        lives.append(Life(start_ns=start_ns, file_ns=file_ns, end_ns=end_ns))
    return lives


def judge(recorder: Recorder, lives: Sequence[Life]) -> Outcome:
    """Read everything that a recorder has left behind."""
    pictures = [recorder.taken_ns(path) for path in sorted(recorder.files())]
    taken_ns = sorted(each for file in pictures for each in file)
    kills_ns = [life.end_ns for life in lives[:-1]]
    return Outcome(
        name=recorder.name,
        lost_s=tuple(lost_s(life, taken_ns) for life in lives[:-1]),
        first_picture_s=median([seconds for life in lives for seconds in first_picture_s(life, taken_ns)] or [0]),
        files=len(pictures),
        unreadable=sum(not file for file in pictures),
        explained=explained(recorder.holes(), kills_ns),
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
            note=f"first picture {each.first_picture_s:.2f} s after the start of the process",
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


def _let_live(process: "subprocess.Popen[bytes]", seconds: float, name: str) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return
    raise RuntimeError(f"{name} ended by itself with {process.returncode}")
