"""Bytes written for each byte of video."""

from pathlib import Path

from bench.peer import segment_with_ffmpeg, size_of
from bench.row import Row
from bench.stream import full_stream
from tests.fakes.rig import feed, open_rig, virtual_clock

TARGET = 1.01


def measure(folder: Path) -> list[Row]:
    """A minute of 1080p25 at 4 Mbit/s; the kernel's own counters of this process."""
    stream = full_stream()
    clock = virtual_clock()
    rig = open_rig(folder / "unit", stream.picture, clock=clock)
    before = _counters()
    feed(rig, clock, stream.units, stream.picture.fps, len(stream.units))
    rig.close()
    after = _counters()
    video = stream.size_bytes
    record = size_of(rig.layout.media) + rig.layout.ledger.stat().st_size
    segment_with_ffmpeg(stream.path, folder / "ffmpeg", "fmp4")
    peer = size_of(folder / "ffmpeg") / video
    return [
        Row(
            name="bytes written to files, per byte of video",
            value=(after["wchar"] - before["wchar"]) / video,
            unit="",
            digits=5,
            target=TARGET,
            reference="size of ffmpeg's fMP4 segments",
            reference_value=peer,
            note=f"the record itself {record / video:.4f}; the rest is head and status in /run",
        ),
        Row(
            name="bytes sent to the device, per byte of video",
            value=(after["write_bytes"] - before["write_bytes"]) / video,
            unit="",
            digits=5,
            note="write_bytes of /proc/self/io: whole pages, without the file system's journal",
        ),
    ]


def _counters() -> dict[str, int]:
    lines = Path("/proc/self/io").read_text().splitlines()
    return {name: int(value) for name, value in (line.split(": ") for line in lines)}
