"""What each level of ``unbroken station check`` costs, beside the tools that look at the same files as closely."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.peer import run
from bench.row import Row, median
from bench.stream import full_stream
from tests.fakes.rig import Rig, feed, open_rig, virtual_clock

RECORD_S = 4_000
"""About 2 GB in 2,000 segments."""
REPEATS = 3
PER = 1_000


def measure(folder: Path) -> list[Row]:
    """Seconds for a thousand segments, start of Python in it; where bytes are read, they come from the disk."""
    rig = _record(folder / "unit")
    media = rig.layout.media
    files = sorted(media.rglob("*.m4s")) + sorted(media.rglob("init.mp4"))
    peers: dict[str, tuple[str, list[str | Path]]] = {
        "presence": ("ls -R", ["ls", "-R", media]),
        "size": ("du --bytes", ["du", "--bytes", "--all", media]),
        "hash": ("sha256sum, files not in the page cache", ["sha256sum", *files]),
        "chain": ("unbroken verify, which reads from the page cache", _verify(rig)),
    }
    return [_row(rig, level, *peer, files) for level, peer in peers.items()]


def _row(rig: Rig, level: str, reference: str, peer: Sequence[str | Path], files: Sequence[Path]) -> Row:
    command: list[str | Path] = [sys.executable, "-m", "unbroken", "station", "check"]
    command += ["--config", rig.station.config, "--level", level]
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(REPEATS):
        if level == "hash":
            _forget(files)
        theirs.append(run(peer, allowed=(0, 3)).wall_s)
        ours.append(run(command).wall_s)
    size = sum(path.stat().st_size for path in files)
    scale = PER / sum(path.suffix == ".m4s" for path in files)
    reads = level in ("hash", "chain")
    return Row(
        name=f"station check, {level}",
        value=median(ours) * scale,
        unit="s per 1,000 segments",
        runs=tuple(each * scale for each in ours),
        reference=reference,
        reference_value=median(theirs) * scale,
        note=f"{_speed(size, ours)} against {_speed(size, theirs)}" if reads else "",
    )


def _record(folder: Path) -> Rig:
    stream = full_stream()
    clock = virtual_clock()
    rig = open_rig(folder, stream.picture, clock=clock)
    feed(rig, clock, stream.units, stream.picture.fps, RECORD_S * stream.picture.fps)
    rig.close()
    return rig


def _verify(rig: Rig) -> list[str | Path]:
    return [sys.executable, "-m", "unbroken", "verify", rig.layout.root, "--trust", rig.station.root, "--jobs", "1"]


def _forget(files: Sequence[Path]) -> None:
    """Drop the files from the page cache, so that sha256sum reads the disk, too."""
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _speed(size: int, runs: Sequence[float]) -> str:
    return f"{size / median(runs) / 1e6:,.0f} MB/s"
