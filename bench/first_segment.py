"""From the start of the process to the first segment whose line is durable."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.row import Row, median
from bench.stream import FOOTAGE
from evidence import jws
from evidence.lines import Line, Segment, Start, read_payload
from unbroken.demo_station import DemoStation, make_station

REPEATS = 5
TARGET_S = 4
PATIENCE_S = 30
POLL_S = 0.005
SIZE = (1920, 1080)


def measure(folder: Path) -> list[Row]:
    """Real processes, a new disk each time; beside them ffmpeg encoding a test picture into HLS."""
    sources = {"pattern": "pattern", "replay": f"replay:{FOOTAGE.resolve()}"}
    times: dict[str, list[float]] = {name: [] for name in sources}
    starts: dict[str, list[float]] = {name: [] for name in sources}
    peer: list[float] = []
    for number in range(REPEATS):
        for name, source in sources.items():
            start_s, segment_s = _record(folder / f"{name}{number}", source)
            starts[name].append(start_s)
            times[name].append(segment_s)
        peer.append(_ffmpeg(folder / f"ffmpeg{number}"))
    return [
        Row(
            name=f"start to first committed segment, {name}, 1080p15",
            value=median(times[name]),
            runs=tuple(times[name]),
            unit="s",
            target=TARGET_S,
            reference="ffmpeg, test picture, libx264, -f hls, first segment listed",
            reference_value=median(peer),
            note=f"its start line after {median(starts[name]):.2f} s; a segment lasts 2 s",
        )
        for name in sources
    ]


def _record(folder: Path, source: str) -> tuple[float, float]:
    station = make_station(folder, [source], size=SIZE)
    command = [sys.executable, "-m", "unbroken", "station", "init", "--config", str(station.config)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return record_until_segment(station)


def record_until_segment(station: DemoStation) -> tuple[float, float]:
    """Seconds until a new ``start`` line and until a new ``segment`` line of a real recorder are durable."""
    head, ledger = station.run / "head.json", station.data / "ledger.jws"
    head.unlink(missing_ok=True)
    before = ledger.stat().st_size
    command = [sys.executable, "-m", "unbroken", "station", "record", "--config", str(station.config)]
    began = time.perf_counter()
    recorder = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def has(kind: type[Start | Segment]) -> bool:
        return any(isinstance(line.body, kind) for line in _lines(head, ledger, before))

    try:
        start_s = _wait(recorder, began, lambda: has(Start))
        segment_s = _wait(recorder, began, lambda: has(Segment))
    finally:
        recorder.terminate()
        recorder.wait(PATIENCE_S)
    return start_s, segment_s


def _wait(process: "subprocess.Popen[bytes]", began: float, done: Callable[[], bool]) -> float:
    while not done():
        if process.poll() is not None or time.perf_counter() - began > PATIENCE_S:
            raise RuntimeError("the recorder did not get to its first segment")
        time.sleep(POLL_S)
    return time.perf_counter() - began


def _lines(head: Path, ledger: Path, begin: int) -> list[Line]:
    """What of the ledger from byte ``begin`` on is durable by the recorder's own word."""
    if not head.exists():
        return []
    size_bytes = int(json.loads(head.read_bytes())["size_bytes"])
    with ledger.open("rb") as file:
        file.seek(begin)
        durable = file.read(size_bytes - begin)
    # A tail that the start has cut off may have stood where the first new line begins.
    return [read_payload(jws.unseal(text).payload) for text in durable.splitlines() if text.startswith(b"eyJ")]


def _ffmpeg(folder: Path) -> float:
    folder.mkdir()
    playlist = folder / "list.m3u8"
    picture = f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=15"
    command = ["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-tune", "zerolatency", "-b:v", "2M", "-g", "30", "-f", "hls", "-hls_time", "2", str(playlist)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return _wait(process, began, playlist.exists)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
