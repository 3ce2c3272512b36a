"""How fast ``unbroken verify`` gets through media, beside sha256sum on the same files."""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.peer import run
from bench.row import Bound, Row, median
from bench.stream import full_stream
from tests.fakes.rig import Rig, feed, open_rig, virtual_clock

RECORD_S = 4_000
"""About 2 GB."""
REPEATS = 3
ONE_CORE, TWO_CORES = 0.8, 0.9
FINDINGS = (0, 3)
"""Verified; or cannot tell, because a record that nobody closed ends openly."""


def measure(folder: Path) -> list[Row]:
    """Shares of sha256sum's speed, on one core and on two. Everything is in the page cache."""
    rig = _record(folder / "unit")
    files = sorted(rig.layout.media.rglob("*.m4s")) + sorted(rig.layout.media.rglob("init.mp4"))
    size = sum(path.stat().st_size for path in files)
    bare = folder / "bare"
    bare.mkdir()
    shutil.copy(rig.layout.ledger, bare)
    _sha256sum(files, cores=1)
    openssl = run([*_pinned(0), "openssl", "dgst", "-sha256", *files]).wall_s
    rows = []
    for cores, target in ((1, ONE_CORE), (2, TWO_CORES)):
        sums, whole, lines = [], [], []
        for _ in range(REPEATS):
            sums.append(_sha256sum(files, cores=cores))
            whole.append(_verify(rig, rig.layout.root, cores))
            lines.append(_verify(rig, bare, cores))
        media_s = median(whole) - median(lines)
        rows.append(
            Row(
                name=f"verify, media, {cores} core{'s' if cores > 1 else ''}",
                value=median(sums) / media_s,
                unit="of sha256sum",
                bound=Bound.AT_LEAST,
                target=target,
                note=f"{_speed(size, media_s)} against {_speed(size, median(sums))}; with the start of Python and"
                f" the lines {median(sums) / median(whole):.2f} on {size / 1e9:.1f} GB; openssl dgst on one core"
                f" {_speed(size, openssl)}",
            )
        )
    return rows


def _record(folder: Path) -> Rig:
    stream = full_stream()
    clock = virtual_clock()
    rig = open_rig(folder, stream.picture, clock=clock)
    feed(rig, clock, stream.units, stream.picture.fps, RECORD_S * stream.picture.fps)
    rig.close()
    return rig


def _sha256sum(files: Sequence[Path], *, cores: int) -> float:
    """Wall time of as many sha256sum as ``cores``, each with its share of the files."""
    began = time.perf_counter()
    started = [
        subprocess.Popen([*_pinned(number), "sha256sum", *files[number::cores]], stdout=subprocess.DEVNULL)
        for number in range(cores)
    ]
    if any(process.wait() for process in started):
        raise RuntimeError("sha256sum failed")
    return time.perf_counter() - began


def _verify(rig: Rig, path: Path, cores: int) -> float:
    command: list[str | Path] = [sys.executable, "-m", "unbroken", "verify", path, "--trust", rig.station.root]
    pin = _pinned(0) if cores == 1 else []
    return run([*pin, *command, "--jobs", str(cores)], allowed=FINDINGS).wall_s


def _pinned(core: int) -> list[str]:
    """Runs what follows on one core."""
    return ["taskset", "--cpu-list", str(core)]


def _speed(size: int, seconds: float) -> str:
    return f"{size / seconds / 1e6:,.0f} MB/s"
