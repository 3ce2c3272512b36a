"""A replay list of real footage, recorded by the real recorder, as FFmpeg reads it over HTTP."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from appliance.capture.mask import Mask
from archive.index.rows import HeldSegment
from archive.names import UnitName
from archive.site.lists.hours import HOUR_US, UtcHour
from archive.site.lists.replay import Replay, replay
from evidence.lines import Run, Segment, Start
from evidence.utc import Utc
from tests.fakes.footage import BIKES_PICTURE, Recording, record

PICTURES = 260


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("unit") / "unit", PICTURES, mask=Mask.parse([]))


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def folder(tmp_path: Path, recording: Recording) -> Path:
    """The media by their digests."""
    files = {recording.run.init_sha256 + ".mp4": recording.init}
    files |= {f"{segment.sha256}.m4s": recording.path(segment) for segment in recording.segments}
    for name, path in files.items():
        to = tmp_path / "media" / name[:2] / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    return tmp_path


@pytest.fixture
def origin(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def listed(recording: Recording, public: set[int]) -> Replay:
    """The hour of the record, of which the segments with these indexes are public."""
    utc, rows, seqs = Utc(), list[HeldSegment](), set[tuple[int, int]]()
    (start,) = (line for line in recording.lines if isinstance(line.body, Start))
    (run,) = (line for line in recording.lines if isinstance(line.body, Run))
    assert isinstance(start.body, Start)
    for line in recording.lines:
        utc.observe(start.body.boot_id, line.stamp)
        if isinstance(line.body, Segment):
            seqs |= {(0, line.seq)} if line.body.index in public else set()
            rows.append(
                HeldSegment(
                    name=UnitName(station=start.body.station, unit=start.body.unit),
                    branch=0,
                    seq=line.seq,
                    session=start.body.kid,
                    boot_id=start.body.boot_id,
                    segment=line.body,
                    stored=line.body.index in public,
                    wanted=line.body.index not in public,
                    pruned=False,
                    stored_us=None,
                    arrival=None,
                    init_sha256=recording.run.init_sha256,
                    run_seq=run.seq,
                    start_seq=start.seq,
                )
            )
    known = utc.at(start.body.boot_id, rows[0].segment.from_ns)
    assert known is not None
    found = replay(rows, UtcHour(number=sum(known) // 2 // HOUR_US), way={0: 1 << 62}, utc=utc, public=seqs)
    assert found is not None
    return found


def pictures(url: str) -> list[float]:
    """When each decoded picture is shown."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=pts_time", "-of", "json", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert done.stderr == ""
    return [float(frame["pts_time"]) for frame in json.loads(done.stdout)["frames"]]


@pytest.mark.parametrize("missing", [set[int](), {2, 3}])
def test_ffmpeg_decodes_every_picture_that_is_listed_at_its_time(
    recording: Recording, folder: Path, origin: str, missing: set[int]
) -> None:
    public = [segment for segment in recording.segments if segment.index not in missing]
    found = listed(recording, {segment.index for segment in public})
    assert found.entries == len(public)
    assert found.whole == (not missing)
    (folder / "hour.m3u8").write_text(found.text)
    shown = pictures(f"{origin}/hour.m3u8")
    assert len(shown) == sum(segment.frames for segment in public)
    assert shown == sorted(shown)
    if not missing:
        begin, end = recording.segments[0].from_ns / 1e9, recording.segments[-1].to_ns / 1e9
        assert shown[-1] - shown[0] == pytest.approx(end - begin - 1 / BIKES_PICTURE.fps, abs=0.002)
