"""Records on disk: what is found where, which bytes count, and what the answer says."""

import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.ledgers import read_lines
from audit.sources import find_sources
from audit.summary import summarise
from audit.verify import verify
from base.errors import OperatorError
from evidence.certificate import Trust
from tests.fakes.station import SECOND, Station, authority

AUTHORITY = authority()
TRUST = Trust.from_pem(AUTHORITY.root_pem)


def day(cameras: tuple[str, ...] = ("cam-0",), count: int = 4, **made: Any) -> Station:
    station = Station(authority(), cameras=cameras, **made)
    station.begin()
    station.arm()
    for _ in range(count):
        for camera in cameras:
            station.segment(camera)
    station.close()
    return station


def answer_of(*paths: Path, **more: Any) -> dict[str, Any]:
    return verify(paths, trust=TRUST, **more)


def codes(answer: dict[str, Any]) -> list[str]:
    return [finding["code"] for record in answer["records"] for finding in record["findings"]]


def media(station: Station, index: int, camera: str = "cam-0", run: int = 0) -> str:
    return f"media/{station.kid}/{camera}/{run}/{index:06d}.m4s"


def test_a_units_folder_is_verified(tmp_path: Path) -> None:
    answer = answer_of(day(("cam-0", "cam-1")).write(tmp_path))
    assert answer["verdict"] == "verified"
    (record,) = answer["records"]
    assert (record["station"], record["unit"], record["closed"]) == ("57-002", "u1", True)
    assert [camera["covered_ms"] for camera in record["cameras"]] == [[8000, 8000], [8000, 8000]]
    assert [camera["missing_ms"] for camera in record["cameras"]] == [[1000, 1000], [1000, 1000]]
    assert record["cameras"][0]["gaps"][0]["cause"] == "starting"
    assert [span["state"] for span in record["cameras"][0]["spans"]] == ["gap", "segment"]
    assert record["modes"] == {"LIVE": 16000}
    assert json.loads(json.dumps(answer)) == answer


def test_several_processes_give_the_same_answer_as_one(tmp_path: Path) -> None:
    station = day(("cam-0", "cam-1"), count=60)
    station.files[media(station, 30)] = b"changed"
    del station.files[media(station, 41, "cam-1")]
    station.write(tmp_path)
    assert answer_of(tmp_path, jobs=2) == answer_of(tmp_path, jobs=1)


def test_files_under_other_names_are_found_by_their_digest(tmp_path: Path) -> None:
    station = day()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "book.jws").write_bytes(station.ledger)
    for number, data in enumerate(station.files.values()):
        (tmp_path / "copy" / f"{number}.mp4").write_bytes(data)
    assert codes(answer_of(tmp_path)) == []


def test_a_renamed_file_with_a_changed_byte_is_found_by_what_it_claims(tmp_path: Path) -> None:
    station = day()
    files = list(station.files.values())
    files[2] = files[2][:-1] + b"x"
    (tmp_path / "book.jws").write_bytes(station.ledger)
    for number, data in enumerate(files):
        (tmp_path / f"{number}.mp4").write_bytes(data)
    assert codes(answer_of(tmp_path)) == ["media-changed"]


def test_a_good_copy_beside_a_bad_one_counts(tmp_path: Path) -> None:
    station = day()
    station.write(tmp_path / "archive")
    station.files[media(station, 1)] = b"changed"
    station.write(tmp_path / "disk")
    assert codes(answer_of(tmp_path)) == []


def test_a_ledger_alone_leaves_the_media_unchecked_once(tmp_path: Path) -> None:
    day().write(tmp_path)
    answer = answer_of(tmp_path / "ledger.jws")
    assert codes(answer) == ["media-unchecked"]
    assert answer["verdict"] == "cannot-tell"
    assert answer["records"][0]["cameras"][0]["covered_ms"] == [8000, 8000]


def test_one_segment_with_its_ledger_is_checked_and_the_others_are_not(tmp_path: Path) -> None:
    station = day()
    station.write(tmp_path)
    given = [tmp_path / "ledger.jws", tmp_path / media(station, 2)]
    assert codes(answer_of(*given)) == ["media-unchecked"]
    given[1].write_bytes(b"x" + given[1].read_bytes())
    assert codes(answer_of(*given)) == ["media-unnamed", "media-unchecked"]


