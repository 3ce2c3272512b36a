"""CPU of everything after the encoder: fragments, hashing, writing, syncing, signing, committing."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from appliance.capture.camera import AccessUnit
from base.clock import SystemClock
from bench.peer import segment_with_ffmpeg
from bench.row import Row, median
from bench.stream import Stream, full_stream
from evidence.words import Mode
from tests.fakes.rig import Rig, feed, open_rig, virtual_clock

REPEATS = 5
PACED_S = 20
TARGET_MS = 10
UNIT = "ms CPU per s"


def measure(folder: Path) -> list[Row]:
    """Milliseconds of CPU for one second of video, fed at full speed and at real speed."""
    stream = full_stream()
    ours, mpegts, fmp4 = [], [], []
    for number in range(REPEATS):
        # In turn, so that a busy neighbour meets all three.
        ours.append(_full_speed(folder / f"unit{number}", stream))
        mpegts.append(_ffmpeg(folder / f"mpegts{number}", stream, "mpegts"))
        fmp4.append(_ffmpeg(folder / f"fmp4-{number}", stream, "fmp4"))
    paced = _paced(folder / "paced", stream)
    reference = segment_with_ffmpeg(stream.path, folder / "paced-ffmpeg", "fmp4", paced=True, seconds=PACED_S)
    return [
        Row(
            name="after the encoder, full speed",
            value=median(ours),
            runs=tuple(ours),
            reference="ffmpeg -c copy -f hls, MPEG-TS, no hash, sync or signature",
            reference_value=median(mpegts),
            unit=UNIT,
            target=TARGET_MS,
        ),
        Row(
            name="after the encoder, full speed",
            value=median(ours),
            runs=tuple(ours),
            reference="the same with fMP4 segments",
            reference_value=median(fmp4),
            unit=UNIT,
            target=TARGET_MS,
        ),
        Row(
            name="after the encoder, real speed",
            value=paced,
            reference="ffmpeg -re, fMP4 segments",
            reference_value=reference.cpu_s * 1000 / PACED_S,
            note="a thread woken for each picture",
            unit=UNIT,
            target=TARGET_MS,
        ),
    ]


def _full_speed(folder: Path, stream: Stream) -> float:
    clock = virtual_clock()
    rig = open_rig(folder, stream.picture, clock=clock)
    began = time.process_time()
    feed(rig, clock, stream.units, stream.picture.fps, len(stream.units))
    rig.close()
    return (time.process_time() - began) * 1000 / stream.seconds


def _ffmpeg(folder: Path, stream: Stream, kind: str) -> float:
    return segment_with_ffmpeg(stream.path, folder, kind).cpu_s * 1000 / stream.seconds


def _paced(folder: Path, stream: Stream) -> float:
    clock = SystemClock()
    rig = open_rig(folder, stream.picture, clock=clock)
    stop = threading.Event()
    began = time.process_time()
    with ThreadPoolExecutor(1) as storage:
        work = storage.submit(rig.pipeline.run, stop)
        deliver(rig, stream, clock, PACED_S)
        stop.set()
    work.result()
    rig.close()
    return (time.process_time() - began) * 1000 / PACED_S


def deliver(rig: Rig, stream: Stream, clock: SystemClock, seconds: float) -> int:
    """Put the stream into the bridges at real speed, as encoders would; the number of pictures of one camera."""
    pause = threading.Event()
    begin_ns = clock.boot_ns()
    pictures = int(seconds * stream.picture.fps)
    for number in range(pictures):
        due_ns = begin_ns + number * 1_000_000_000 // stream.picture.fps
        pause.wait(max(0, due_ns - clock.boot_ns()) / 1e9)
        unit = stream.units[number % len(stream.units)]
        rig.put(AccessUnit(unit.data, due_ns, unit.keyframe, Mode.TEST))
    return pictures
