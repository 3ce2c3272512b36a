"""Both verifiers say the same of clips that were bent at random, and neither lets a bent one pass for another."""

import hashlib
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from audit.verify import verify
from cmaf.clip import carry, proof_box
from evidence.certificate import Trust
from evidence.clip import Proof, peek_line, write_proof
from evidence.lines import Segment, Start
from tests.contract.clipcuts import cut_out
from tests.contract.mutations import mutate
from tests.contract.test_vectors import FOLDER, NAMES
from tests.contract.test_vectors_js import VERIFIER, node
from tests.contract.test_verifiers_agree import essence
from tests.vectors.media import list_boxes

CLIPS = ("clip", "clip-with-a-gap", "clip-receipted", "clip-recovered", "clip-without-beginning")


def in_python(clips: Sequence[Path]) -> list[Any]:
    """The answers of the first verifier."""
    trust = [Trust.from_pem((clip.parent / "root.pem").read_bytes()) for clip in clips]
    answers = [verify([clip], trust=each) for clip, each in zip(clips, trust, strict=True)]
    return [json.loads(json.dumps(answer)) for answer in answers]


def in_javascript(clips: Sequence[Path]) -> list[Any]:
    """The answers of the second verifier, all from one process."""
    cases = [{"folder": str(clip.parent), "paths": [clip.name], "trust": ["root.pem"], "crl": []} for clip in clips]
    done = node(str(VERIFIER / "many.mjs"), said="".join(json.dumps(case) + "\n" for case in cases))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def units(data: bytes) -> list[bytes]:
    """The top-level boxes of a clip."""
    return [data[box.offset : box.offset + box.size] for box in list_boxes(data)]


def bent(data: bytes, chance: random.Random) -> tuple[str, bytes]:
    """One change to a clip's bytes or boxes."""
    at = chance.randrange(len(data))
    boxes = units(data)
    place, other = sorted(chance.sample(range(len(boxes)), 2))
    match chance.randrange(6):
        case 0 | 1:
            return f"bit in byte {at}", data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :]
        case 2:
            return f"cut at {at}", data[:at]
        case 3:
            return f"lost its first {at} bytes", data[at:]
        case 4:
            return f"box {place} removed", b"".join(boxes[:place] + boxes[place + 1 :])
        case _:
            boxes[place], boxes[other] = boxes[other], boxes[place]
            return f"boxes {place} and {other} exchanged", b"".join(boxes)


@pytest.mark.parametrize("name", CLIPS)
def test_both_verifiers_say_the_same_of_a_bent_clip(name: str, tmp_path: Path) -> None:
    data = (FOLDER / name / "clip.mp4").read_bytes()
    root = (FOLDER / name / "root.pem").read_bytes()
    told: list[str] = []
    clips: list[Path] = []
    for seed in range(60):
        how, changed = bent(data, random.Random(f"{name} {seed}"))
        if b"\x9d\xa9\xa5\x62" not in changed[:65_536]:
            continue  # no clip any more
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "root.pem").write_bytes(root)
        (folder / "clip.mp4").write_bytes(changed)
        told.append(how)
        clips.append(folder / "clip.mp4")
    differing = [
        f"{how}\n  Python:     {essence(one)}\n  JavaScript: {essence(two)}"
        for how, one, two in zip(told, in_python(clips), in_javascript(clips), strict=True)
        if essence(one) != essence(two)
    ]
    assert not differing, "\n".join(differing)


def test_both_verifiers_say_the_same_of_clips_cut_out_of_every_vector(tmp_path: Path) -> None:
    """Of the record as it is, or as an attacker or a unit that lies has changed it; then cut, and bent once more."""
    told: list[str] = []
    clips: list[Path] = []
    for name in NAMES:
        chance = random.Random(f"{name} cut")
        case = FOLDER / name
        files = {str(path.relative_to(case)): path.read_bytes() for path in case.rglob("*") if path.is_file()}
        how: tuple[str, ...] = ()
        if chance.random() < 0.6:
            mutant = mutate(case, 7)
            files, how = mutant.files, mutant.told
        data = cut_out(files, chance)
        if data is None or not (case / "root.pem").exists():
            continue
        clip = tmp_path / name / "clip.mp4"
        clip.parent.mkdir()
        clip.write_bytes(data)
        (clip.parent / "root.pem").write_bytes((case / "root.pem").read_bytes())
        told.append(f"{name}, {'; '.join(how)}")
        clips.append(clip)
    assert len(clips) > 150
    differing = [
        f"{how}\n  Python:     {essence(one)}\n  JavaScript: {essence(two)}"
        for how, one, two in zip(told, in_python(clips), in_javascript(clips), strict=True)
        if essence(one) != essence(two)
    ]
    assert not differing, "\n".join(differing)