def test_a_segment_alone_says_what_it_claims_and_proves_nothing(tmp_path: Path) -> None:
    station = day()
    station.write(tmp_path)
    answer = answer_of(tmp_path / media(station, 2))
    assert codes(answer) == ["unsigned-alone"]
    assert answer["records"][0]["station"] == "57-002"
    assert "segment 2" in answer["records"][0]["findings"][0]["message"]


def test_media_without_a_ledger_are_one_finding_for_the_unit(tmp_path: Path) -> None:
    station = day()
    station.write(tmp_path)
    (tmp_path / "ledger.jws").unlink()
    answer = answer_of(tmp_path)
    assert codes(answer) == ["unsigned-alone"]
    assert answer["records"][0]["findings"][0]["count"] == 4


def test_an_emptied_media_folder_is_missing_media(tmp_path: Path) -> None:
    station = day()
    station.files.clear()
    (station.write(tmp_path) / "media").mkdir()
    answer = answer_of(tmp_path)
    assert codes(answer) == ["init-missing", "media-missing"]
    assert answer["records"][0]["cameras"][0]["missing_ms"] == [9000, 9000]


def test_two_units_are_two_records(tmp_path: Path) -> None:
    day().write(tmp_path / "one")
    day(station="57-003", unit="u9", seed="nine").write(tmp_path / "two")
    answer = answer_of(tmp_path)
    assert [(record["station"], record["verdict"]) for record in answer["records"]] == [
        ("57-002", "verified"),
        ("57-003", "verified"),
    ]


def test_a_segment_in_the_place_of_another_is_swapped(tmp_path: Path) -> None:
    station = day(("cam-0", "cam-1"))
    one, two = media(station, 1), media(station, 1, "cam-1")
    station.files[one], station.files[two] = station.files[two], station.files[one]
    assert codes(answer_of(station.write(tmp_path))) == ["media-swapped", "media-swapped"]


def test_a_fifo_or_folder_in_the_place_of_a_segment_is_a_missing_segment(tmp_path: Path) -> None:
    station = day()
    station.write(tmp_path)
    for index, make in ((1, os.mkfifo), (2, os.mkdir)):
        (tmp_path / media(station, index)).unlink()
        make(tmp_path / media(station, index))
    answer = answer_of(tmp_path)
    assert codes(answer) == ["media-missing"]
    assert answer["records"][0]["findings"][0]["count"] == 2


def test_equivocation_attributes_nothing_behind_the_fork(tmp_path: Path) -> None:
    station, branch = day(), day()
    at = 7
    branch.lines = branch.lines[:at]
    branch.event("opened")
    branch.cameras["cam-0"].end_ns = 23 * SECOND
    branch.close()
    station.write(tmp_path)
    (tmp_path / "other.jws").write_bytes(branch.ledger)
    answer = answer_of(tmp_path)
    assert codes(answer) == ["equivocation"]
    (finding,) = answer["records"][0]["findings"]
    assert finding["seq"] == at
    assert answer["records"][0]["cameras"][0]["covered_ms"] == [4000, 4000]


def test_torn_tail_is_a_note(tmp_path: Path) -> None:
    day().write(tmp_path)
    with (tmp_path / "ledger.jws").open("ab") as file:
        file.write(b"eyJhbGciOi")
    answer = answer_of(tmp_path)
    assert codes(answer) == ["torn-tail"]
    assert answer["verdict"] == "verified"


def test_a_line_of_a_gigabyte_is_read_with_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jws"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    lines = list(read_lines(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(lines) == 1
    assert peak < 8 << 20


