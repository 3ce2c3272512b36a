"""From the start of the process to the first new segment, on a disk that holds twenty hours and saw a power cut."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from appliance.capture.camera import Picture
from base.durable import Disk
from bench.first_segment import record_until_segment
from bench.row import Row, median
from evidence.lines import Segment
from tests.fakes.camera import Unit
from tests.fakes.rig import Rig, feed, open_rig, virtual_clock
from tests.fakes.tinyh264 import TinyEncoder

T = TypeVar("T")

HOURS = 20
CAMERAS = 2
REPEATS = 3
TARGET_S = 10
PICTURE = Picture(width=64, height=64, fps=5, bitrate=10_000, gop=10)
_CACHES = Path("/proc/sys/vm/drop_caches")


class _Unsynced(Disk):
    """Nothing waits for the device while the day is made."""

    def _do(self, step: str, path: Path, action: Callable[[], T]) -> T:
        if step in ("sync", "sync-directory"):
            return cast("T", None)
        return action()


def measure(folder: Path) -> list[Row]:
    """With the snapshot that the recorder keeps, and without, as after the loss of that file."""
    rig = _day(folder)
    config = rig.station.config
    config.write_text(config.read_text().replace("replay-raw:none", "pattern"))
    snapshot = rig.layout.snapshot.read_bytes()
    rows: list[Row] = []
    for name, kept in (("with its snapshot", snapshot), ("without a snapshot", None)):
        times: list[float] = []
        starts: list[float] = []
        cold = False
        for _ in range(REPEATS):
            if kept is None:
                rig.layout.snapshot.unlink(missing_ok=True)
            else:
                rig.layout.snapshot.write_bytes(kept)
            cold = _drop_caches()
            start_s, segment_s = record_until_segment(rig.station)
            starts.append(start_s)
            times.append(segment_s)
        rows.append(
            Row(
                name=f"start to first new segment on a disk of {HOURS} h, {name}",
                value=median(times),
                runs=tuple(times),
                unit="s",
                target=TARGET_S,
                reference="the same on an empty disk: first-segment",
                note=f"{_segments(rig):,} segments; its start line after {median(starts):.2f} s; "
                + ("page cache dropped" if cold else "page cache warm"),
            )
        )
    return rows


def _day(folder: Path) -> Rig:
    """Twenty hours of two cameras, in small pictures since only their number matters, and no end."""
    encoder = TinyEncoder(PICTURE.width, PICTURE.height)
    units = [
        Unit(data=encoder.idr(100) if number == 0 else encoder.p(), boot_ns=0, keyframe=number == 0)
        for number in range(PICTURE.gop)
    ]
    clock = virtual_clock()
    rig = open_rig(folder / "unit", PICTURE, clock=clock, cameras=CAMERAS, disk=_Unsynced())
    feed(rig, clock, units, PICTURE.fps, HOURS * 3600 * PICTURE.fps)
    os.sync()
    return rig


def _segments(rig: Rig) -> int:
    return sum(isinstance(line.body, Segment) for line in rig.lines())


def _drop_caches() -> bool:
    """Whether the kernel let go of what it remembers of the disk."""
    try:
        os.sync()
        _CACHES.write_text("3")
    except OSError:
        return False
    return True
