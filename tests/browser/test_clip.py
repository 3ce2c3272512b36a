"""A clip of real footage as people play it: by its address alone, whole and cut at segment borders."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from appliance.capture.mask import Mask
from audit.verify import verify
from cmaf.clip import carry, clip_head, proof_box
from cmaf.fragment import ticks
from cmaf.read import read_init
from evidence.certificate import Trust
from evidence.clip import Proof, peek_line, write_proof
from evidence.lines import Run, Segment, Start
from tests.browser.site import Site
from tests.fakes.footage import BIKES_PICTURE, Recording, record

pytestmark = pytest.mark.browser

PICTURES = 260
MASK = Mask.parse([[[0, 0], [2000, 0], [2000, 2000]]])


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("unit") / "unit", PICTURES, mask=MASK)


@pytest.fixture(scope="module")
def parts(recording: Recording) -> list[bytes]:
    """The beginning of the file, and each segment with its proof."""
    texts = recording.rig.layout.ledger.read_bytes().splitlines()
    lines = [(text, line) for text in texts if (line := peek_line(text)) is not None]
    who = tuple(text for text, line in lines if isinstance(line.body, Start | Run))
    segments = recording.segments
    first = segments[0]
    track = read_init(recording.init.read_bytes())
    found = [clip_head(track, (segments[-1].to_ns - first.from_ns) // 1_000_000)]
    before = 0
    for text, line in lines:
        if isinstance(line.body, Segment):
            data = recording.path(line.body).read_bytes()
            between = [each for each, other in lines if before < other.seq <= line.seq] if before else [text]
            proof = proof_box(write_proof(Proof(lines=(*who, *between))))
            boxes = carry(data, base_ticks=ticks(first.from_ns), sequence=line.body.index + 1).head
            found.append(proof + boxes + data)
            before = line.seq
    return found


def play(page: Page, site: Site, data: bytes, start: float = 0) -> Any:
    """What the page says after playing from ``start`` to the end."""
    shutil.copy(Path(__file__).with_name("film.html"), site.folder)
    (site.folder / "film.mp4").write_bytes(data)
    page.goto(f"{site.origin}/film.html")
    return page.evaluate("([file, from]) => playFilm(file, from)", ["film.mp4", start])


def length_s(recording: Recording, first: int = 0) -> float:
    return (recording.segments[-1].to_ns - recording.segments[first].from_ns) / 1e9


def test_a_clip_begins_at_zero_plays_to_its_end_and_shows_its_length(
    page: Page, site: Site, recording: Recording, parts: list[bytes]
) -> None:
    played = play(page, site, b"".join(parts))
    assert played["first"] == pytest.approx(0, abs=0.05)
    assert played["duration"] == pytest.approx(length_s(recording), abs=0.1)
    assert played["time"] == pytest.approx(length_s(recording), abs=0.1)
    assert played["decoded"] >= PICTURES / 2
    assert (played["width"], played["height"]) == (BIKES_PICTURE.width, BIKES_PICTURE.height)


def test_a_viewer_can_seek_in_a_clip(page: Page, site: Site, recording: Recording, parts: list[bytes]) -> None:
    played = play(page, site, b"".join(parts), start=length_s(recording) - 3)
    assert played["time"] == pytest.approx(length_s(recording), abs=0.1)
    assert played["decoded"] > 0


def test_a_clip_that_was_cut_at_segment_borders_still_plays(
    page: Page, site: Site, recording: Recording, parts: list[bytes]
) -> None:
    played = play(page, site, parts[0] + b"".join(parts[2:-1]))
    assert played["time"] == pytest.approx(
        (recording.segments[-2].to_ns - recording.segments[0].from_ns) / 1e9, abs=0.1
    )
    assert played["decoded"] > 0


def test_every_picture_of_a_clip_decodes_and_all_of_it_verifies(parts: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"".join(parts))
    command = ["ffmpeg", "-v", "warning", "-xerror", "-err_detect", "explode", "-i", str(path), "-f", "framecrc", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len([line for line in done.stdout.splitlines() if not line.startswith("#")]) == PICTURES
    answer: Any = verify([path], trust=Trust())
    codes = {finding["code"] for finding in answer["records"][0]["findings"]}
    assert codes == {"part-only", "no-trust"}
