"""A thousand connected stations: how much they may send in all while the archive answers 99 of 100 within a second."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.backfill import percentile
from bench.centre import Centre
from bench.client import Client, Wire
from bench.fleet import Ack, Fleet
from bench.heavy import HeavyStation
from bench.ingest import CORES, SEGMENT_BYTES
from bench.program import Program
from bench.row import Row, median

STATIONS = 1_000
STEP_S = 8
FIRST_MB_S = 30.0
UP, BACK = 1.5, 1.2
"""Each step is so much higher than the one before, until one fails; then so much higher than the last good one."""
MOST_STEPS = 6
MOST_S = 1.0
RECEIPT_EVERY = 5
LOOK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a rate brought: seconds from the scheduled time to the acknowledgement, the archive's CPU and memory."""

    mb_s: float
    median_s: float
    p99_s: float
    cpu_ms: float
    resident_mib: float
    processes: int
    generator: float
    waits: int

    @property
    def good(self) -> bool:
        return self.p99_s < MOST_S


def measure(folder: Path) -> list[Row]:
    """Segments of real size, spread evenly over all stations, each with its line right before it."""
    centre = Centre(folder / "centre")
    archive = centre.archive(workers=CORES)
    most = most_segments()

    def client(number: int) -> Client:
        name = f"s{number}"
        station = HeavyStation(centre.authority, SEGMENT_BYTES, station=name, unit="u1")
        opening = list(station.lines)
        uploads = [station.heavy() for _ in range(most)]
        wire = Wire(archive.port, root=centre.root, certificate=centre.certificate(name, "u1"), key=centre.uplink_key)
        made = Client(wire=wire, uploads=uploads, receipt_every=RECEIPT_EVERY, with_lines=True)
        made.lines(opening)
        return made

    with archive.program as program:
        program.listen(archive.port)
        with Fleet(client, STATIONS) as fleet:
            idle_mib = program.resident_mib()
            steps = climb(lambda mb_s, first: _step(program, fleet, mb_s, first))
    return rows(steps, idle_mib)


def rows(steps: Sequence[Step], idle_mib: float) -> list[Row]:
    """The best step that held, or a rate of 0."""
    best = max((step for step in steps if step.good), key=lambda step: step.mb_s, default=None)
    told = "; ".join(f"{step.p99_s:.2f} s at {step.mb_s:.0f}" for step in sorted(steps, key=lambda step: step.mb_s))
    name = f"{STATIONS:,} stations connected, most in all with 99 % acknowledged within {MOST_S:g} s"
    if best is None:
        return [Row(name=name, value=0, unit="MB/s", note=f"99th percentiles: {told}")]
    each_s = SEGMENT_BYTES / 1e6 / best.mb_s
    return [
        Row(
            name=name,
            value=best.mb_s,
            unit="MB/s",
            note=f"{1 / each_s:.0f} lines and segments a second, one of each station every {each_s * STATIONS:.1f} s; "
            f"median {best.median_s:.2f} s; 99th percentiles: {told}; of {CORES} cores the generator takes "
            f"{best.generator:.0%}; told to wait: {best.waits}",
        ),
        Row(
            name=f"{STATIONS:,} stations connected, CPU then, a line for each segment",
            value=best.cpu_ms,
            unit="ms per MB",
            note=f"{best.cpu_ms * best.mb_s / 1e3:.2f} cores",
        ),
        Row(
            name=f"{STATIONS:,} stations connected, memory then",
            value=best.resident_mib,
            unit="MiB",
            note=f"resident sets of {best.processes} processes, the highest of many looks; {idle_mib:.0f} MiB before",
        ),
    ]


def climb(step: Callable[[float, int], Step]) -> list[Step]:
    """Steps up until one fails, then smaller ones. ``step`` is given the rate and how many segments went before."""
    steps: list[Step] = []
    mb_s, factor, sent = FIRST_MB_S, UP, 0
    while len(steps) < MOST_STEPS:
        steps.append(step(mb_s, sent))
        sent += segments(mb_s)
        if not steps[-1].good:
            if factor == BACK or len(steps) == 1:
                break
            factor = BACK
            mb_s /= UP
        mb_s *= factor
    return steps


def segments(mb_s: float) -> int:
    """How many make a step of that rate."""
    return int(mb_s * 1e6 / SEGMENT_BYTES * STEP_S)


def most_segments() -> int:
    """How many each station needs if no step ever fails."""
    sent = sum(segments(FIRST_MB_S * UP**number) for number in range(MOST_STEPS))
    return sent // STATIONS + 1


def dues(mb_s: float, first: int) -> dict[int, list[float]]:
    """Evenly spaced times, dealt to the stations in turn; the ``first`` segments have gone already."""
    found: dict[int, list[float]] = {}
    for number in range(segments(mb_s)):
        found.setdefault((first + number) % STATIONS, []).append(number * SEGMENT_BYTES / 1e6 / mb_s)
    return found


def _step(program: Program, fleet: Fleet, mb_s: float, first: int) -> Step:
    highest, over = [program.resident_mib()], threading.Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            highest.append(program.resident_mib())

    looking = threading.Thread(target=look)
    looking.start()
    before_s = program.cpu_s()
    try:
        run = fleet.run(dues(mb_s, first))
    finally:
        over.set()
        looking.join()
    cpu_s = program.cpu_s() - before_s
    seconds = max(ack.done_s for ack in run.acks)
    size_mb = sum(ack.size_bytes for ack in run.acks) / 1e6
    latencies = [_latency(ack) for ack in run.acks]
    return Step(
        mb_s=mb_s,
        median_s=median(latencies),
        p99_s=percentile(latencies, 99),
        cpu_ms=cpu_s * 1e3 / size_mb,
        resident_mib=max(highest),
        processes=program.processes(),
        generator=run.cpu_s / seconds / CORES,
        waits=run.waits,
    )


def _latency(ack: Ack) -> float:
    return ack.latency_s
