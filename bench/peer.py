"""Running the programs that we stand beside, and what they cost."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one process and its children: CPU in user and kernel, wall time, the most memory it held."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def run(command: Sequence[str | Path], *, allowed: tuple[int, ...] = (0,), folder: Path | None = None) -> Cost:
    """Run a program to its end. Raises RuntimeError where it ends with a status that is not ``allowed``."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {' '.join(map(str, command))}")
    return Cost(cpu_s=usage.ru_utime + usage.ru_stime, wall_s=wall_s, peak_mib=usage.ru_maxrss / 1024)


def segment_with_ffmpeg(source: Path, folder: Path, kind: str, *, paced: bool = False, seconds: int = 0) -> Cost:
    """Cut ``source`` into 2 s segments of ``kind`` (mpegts or fmp4) in a new ``folder``, without encoding."""
    folder.mkdir()
    pace = ["-re"] if paced else []
    length = ["-t", str(seconds)] if seconds else []
    command = ["ffmpeg", "-v", "error", *pace, "-i", str(source.resolve()), *length, "-c", "copy", "-f", "hls"]
    command += ["-hls_time", "2", "-hls_list_size", "0", "-hls_segment_type", kind, "list.m3u8"]
    return run(command, folder=folder)


def size_of(folder: Path) -> int:
    """Bytes of all files below ``folder``."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
