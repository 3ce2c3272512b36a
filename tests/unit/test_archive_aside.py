"""Evidence that lies aside: each line once, bounded, durable before anybody is told, and found again."""

import hashlib
import random
from pathlib import Path

import pytest

from archive.finding import FindingCode, Oddity
from archive.names import UnitName
from archive.store.aside import Aside, AsideFiles, Note
from base.durable import Disk
from evidence.codes import Code
from tests.fakes.faultydisk import Failure, FaultyDisk

UNIT = UnitName(station="57-002", unit="u1")
OTHER = UnitName(station="57-002", unit="u2")
NOTE = Note(subject="signature-wrong:4", seq=4, reason="a line's signature does not check", by="a" * 64, utc_us=7)


def aside(*texts: bytes) -> Aside:
    return Aside(texts=texts, note=NOTE)


def digest(*texts: bytes) -> str:
    return hashlib.sha256(b"".join(text + b"\n" for text in texts)).hexdigest()


def lines_of(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.rglob("*.lines"))


def test_lines_lie_there_as_they_came_with_a_note_of_why(tmp_path: Path) -> None:
    files = AsideFiles(Disk(), tmp_path)
    assert files.keep(UNIT, Code.SIGNATURE_WRONG, aside(b"one", b"two")) == digest(b"one", b"two")
    (kept,) = AsideFiles(Disk(), tmp_path).kept()
    assert (kept.name, kept.code, kept.digest, kept.note) == (UNIT, Code.SIGNATURE_WRONG, digest(b"one", b"two"), NOTE)
    assert (tmp_path / "57-002" / "u1" / f"{kept.digest}.lines").read_bytes() == b"one\ntwo\n"


def test_what_comes_again_and_again_fills_nothing(tmp_path: Path) -> None:
    files = AsideFiles(Disk(), tmp_path)
    first = files.keep(UNIT, Code.CERT_REVOKED, aside(b"one", b"two"))
    for again in (files, AsideFiles(Disk(), tmp_path)):
        assert again.keep(UNIT, Code.CERT_REVOKED, aside(b"one", b"two")) == first
        assert again.keep(UNIT, Code.CERT_REVOKED, aside(b"one")) == first
        assert again.keep(UNIT, Code.CERT_REVOKED, aside(b"one", b"two", b"three", b"three")) == first
    assert lines_of(tmp_path) == [b"one\ntwo\n", b"three\n"]
    assert files.keep(OTHER, Code.CERT_REVOKED, aside(b"one")) == digest(b"one"), "each unit's own"


def test_no_lines_lie_there_without_a_note(tmp_path: Path) -> None:
    files = AsideFiles(Disk(), tmp_path)
    first = files.keep(UNIT, Code.CERT_REVOKED, aside(b"one"))
    assert files.keep(UNIT, Code.CERT_REVOKED, aside(b"one", b"two", b"three")) == first
    assert {kept.digest for kept in files.kept()} == {first, digest(b"two", b"three")}


def test_notes_of_one_line_are_bounded_as_lines_are(tmp_path: Path) -> None:
    files = AsideFiles(Disk(), tmp_path, most_bytes=700)
    codes = [Code.CERT_REVOKED, Code.KEY_UNKNOWN, Code.KEY_STALE, Code.LINE_MISSING, Code.PREV_MISMATCH]
    told = [files.keep(UNIT, code, aside(b"one")) for code in codes]
    assert told[0] == digest(b"one")
    assert told[-1] is None
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 700


def test_one_line_can_be_evidence_of_several_things(tmp_path: Path) -> None:
    files = AsideFiles(Disk(), tmp_path)
    codes: set[FindingCode] = {Code.CERT_REVOKED, Oddity.WRONG_UNIT}
    assert {files.keep(UNIT, code, aside(b"one")) for code in codes} == {digest(b"one")}
    assert {each.code for each in files.kept()} == codes
    assert lines_of(tmp_path) == [b"one\n"]


def test_nobody_can_fill_the_disk_with_evidence(tmp_path: Path) -> None:
    files = AsideFiles(Disk(), tmp_path / "few", most_lines=3)
    assert files.keep(UNIT, Code.KEY_UNKNOWN, aside(b"1", b"2")) is not None
    assert files.keep(UNIT, Code.KEY_UNKNOWN, aside(b"3", b"4")) is None
    assert files.keep(UNIT, Code.KEY_UNKNOWN, aside(b"3")) is not None
    assert files.keep(UNIT, Code.KEY_UNKNOWN, aside(b"1")) is not None, "what lies there needs no room"
    assert files.keep(OTHER, Code.KEY_UNKNOWN, aside(b"4")) is not None
    small = AsideFiles(Disk(), tmp_path / "small", most_bytes=400)
    assert small.keep(UNIT, Code.KEY_UNKNOWN, aside(b"x" * 60)) is not None
    assert small.keep(OTHER, Code.KEY_UNKNOWN, aside(b"y" * 60)) is None
    after = AsideFiles(Disk(), tmp_path / "small", most_bytes=400)
    assert after.keep(OTHER, Code.KEY_UNKNOWN, aside(b"y" * 60)) is None, "another process counts what lies there"


def test_what_is_damaged_is_told_and_replaced_when_it_comes_again(tmp_path: Path) -> None:
    files = AsideFiles(Disk(), tmp_path)
    name = files.keep(UNIT, Code.KEY_UNKNOWN, aside(b"one"))
    path = tmp_path / "57-002" / "u1" / f"{name}.lines"
    path.write_bytes(b"other\n")
    (path.parent / f"{name}.key-stale.json").write_text("{")
    files = AsideFiles(Disk(), tmp_path)
    assert list(files.damaged()) == [path]
    assert [kept.code for kept in files.kept()] == [Code.KEY_UNKNOWN], "the note that cannot be read is passed over"
    assert files.keep(UNIT, Code.KEY_UNKNOWN, aside(b"one")) == name
    assert list(files.damaged()) == []


@pytest.mark.parametrize("failure", Failure)
def test_a_digest_that_was_told_outlives_a_power_cut_at_every_step(tmp_path: Path, failure: Failure) -> None:
    step = 0
    while True:
        folder = tmp_path / str(step)
        folder.mkdir()
        disk = FaultyDisk(folder, fail_at=step, failure=failure)
        told: str | None = None
        try:
            told = AsideFiles(disk, folder / "aside").keep(UNIT, Code.KEY_UNKNOWN, aside(b"one", b"two"))
        except OSError:
            assert disk.failed
        disk.lose_unsynced(random.Random(step))
        files = AsideFiles(disk.restarted(), folder / "aside")
        if told is not None:
            assert [kept.digest for kept in files.kept()] == [told]
        assert files.keep(UNIT, Code.KEY_UNKNOWN, aside(b"one", b"two")) == digest(b"one", b"two")
        assert [kept.digest for kept in files.kept()] == [digest(b"one", b"two")]
        if not disk.failed:
            break
        step += 1
    assert step > 6
