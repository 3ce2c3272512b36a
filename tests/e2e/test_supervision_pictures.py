"""Small pictures: made of what is public, in a child process that nothing hostile gets the better of."""

import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).parents[1] / "vectors" / "cases"
SEGMENT = next((CASES / "one-camera" / "media").rglob("*.m4s"))


def _decode(data: bytes) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "archive.keyframe", "320"]
    return subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 1_000, SEGMENT.read_bytes()[:200], SEGMENT.read_bytes() * 2, b"\0\0\0\x08moov" * 50_000],
    ids=["empty", "zeros", "torn", "no-init", "many-boxes"],
)
def test_what_is_no_picture_gives_none_and_ends(data: bytes) -> None:
    done = _decode(data)
    assert done.returncode != 0
    assert done.stdout == b""


def test_a_small_picture_comes_out_of_a_large_one(tmp_path: Path) -> None:
    import av
    import numpy as np

    path = tmp_path / "x.mp4"
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((720, 1280, 3), 100, np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    done = _decode(path.read_bytes())
    assert done.returncode == 0, done.stderr
    (tmp_path / "x.jpeg").write_bytes(done.stdout)
    with av.open(tmp_path / "x.jpeg") as small:
        assert (small.streams.video[0].width, small.streams.video[0].height) == (320, 180)
