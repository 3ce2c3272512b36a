"""Hostile folders: what lies in a copy must not hang, crash or fool whoever verifies it."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.decode import decode_fault
from audit.verify import verify
from base.errors import OperatorError
from evidence.certificate import Trust
from tests.fakes.station import Station, authority
from unbroken.cli import main

AUTHORITY = authority()
TRUST = Trust.from_pem(AUTHORITY.root_pem)


def day(**made: Any) -> Station:
    station = Station(authority(), **made)
    station.begin()
    station.arm()
    station.segments(2)
    station.close()
    return station


def unit(folder: Path, **made: Any) -> tuple[Path, Path]:
    """A good record on disk, and its second segment."""
    day(**made).write(folder)
    (segment,) = folder.glob("media/*/*/*/000001.m4s")
    return folder, segment


def answer_of(*paths: Path, **more: Any) -> dict[str, Any]:
    return verify(paths, trust=TRUST, **more)


def codes(answer: dict[str, Any]) -> list[str]:
    return [finding["code"] for record in answer["records"] for finding in record["findings"]]


def test_an_init_segment_alone_is_not_a_verified_record(tmp_path: Path) -> None:
    folder, _ = unit(tmp_path)
    (folder / "ledger.jws").unlink()
    for file in folder.rglob("*.m4s"):
        file.unlink()
    with pytest.raises(OperatorError, match="No ledger and no segment"):
        answer_of(folder)


def test_a_folder_that_holds_nothing_does_not_pass_beside_a_good_one(tmp_path: Path) -> None:
    good, _ = unit(tmp_path / "good")
    (tmp_path / "emptied").mkdir()
    with pytest.raises(OperatorError, match="emptied"):
        answer_of(good, tmp_path / "emptied")


def test_a_unit_whose_ledger_was_taken_away_does_not_pass_beside_a_good_one(tmp_path: Path) -> None:
    good, _ = unit(tmp_path / "good")
    other, _ = unit(tmp_path / "other", station="57-003", seed="other")
    (other / "ledger.jws").unlink()
    answer = answer_of(good, other)
    assert answer["verdict"] == "cannot-tell"
    assert "unsigned-alone" in codes(answer)
    assert [record["station"] for record in answer["records"]][:2] == ["57-002", "57-003"]


def test_a_folder_of_rubbish_does_not_pass_beside_a_good_one(tmp_path: Path) -> None:
    good, _ = unit(tmp_path / "good")
    (tmp_path / "rubbish").mkdir()
    (tmp_path / "rubbish" / "film.mp4").write_bytes(b"rubbish")
    answer = answer_of(good, tmp_path / "rubbish")
    assert (answer["verdict"], "unsigned-alone" in codes(answer)) == ("cannot-tell", True)


def test_media_in_a_folder_of_their_own_are_verified_with_their_ledger(tmp_path: Path) -> None:
    folder, _ = unit(tmp_path / "unit")
    (tmp_path / "disk").mkdir()
    (folder / "media").rename(tmp_path / "disk" / "media")
    assert codes(answer_of(folder, tmp_path / "disk")) == []


def test_media_on_another_disk_behind_a_link_are_found(tmp_path: Path) -> None:
    folder, _ = unit(tmp_path / "unit")
    (folder / "media").rename(tmp_path / "disk")
    (folder / "media").symlink_to(tmp_path / "disk")
    assert codes(answer_of(folder)) == []
    assert codes(answer_of(folder / "ledger.jws", folder / "media")) == []


@pytest.mark.parametrize("make", [lambda path: path.symlink_to(path.name), os.mkfifo, Path.mkdir], ids=lambda make: "")
def test_what_is_no_file_in_the_place_of_a_segment_is_a_missing_segment(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    folder, segment = unit(tmp_path)
    segment.unlink()
    make(segment)
    assert codes(answer_of(folder)) == ["media-missing"]


def test_a_pipe_among_segments_without_a_ledger_is_named(tmp_path: Path) -> None:
    folder, segment = unit(tmp_path)
    (folder / "ledger.jws").unlink()
    segment.unlink()
    os.mkfifo(segment)
    assert set(codes(answer_of(folder))) == {"unsigned-alone", "media-malformed"}


def test_a_pipe_given_as_a_ledger_is_wrong_use_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ledger.jws")
    with pytest.raises(OperatorError, match="neither a ledger nor a segment"):
        answer_of(tmp_path / "ledger.jws")


def test_pipes_beside_a_good_record_change_nothing(tmp_path: Path) -> None:
    folder, _ = unit(tmp_path)
    for name in ("a.jws", "b.mp4", "c.pem"):
        os.mkfifo(folder / name)
    assert codes(answer_of(folder)) == []


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A good record in a folder that pytest could not clear away once it has become deep."""
    folder, _ = unit(tmp_path / "unit")
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_a_deep_folder_changes_nothing_and_one_too_deep_to_look_into_is_wrong_use(deep: Path) -> None:
    inner = os.open(deep, os.O_RDONLY)
    for _ in range(1200):
        inner = _down(inner, "d")
    assert codes(answer_of(deep)) == []
    for _ in range(20):
        inner = _down(inner, "d" * 200)
    os.close(inner)
    with pytest.raises(OperatorError, match="cannot be read: File name too long"):
        answer_of(deep)


def _down(directory: int, name: str) -> int:
    os.mkdir(name, dir_fd=directory)
    inner = os.open(name, os.O_RDONLY, dir_fd=directory)
    os.close(directory)
    return inner


