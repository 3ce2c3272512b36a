"""Real camera footage, recorded with a mask: it plays, it is masked, and the ledger says exactly what is there."""

import hashlib
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from appliance.capture.mask import Mask
from cmaf.fragment import ticks
from cmaf.read import read_identity as read_identity_box
from cmaf.read import read_init, read_segment
from evidence import jws
from evidence.identity import read_identity
from evidence.keys import PublicKey
from evidence.lines import Close, Gap, Start, genesis, line_hash
from evidence.words import Mode
from tests.fakes.footage import BIKES_PICTURE, REPOSITORY, Recording, record

PICTURES = 230
"""Nine seconds and a bit: the last group of pictures is not whole."""
MASK = Mask.parse([[[5000, 3000], [8000, 3000], [8000, 7000], [5000, 7000]]])
ZONE = (slice(82, 190), slice(320, 512))
"""Rows and columns of the picture that the mask covers."""
BESIDE = (slice(82, 190), slice(80, 272))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("footage") / "unit", PICTURES, mask=MASK)


@pytest.fixture(scope="module")
def whole(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("played") / "whole.mp4"
    pieces = [recording.init, *(recording.path(segment) for segment in recording.segments)]
    path.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    return path


def test_ffmpeg_decodes_the_record_without_a_word(whole: Path) -> None:
    command = ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", str(whole), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_ffprobe_counts_every_picture_in_high_profile(whole: Path, recording: Recording) -> None:
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(whole)]
    (stream,) = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["streams"]
    assert int(stream["nb_read_frames"]) == PICTURES == sum(segment.frames for segment in recording.segments)
    assert (stream["profile"], stream["has_b_frames"]) == ("High", 0)
    assert (stream["width"], stream["height"]) == (BIKES_PICTURE.width, BIKES_PICTURE.height)


def test_timestamps_run_on_from_segment_to_segment(whole: Path, recording: Recording) -> None:
    with av.open(str(whole)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert packets[0].pts == ticks(recording.segments[0].from_ns)
    for before, after in pairwise(packets):
        assert before.pts is not None
        assert before.duration is not None
        assert after.pts == before.pts + before.duration
    assert packets[-1].pts is not None
    assert packets[-1].duration is not None
    assert packets[-1].pts + packets[-1].duration == ticks(recording.segments[-1].to_ns)


def test_every_picture_is_black_under_the_mask_and_only_there(whole: Path) -> None:
    with av.open(str(whole)) as container:
        for frame in container.decode(video=0):
            planes = frame.to_ndarray(format="yuv420p")
            luma = planes[: BIKES_PICTURE.height]
            assert int(luma[ZONE].max()) <= 20
            assert float(luma[BESIDE].mean()) > 50
            chroma = np.frombuffer(planes[BIKES_PICTURE.height :].tobytes(), dtype=np.uint8)
            u = chroma[: chroma.size // 2].reshape(BIKES_PICTURE.height // 2, BIKES_PICTURE.width // 2)
            zone = u[41:95, 160:256]
            assert int(zone.min()) >= 124
            assert int(zone.max()) <= 132


def test_segments_and_gaps_cover_every_instant(recording: Recording) -> None:
    pieces = [line.body for line in recording.lines if isinstance(line.body, Gap) or line.body in recording.segments]
    close = recording.lines[-1].body
    assert isinstance(close, Close)
    ends = [(piece.from_ns, piece.to_ns) for piece in pieces]
    assert all(before[1] == after[0] for before, after in pairwise(ends))
    assert ends[0][0] == recording.lines[0].stamp.boot_ns
    assert ends[-1][1] == close.to_ns
    assert len(recording.segments) == 5
    assert all(segment.dropped_frames == 0 and segment.mode is Mode.TEST for segment in recording.segments)


def test_each_file_has_the_digest_identity_and_pictures_of_its_line(recording: Recording) -> None:
    run = recording.run
    assert hashlib.sha256(recording.init.read_bytes()).hexdigest() == run.init_sha256
    assert run.mask_sha256 == MASK.sha256
    track = read_init(recording.init.read_bytes())
    for index, segment in enumerate(recording.segments):
        data = recording.path(segment).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (segment.sha256, segment.size)
        layout = read_segment(data)
        assert (layout.samples, layout.decode_time) == (segment.frames, ticks(segment.from_ns))
        assert layout.decode_time + layout.duration == ticks(segment.to_ns)
        identity = read_identity(read_identity_box(data))
        assert (identity.camera, identity.run, identity.index) == (segment.camera, segment.run, index)
        assert (identity.boot_ns, identity.mode) == (segment.from_ns, segment.mode)
        assert (identity.session, identity.avcc) == (recording.rig.session.name, track.avcc)


def test_every_line_is_chained_and_signed_by_the_key_that_may(recording: Recording) -> None:
    texts = recording.rig.layout.ledger.read_bytes().splitlines()
    start = recording.lines[0].body
    assert isinstance(start, Start)
    session = PublicKey(start.session)
    prev = genesis(start.election, start.station, start.unit)
    for number, (text, line) in enumerate(zip(texts, recording.lines, strict=True)):
        token = jws.unseal(text)
        assert (line.seq, line.prev) == (number, prev)
        if number:
            assert session.verifies(token.signed, token.signature)
        else:
            assert token.kid != session.kid
        prev = line_hash(text)


def test_unbroken_verify_finds_the_record_whole_and_genuine(recording: Recording) -> None:
    station = recording.rig.station
    command = [sys.executable, "-m", "unbroken", "verify", str(station.data), "--trust", str(station.root), "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "verified"
    (camera,) = answer["records"][0]["cameras"]
    assert (camera["segments"], camera["frames"]) == (len(recording.segments), PICTURES)
