"""What a reader is told of a clip in words, and that no clip costs more memory than a segment and its lines."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from audit.report.page import render_report
from audit.summary import summarise
from audit.verify import verify
from cmaf.clip import PROOF_AT, carried_base, carry, clip_head, proof_box, proof_size, read_duration_ms
from cmaf.errors import MediaError
from cmaf.read import read_identity, read_segment
from cmaf.track import Track
from evidence.certificate import Trust
from evidence.clip import MAX_TEXTS, Proof, read_proof, write_proof
from evidence.identity import read_identity as read_claims
from tests.unit.test_cmaf_hostile import SEGMENT

CASES = Path(__file__).parents[1] / "vectors" / "cases"


def answer_of(path: Path, root: Path | None = None) -> Any:
    trust = Trust() if root is None else Trust.from_pem(root.read_bytes())
    return json.loads(json.dumps(verify([path], trust=trust)))


def told(name: str, *, trusted: bool = True) -> str:
    folder = CASES / name
    return summarise(answer_of(folder / "clip.mp4", folder / "root.pem" if trusted else None))


def test_a_genuine_clip_names_station_camera_time_and_what_it_is_a_part_of() -> None:
    text = told("clip-receipted")
    assert text.startswith("Verified: this clip is genuine")
    assert "Station 57-002, unit u-0001, election sample-2027" in text
    assert "a clip of cam1, 2027-06-06 04:00:03 UTC to 2027-06-06 04:00:09 UTC" in text
    assert "a part of a longer record: lines before 6 and after 9 are not here" in text
    assert "receipts of the archive name 2 of them" in text


def test_a_test_recording_says_so_in_capitals() -> None:
    assert "TEST: this is a test recording, not video of an election." in told("clip-of-a-test")
    assert "TEST" not in told("clip")


def test_a_gap_inside_is_told_with_its_cause() -> None:
    assert "3.0 s  overload" in told("clip-with-a-gap")


@pytest.mark.parametrize("name", ["clip-segment-removed", "clip-media-removed"])
def test_a_clip_out_of_which_something_was_cut_is_called_cut_and_genuine(name: str) -> None:
    assert told(name).startswith("Cut: what is here is genuine")


@pytest.mark.parametrize("name", ["clip-segment-changed", "clip-reordered", "clip-shifted", "clip-line-changed"])
def test_a_clip_that_was_altered_is_not_called_genuine(name: str) -> None:
    text = told(name)
    assert text.startswith("Findings:")
    assert "genuine" not in text


def test_without_a_root_nothing_is_called_genuine() -> None:
    for name in ("clip", "clip-segment-removed"):
        assert "genuine" not in told(name, trusted=False)


def test_a_film_of_somebody_else_is_unknown_and_names_no_station() -> None:
    text = told("film-made-anew")
    assert text.startswith("Cannot tell")
    assert "A record of nobody" in text
    assert "not made by this system" in text


def test_the_report_shows_a_clip() -> None:
    page = render_report(answer_of(CASES / "clip" / "clip.mp4", CASES / "clip" / "root.pem"))
    assert "57-002" in page
    assert "part of a longer record" in page


def test_a_clip_of_a_gigabyte_of_nothing_is_read_with_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes((CASES / "clip" / "clip.mp4").read_bytes())
    with path.open("r+b") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    answer = answer_of(path, CASES / "clip" / "root.pem")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {each["code"] for each in answer["records"][0]["findings"]} == {"clip-unsigned", "part-only"}
    assert peak < 16 << 20


def test_the_boxes_in_front_of_a_segment_follow_from_it_and_lead_back_to_its_time() -> None:
    at = read_segment(SEGMENT).decode_time
    for base in (0, at):
        carried = carry(SEGMENT, base_ticks=base, sequence=7)
        assert carried_base(carried.head, SEGMENT) == base
        assert carried.to_ticks == at - base + read_segment(SEGMENT).duration
        for place in range(0, len(carried.head), 3):
            bent = bytearray(carried.head)
            bent[place] ^= 1
            free = 20 <= place < 24 or 60 <= place < 68
            assert free or carried_base(bytes(bent), SEGMENT) is None, place
    with pytest.raises(MediaError):
        carry(SEGMENT, base_ticks=at + 1, sequence=1)
    assert carried_base(b"", SEGMENT) is None
    assert carried_base(carry(SEGMENT, base_ticks=0, sequence=1).head, SEGMENT[:-1]) is None


def test_the_beginning_of_a_clip_says_how_long_it_is() -> None:
    claim = read_claims(read_identity((CASES / "one-camera").rglob("*.m4s").__next__().read_bytes()))
    track = Track(width=claim.width, height=claim.height, timescale=claim.timescale, avcc=claim.avcc)
    assert read_duration_ms(clip_head(track, 7_200_000)) == 7_200_000


def test_a_proof_box_is_as_long_as_it_says_and_no_longer_than_it_may() -> None:
    box = proof_box(b"x\n")
    assert proof_size(box) == len(box) == PROOF_AT + 2
    assert proof_size(box[: PROOF_AT - 1]) is None
    assert proof_size(b"\x7f" + box[1:]) is None
    with pytest.raises(MediaError):
        proof_box(bytes(1 << 20))


def test_a_proof_is_read_as_it_was_written_and_no_further_than_it_may() -> None:
    lines = (b"one", b"two")
    assert read_proof(write_proof(Proof(lines=lines))) == Proof(lines=lines)
    assert len(read_proof(b"x\n" * (MAX_TEXTS + 100)).lines) == MAX_TEXTS
    assert read_proof(b"") == Proof(lines=())


def test_the_pictures_of_a_clip_are_decoded_on_request() -> None:
    folder = CASES / "clip"
    trust = Trust.from_pem((folder / "root.pem").read_bytes())
    answer: Any = verify([folder / "clip.mp4"], trust=trust, decode=True)
    assert {each["code"] for each in answer["records"][0]["findings"]} == {"part-only"}