@given(st.lists(st.integers(0, 200_000), max_size=6), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_lines_come_out_as_they_lie_in_the_file(tmp_path: Path, lengths: list[int], torn: bool) -> None:
    path = tmp_path / "lines"
    lines = [bytes([97 + number]) * length for number, length in enumerate(lengths)]
    path.write_bytes(b"".join(line + b"\n" for line in lines) + (b"tail" if torn else b""))
    found = [(line.text, line.torn) for line in read_lines(path)]
    expected = [(line[:65_536], False) for line in lines] + ([(b"tail", True)] if torn else [])
    assert [(text[:65_536], torn) for text, torn in found] == expected


def test_nothing_to_verify_is_wrong_use(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(OperatorError):
            find_sources([path])


def test_a_profile_beside_the_ledger_is_no_ledger(tmp_path: Path) -> None:
    station = Station(AUTHORITY)
    station.begin()
    (tmp_path / "profile.jws").write_text(station.profile())
    station.close()
    assert codes(answer_of(station.write(tmp_path))) == []
    with pytest.raises(OperatorError, match="neither"):
        find_sources([tmp_path / "profile.jws"])


def test_roots_that_lie_about_are_not_trusted(tmp_path: Path) -> None:
    day().write(tmp_path)
    (tmp_path / "root.pem").write_bytes(AUTHORITY.root_pem)
    assert codes(verify([tmp_path], trust=Trust())) == ["no-trust"]


def test_the_summary_names_verdict_gap_and_what_to_do(tmp_path: Path) -> None:
    station = day()
    del station.files[media(station, 1)]
    text = summarise(answer_of(station.write(tmp_path)))
    assert text.startswith("Findings: something does not check.")
    assert "starting" in text
    assert "media-missing  cam-0, line 6, 2026-05-01 12:00:25 UTC" in text
    assert "Fetch it by its digest" in text


def test_the_summary_says_what_the_archive_holds() -> None:
    folder = Path(__file__).parent.parent / "vectors" / "cases" / "receipted-partly"
    text = summarise(verify([folder], trust=Trust.from_pem((folder / "root.pem").read_bytes())))
    assert text.startswith("Verified")
    assert "held by the archive, by its signed receipt" in text
    assert "cam1: covered 4.0 s, held by the archive 4.0 s, missing 1.0 s" in text
    assert "LIVE 8.0 s" in text


def test_every_picture_is_decoded_on_request(tmp_path: Path) -> None:
    station = day()
    assert codes(answer_of(station.write(tmp_path), decode=True)) == []


Bend = Callable[[bytes, int], bytes]


def _flip(data: bytes, place: int) -> bytes:
    place %= len(data)
    return data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def _cut(data: bytes, place: int) -> bytes:
    return data[: place % len(data)]


def _drop(data: bytes, place: int) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[place % len(lines)]
    return b"".join(lines)


def _double(data: bytes, place: int) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.insert(place // 7 % len(lines), lines[place % len(lines)])
    return b"".join(lines)


def _insert(data: bytes, place: int) -> bytes:
    place %= len(data)
    return data[:place] + bytes([place % 256]) + data[place:]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([_flip, _cut, _drop, _double, _insert]), st.integers(0, 1 << 20)),
        min_size=1,
        max_size=3,
    )
)
def test_no_bent_ledger_is_ever_verified_unless_every_signed_line_is_there(
    tmp_path: Path, bends: list[tuple[Bend, int]]
) -> None:
    station = day()
    station.write(tmp_path)
    bent = station.ledger
    for bend, place in bends:
        bent = bend(bent, place) if bent else bent
    (tmp_path / "ledger.jws").write_bytes(bent)
    answer = answer_of(tmp_path)
    json.dumps(answer)
    summarise(answer)
    if answer["verdict"] == "verified":
        assert bent.startswith(station.ledger)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.sampled_from([_flip, _cut, _insert]), st.integers(0, 1 << 20))
def test_no_bent_segment_is_ever_verified(tmp_path: Path, bend: Bend, place: int) -> None:
    station = day(count=1)
    name = media(station, 0)
    station.files[name] = bend(station.files[name], place)
    assert codes(answer_of(station.write(tmp_path))) in (["media-changed"], ["media-swapped"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_ledger_with_findings(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "ledger.jws").write_bytes(data)
    assert answer_of(tmp_path)["verdict"] == "findings"
