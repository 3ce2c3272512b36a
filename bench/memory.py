"""Memory of the recorder behind the encoder, over an hour's worth of segments."""

import gc
import os
import shutil
from pathlib import Path

from bench.row import Row
from bench.stream import small_stream
from evidence.lines import Segment
from evidence.words import Mode
from tests.fakes.rig import feed, open_rig, virtual_clock

HOUR_S = 3600
CAMERAS = 2
LOOKS = 24
WARM = 4
"""Looks until caches are full and the allocator has what it needs."""
TARGET_KIB = 512


def measure(folder: Path) -> list[Row]:
    """Growth of the resident set while 1,800 segments of each of two cameras pass through."""
    return [_mode(folder / mode.lower(), mode) for mode in (Mode.TEST, Mode.UNARMED)]


def _mode(folder: Path, mode: Mode) -> Row:
    stream = small_stream()
    clock = virtual_clock()
    rig = open_rig(folder, stream.picture, clock=clock, cameras=CAMERAS, mode=mode)
    look_s = HOUR_S // LOOKS
    resident: list[float] = []
    for _ in range(LOOKS):
        feed(rig, clock, stream.units, stream.picture.fps, look_s * stream.picture.fps)
        gc.collect()
        resident.append(_resident_kib())
    rig.close()
    segments = sum(isinstance(line.body, Segment) for line in rig.lines())
    shutil.rmtree(folder)
    growth = (max(resident[WARM:]) - resident[WARM]) * LOOKS / (LOOKS - WARM)
    return Row(
        name=f"growth of memory in an hour, {mode}",
        value=growth,
        unit="KiB per hour",
        target=TARGET_KIB if mode is not Mode.UNARMED else None,
        note=f"{segments:,} segments; resident set {resident[-1] / 1024:.0f} MiB"
        + ("; each is remembered until it is pruned" if mode is Mode.UNARMED else ""),
    )


def _resident_kib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024