@pytest.mark.parametrize("place", ["of-a-segment", "beside"])
def test_a_sparse_file_of_a_terabyte_is_not_read(tmp_path: Path, place: str) -> None:
    folder, segment = unit(tmp_path)
    target = segment if place == "of-a-segment" else folder / "film.mp4"
    with target.open("ab") as file:
        file.truncate(1 << 40)
    began = time.monotonic()
    assert codes(answer_of(folder)) == (["media-changed"] if place == "of-a-segment" else ["media-unnamed"])
    assert time.monotonic() - began < 20


def test_a_sparse_ledger_of_a_terabyte_is_passed_over(tmp_path: Path) -> None:
    folder, _ = unit(tmp_path)
    with (folder / "z.jws").open("wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 39)
        file.write(b"\nx\n")
    began = time.monotonic()
    assert "line-too-long" in codes(answer_of(folder))
    assert time.monotonic() - began < 20


def test_a_ledger_of_empty_lines_is_given_up(tmp_path: Path) -> None:
    folder, _ = unit(tmp_path)
    (folder / "z.jws").write_bytes(b"\n" * 20_000_000)
    began = time.monotonic()
    (_, rubbish) = answer_of(folder)["records"]
    assert rubbish["findings"][0]["count"] == 65_536
    assert time.monotonic() - began < 20


def test_hundreds_of_older_copies_of_a_ledger_cost_no_more_than_reading_them(tmp_path: Path) -> None:
    station = day()
    station.write(tmp_path)
    lines = station.ledger.splitlines(keepends=True)
    for number in range(300):
        (tmp_path / f"copy-{number}.jws").write_bytes(b"".join(lines[: 2 + number % (len(lines) - 1)]))
    began = time.monotonic()
    assert codes(answer_of(tmp_path)) == []
    assert time.monotonic() - began < 20


def test_a_profile_before_the_first_line_does_not_hide_a_ledger(tmp_path: Path) -> None:
    station = day()
    station.write(tmp_path)
    (tmp_path / "ledger.jws").write_bytes(station.profile().encode() + b"\n" + station.ledger)
    assert "header-refused" in codes(answer_of(tmp_path))


NAMES = (b"\xff\xfe.mp4", b"\x1b[2J\x1b[31m.mp4", b"Verified\nNo findings.\n.mp4", "a\u202eb\x9b31m.mp4".encode())


@pytest.mark.parametrize("name", NAMES)
def test_file_names_reach_neither_terminal_nor_page_raw(
    tmp_path: Path, name: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = unit(tmp_path / "unit")
    (folder / os.fsdecode(name)).write_bytes(b"rubbish")
    root, report = tmp_path / "root.pem", tmp_path / "report.html"
    root.write_bytes(AUTHORITY.root_pem)
    arguments = ["verify", str(folder), "--trust", str(root), "--report", str(report)]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    told = capsys.readouterr().out
    assert json.loads(told)["records"][0]["findings"][0]["code"] == "media-unnamed"
    page = report.read_text("utf-8")
    told.encode("ascii")
    for said in (text, page):
        said.encode("utf-8")
        assert not set(said) & set("\x1b\x9b\u202e\r")
    assert sum(line.startswith(("Verified", "No findings")) for line in text.splitlines()) == 1


def test_a_name_in_a_page_is_no_markup(tmp_path: Path) -> None:
    folder, _ = unit(tmp_path / "unit")
    (folder / "<script>alert(1)<.mp4").write_bytes(b"rubbish")
    report = tmp_path / "report.html"
    main(["verify", str(folder), "--report", str(report)])
    page = report.read_text("utf-8")
    assert "alert(1)" in page
    assert "<script" not in page


def test_one_bad_record_among_good_ones_decides_the_exit_code(tmp_path: Path) -> None:
    good, _ = unit(tmp_path / "good")
    bad, segment = unit(tmp_path / "bad", station="57-003", seed="other")
    segment.write_bytes(b"x" + segment.read_bytes()[1:])
    root = tmp_path / "root.pem"
    root.write_bytes(AUTHORITY.root_pem)
    trust = ["--trust", str(root)]
    assert main(["verify", str(good), *trust]) == 0
    assert main(["verify", str(good), str(bad), *trust]) == 1
    assert main(["verify", str(bad), str(good), *trust]) == 1
    assert main(["verify", str(good), str(tmp_path / "gone"), *trust]) == 2


def test_several_processes_say_of_hostile_files_what_one_says(tmp_path: Path) -> None:
    station = Station(authority())
    station.begin()
    station.arm()
    station.segments(40)
    station.close()
    station.write(tmp_path)
    files = sorted(tmp_path.glob("media/*/*/*/*.m4s"))
    files[3].unlink()
    os.mkfifo(files[3])
    files[4].unlink()
    files[4].symlink_to(files[4].name)
    files[5].write_bytes(files[6].read_bytes())
    os.truncate(files[7], 1 << 40)
    for number in range(20):
        (tmp_path / f"{number}.mp4").write_bytes(files[number + 10].read_bytes())
    assert answer_of(tmp_path, jobs=2) == answer_of(tmp_path, jobs=1)


def test_rubbish_in_well_formed_samples_is_an_undecodable_segment_and_no_crash() -> None:
    from cmaf.read import annexb
    from evidence.verify.media import Expected

    station = day()
    segment = station.record()
    data = list(station.files.values())[-1]
    assert annexb(data, station.track.avcc)
    expected = Expected(
        election=station.election,
        station=station.station,
        unit=station.unit,
        boot_id=station.boot,
        session=station.kid,
        segment=segment,
        stream=None,
        init_sha256=None,
    )
    assert decode_fault(data, expected) == ()
    at = data.rindex(b"mdat") + 4
    for byte in range(0, 256, 5):
        rubbish = data[:at] + data[at : at + 5] + bytes([byte]) * (len(data) - at - 5)
        assert all(fault.code == "media-undecodable" for fault in decode_fault(rubbish, expected))