def test_no_single_bit_of_a_clip_can_be_changed_but_those_that_only_advise_a_player(tmp_path: Path) -> None:
    """What says how long a clip lasts, and the count of fragments, is no evidence, and no picture depends on it."""
    data = (FOLDER / "clip" / "clip.mp4").read_bytes()
    boxes = list_boxes(data)
    moovs = [box for box in boxes if box.kind == "moov"]
    free = set(range(moovs[0].offset + moovs[0].size - 40, moovs[0].offset + moovs[0].size - 32))
    for box in boxes:
        if box.kind == "moof":
            free |= set(range(box.offset + 20, box.offset + 24))
    clips = []
    for at in range(3, len(data), 131):
        if at in free:
            continue
        folder = tmp_path / str(at)
        folder.mkdir()
        (folder / "root.pem").write_bytes((FOLDER / "clip" / "root.pem").read_bytes())
        (folder / "clip.mp4").write_bytes(data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :])
        clips.append(folder / "clip.mp4")
    for answers in (in_python(clips), in_javascript(clips)):
        passed = [
            clip.parent.name for clip, answer in zip(clips, answers, strict=True) if answer["verdict"] == "verified"
        ]
        assert passed == []


def test_a_clip_says_what_it_is_a_part_of_and_how_much_of_it_the_archive_has_acknowledged() -> None:
    clip = FOLDER / "clip-receipted" / "clip.mp4"
    for (answer,) in (in_python([clip]), in_javascript([clip])):
        (record,) = answer["records"]
        assert (record["station"], record["unit"], record["closed"]) == ("57-002", "u-0001", False)
        said = record["clip"]
        assert (said["camera"], said["first_seq"], said["last_seq"]) == ("cam1", 6, 9)
        assert (said["segments"], said["receipted"]) == (3, 2)
        least, most = said["from"]["utc_us"]
        assert least <= 1_812_254_403_000_000 <= most
        assert said["to"]["boot_ns"] - said["from"]["boot_ns"] == 6_000_000_000


def test_a_film_of_two_runs_is_never_genuine_and_claims_no_time_of_the_wrong_boot(tmp_path: Path) -> None:
    """Segments from before and after a power cut in one file: each is signed, and the film as a whole is nobody's."""
    case = FOLDER / "power-cut"
    lines = [(text, peek_line(text)) for text in (case / "ledger.jws").read_bytes().split(b"\n") if text]
    media = {hashlib.sha256(data).hexdigest(): data for data in (path.read_bytes() for path in case.rglob("*.m4s"))}
    texts: list[bytes] = []
    pieces: list[bytes] = []
    for text, line in lines:
        texts.append(text)
        if line is None or not isinstance(line.body, Segment) or line.body.camera != "cam1":
            continue
        data = media[line.body.sha256]
        boxes = carry(data, base_ticks=0, sequence=line.body.index + 1).head
        pieces += [proof_box(write_proof(Proof(lines=tuple(texts)))), boxes, data]
        texts = []
    (tmp_path / "clip.mp4").write_bytes(b"".join(pieces))
    (tmp_path / "root.pem").write_bytes((case / "root.pem").read_bytes())
    for (answer,) in (in_python([tmp_path / "clip.mp4"]), in_javascript([tmp_path / "clip.mp4"])):
        (record,) = answer["records"]
        assert answer["verdict"] == "findings"
        assert [each["code"] for each in record["findings"]] == ["part-only", "clip-unsigned"]
        first = next(line.body for _, line in lines if line is not None and isinstance(line.body, Start))
        for end in ("from", "to"):
            assert record["clip"][end]["boot_id"] == first.boot_id
        assert record["clip"]["to"]["boot_ns"] > record["clip"]["from"]["boot_ns"]


def test_a_clip_beside_its_record_is_a_record_of_its_own(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "one-camera", tmp_path, dirs_exist_ok=True)
    (tmp_path / "clip.mp4").write_bytes((FOLDER / "clip" / "clip.mp4").read_bytes())
    (tmp_path / "root.pem").write_bytes((FOLDER / "clip" / "root.pem").read_bytes())
    trust = Trust.from_pem((tmp_path / "root.pem").read_bytes())
    python = json.loads(json.dumps(verify([tmp_path], trust=trust)))
    case = {"folder": str(tmp_path), "paths": ["."], "trust": ["root.pem"], "crl": []}
    done = node(str(VERIFIER / "many.mjs"), said=json.dumps(case) + "\n")
    for answer in (python, json.loads(done.stdout)):
        assert answer["verdict"] == "verified"
        assert [record.get("clip") is None for record in answer["records"]] == [True, False]
        assert "stations" not in answer
