"""A card on which every sync takes 300 ms: does a picture get lost?"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from base.clock import SystemClock
from base.durable import Disk
from bench.after_encoder import deliver
from bench.row import Row
from bench.stream import full_stream
from evidence.lines import Gap, Segment
from tests.fakes.rig import Rig, open_rig

T = TypeVar("T")

SLOW_S = 0.3
SHORT_S, FULL_S = 60, 600
CAMERAS = 2
RECOVERED_S = 30
"""What recovery may take up after a crash (spec/ledger.md, section 4.4)."""


class SlowDisk(Disk):
    """The real disk, on which each sync takes ``SLOW_S`` longer. ``slow`` switches it on."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = False
        self.syncs = 0

    def _do(self, step: str, path: Path, action: Callable[[], T]) -> T:
        if self.slow and step in ("sync", "sync-directory"):
            self.syncs += 1
            time.sleep(SLOW_S)
        return super()._do(step, path, action)


def measure(folder: Path, *, full: bool = False) -> list[Row]:
    """Two cameras at real speed, 1080p25 at 4 Mbit/s each, for ``SHORT_S`` or ``FULL_S`` seconds."""
    stream = full_stream()
    seconds = FULL_S if full else SHORT_S
    clock, disk = SystemClock(), SlowDisk()
    rig = open_rig(folder / "unit", stream.picture, clock=clock, cameras=CAMERAS, disk=disk)
    disk.slow = True
    stop = threading.Event()
    with ThreadPoolExecutor(1) as storage:
        work = storage.submit(rig.pipeline.run, stop)
        pictures = CAMERAS * deliver(rig, stream, clock, seconds)
        stop.set()
    work.result()
    rig.close()
    written, dropped, gaps, longest_s = _account(rig)
    arrived = sum(lane.bridge.traffic().pictures_in for lane in rig.pipeline.lanes)
    return [
        Row(
            name=f"pictures lost in {seconds} s while every sync takes 300 ms, two cameras",
            value=pictures - written + dropped + gaps,
            unit="pictures",
            target=0,
            reference="pictures delivered",
            reference_value=arrived,
            note=f"{disk.syncs} syncs",
        ),
        Row(
            name="the same: longest from a segment's last picture to its line",
            value=longest_s,
            unit="s",
            target=RECOVERED_S,
            note="what a power cut would have cost, beside the segment then open",
        ),
    ]


def _account(rig: Rig) -> tuple[int, int, int, float]:
    """Pictures in segments, pictures counted as dropped, gaps behind the first, and how long a segment waited."""
    written = dropped = 0
    gaps = -CAMERAS
    longest_ns = 0
    for line in rig.lines():
        match line.body:
            case Segment() as segment:
                written += segment.frames
                dropped += segment.dropped_frames
                longest_ns = max(longest_ns, line.stamp.boot_ns - segment.to_ns)
            case Gap():
                gaps += 1
    return written, dropped, gaps, longest_ns / 1e9
