"""Salvage from folders: what is kept, what is refused and why, and that nothing false comes out."""

import errno
import json
import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from audit.salvage.medium import Medium, ReadErrors
from audit.salvage.report import as_json, in_words, lost_anything
from audit.salvage.salvage import Salvaged, salvage
from audit.salvage.sources import Folder
from audit.verify import verify
from base.durable import Disk
from cmaf.read import read_segment
from evidence.certificate import Trust
from evidence.lines import Event, Pruned
from tests.fakes.faultydisk import FaultyDisk
from tests.fakes.station import Station, authority, signer
from unbroken.cli import main

TRUST = Trust.from_pem(authority().root_pem)


def recorded(count: int = 6) -> Station:
    station = Station(authority())
    station.begin()
    station.segments(count)
    return station


def path_of(station: Station, index: int) -> str:
    return f"media/{station.kid}/cam-0/0/{index:06d}.m4s"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("ledger.jws", "salvage.json")
    }


def codes(folder: Path, trust: Trust = TRUST) -> set[str]:
    answer = verify([folder], trust=trust)
    records = answer["records"]
    assert isinstance(records, list)
    return {finding["code"] for record in records for finding in record["findings"]}


class Bench:
    """A unit's folder, and what is salvaged from it."""

    def __init__(self, tmp_path: Path, station: Station) -> None:
        self.station = station
        self.folder = station.write(tmp_path / "unit")
        self.out = tmp_path / "out"

    def salvage(self, *more: Path, trust: Trust = TRUST) -> Salvaged:
        return salvage([self.folder, *more], self.out, trust=trust, disk=Disk())

    def ledger(self) -> list[bytes]:
        return (self.out / "ledger.jws").read_bytes().splitlines()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, recorded())


def test_a_sound_disk_comes_out_byte_for_byte(bench: Bench) -> None:
    unit = json.dumps({"election": "az-2026", "station": "57-002", "unit": "u1", "card": "a later member"}).encode()
    (bench.folder / "unit.json").write_bytes(unit)
    found = bench.salvage()
    assert bench.ledger() == bench.station.lines
    assert files_of(bench.out) == {**bench.station.files, "unit.json": unit}
    assert not lost_anything(found)
    assert codes(bench.out) == codes(bench.folder) == {"open-end"}


def test_a_damaged_segment_is_never_kept_as_good(bench: Bench) -> None:
    victim = bench.folder / path_of(bench.station, 2)
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1  # a picture's last bit: every box is still whole
    victim.write_bytes(data)
    found = bench.salvage()
    kept = files_of(bench.out)
    assert path_of(bench.station, 2) not in kept
    assert bytes(data) not in kept.values()
    assert kept == {name: data for name, data in bench.station.files.items() if name != path_of(bench.station, 2)}
    media = as_json(found)["media"]
    assert isinstance(media, dict)
    assert [each["path"] for each in media["damaged"]] == [path_of(bench.station, 2)]
    assert media["missing"] == []
    assert codes(bench.out) == {"media-missing", "open-end"}


def test_files_under_wrong_names_go_to_the_places_that_their_lines_imply(bench: Bench) -> None:
    lost = bench.folder / "lost+found"
    lost.mkdir()
    for number, path in enumerate(sorted(bench.folder.glob("media/*/*/*/*"))):
        path.rename(lost / f"#{number}")
    (bench.folder / "ledger.jws").rename(lost / "#99")
    bench.salvage()
    assert bench.ledger() == bench.station.lines
    assert files_of(bench.out) == bench.station.files


def test_a_lost_init_segment_is_rebuilt_from_a_kept_segment(bench: Bench) -> None:
    next(bench.folder.glob("media/*/*/*/init.mp4")).unlink()
    found = bench.salvage()
    assert found.rescue.rebuilt_inits == 1
    assert files_of(bench.out) == bench.station.files


def test_lines_around_damage_are_kept_and_missing_ones_told(bench: Bench) -> None:
    lines = bench.station.lines
    damaged = b"\n".join([*lines[:4], b"\0" * len(lines[4]), lines[5][:300] + b"\0" + lines[5][300:], *lines[6:]])
    (bench.folder / "ledger.jws").write_bytes(damaged + b"\n")
    found = bench.salvage()
    assert bench.ledger() == lines[:4] + lines[6:]
    assert found.ordered.missing == [(4, 6)]
    assert found.torn_lines == 1
    # Segments 1 and 2 are whole, and no kept line names them.
    names = {unnamed.identity.index for unnamed in found.rescue.unnamed.values()}
    assert names == {1, 2}
    assert {name.split("/")[0] for name in files_of(bench.out)} == {"media", "unnamed"}
    assert codes(bench.out) <= {"line-missing", "open-end", "media-unnamed"}


def test_a_line_without_its_end_is_no_line(bench: Bench) -> None:
    (bench.folder / "ledger.jws").write_bytes(b"\n".join(bench.station.lines))
    found = bench.salvage()
    assert bench.ledger() == bench.station.lines[:-1]
    assert len(found.rescue.unnamed) == 1


def test_forged_lines_are_refused_each_with_its_reason(bench: Bench) -> None:
    station = bench.station
    before = len(station.lines)
    station.segment(sha256="0" * 64)
    good = station.lines[before]
    del station.lines[before:]
    forged = good[:-8] + b"AAAAAAAA"
    station.segment()
    stranger = station.append(Event(event="finished"), by=signer("stranger"))
    del station.lines[before:]
    (bench.folder / "more.jws").write_bytes(forged + b"\n" + stranger + b"\n" + good[:40] + b"..\n")
    found = bench.salvage()
    assert bench.ledger() == station.lines
    reasons = {each.reason: each.count for each in found.refusals.all()}
    assert reasons == {"signature-wrong": 1, "no-start-line": 1, "line-malformed": 1}
    assert (bench.out / "unnamed" / "lines.txt").read_bytes() == stranger + b"\n"
    assert codes(bench.out) == {"open-end"}


def test_with_a_root_lines_of_a_unit_that_nobody_certified_are_refused(bench: Bench, tmp_path: Path) -> None:
    stranger = Station(authority(seed="impostor"), seed="impostor")
    stranger.begin()
    stranger.segments(20)
    found = bench.salvage(stranger.write(tmp_path / "impostor"))
    assert bench.ledger() == bench.station.lines
    reasons = {each.reason for each in found.refusals.all()}
    assert reasons == {"cert-untrusted", "session-refused"}
    assert files_of(bench.out).keys() >= bench.station.files.keys()
    assert codes(bench.out) == {"open-end", "media-unnamed"}


def test_lines_of_another_unit_are_left_out(bench: Bench, tmp_path: Path) -> None:
    other = Station(authority(), unit="u2", seed="other")
    other.begin()
    found = bench.salvage(other.write(tmp_path / "other"))
    assert found.judged.names == ("az-2026", "57-002", "u1")
    assert bench.ledger() == bench.station.lines
    assert [(each.reason, each.count) for each in found.refusals.all()] == [("another-unit", 3)]


def test_a_session_whose_start_is_lost_is_kept_apart(bench: Bench) -> None:
    station = bench.station
    session = station.kid
    second = len(station.lines)
    station.start("power")
    station.gap(seconds=1)
    station.run()
    station.segment()
    station.write(bench.folder)
    lines = station.lines
    (bench.folder / "ledger.jws").write_bytes(b"\n".join([*lines[:second], *lines[second + 1 :]]) + b"\n")
    found = bench.salvage()
    assert bench.ledger() == lines[:second]
    assert {line.kid for line in found.judged.unchecked} == {station.kid}
    assert station.kid != session
    assert [unnamed.identity.session for unnamed in found.rescue.unnamed.values()] == [station.kid]


def test_two_histories_are_both_kept_for_the_verifier_to_judge(tmp_path: Path) -> None:
    """An older image of the card went on by itself: the branch with the start goes on (spec/ledger.md, section 8)."""
    station = recorded(3)
    early = list(station.lines)
    station.segments(2)
    lost_tail = list(station.lines)
    del station.lines[len(early) :]
    state = station.cameras["cam-0"]
    state.index, state.end_ns = 3, state.end_ns - 4 * 10**9
    station.reboot()
    station.start("power")
    for _ in range(5):
        station.event("opened")
    bench = Bench(tmp_path, station)
    (bench.folder / "old.jws").write_bytes(b"\n".join(lost_tail) + b"\n")
    found = bench.salvage()
    assert bench.ledger() == station.lines
    (branch,) = found.ordered.branches
    assert (bench.out / "branches" / "1.jws").read_bytes().splitlines() == lost_tail
    assert len(branch) == len(lost_tail)
    assert "tail-lost" in codes(bench.out)


def test_pruned_video_does_not_come_back(tmp_path: Path) -> None:
    """Nobody armed the unit: what it deleted on purpose must not be dug up again."""
    station = recorded()
    deleted = {path_of(station, index): station.files[path_of(station, index)] for index in (0, 1)}
    station.pruned("cam-0", 0, 2)
    bench = Bench(tmp_path, station)
    lost = bench.folder / "lost+found"
    lost.mkdir()
    for number, data in enumerate(deleted.values()):
        (lost / f"#{number}").write_bytes(data)
    found = bench.salvage()
    assert files_of(bench.out) == station.files
    assert found.wanted.pruned_count == 2
    assert not lost_anything(found)


def test_video_pruned_on_a_receipt_may_come_back_and_is_not_missed(tmp_path: Path) -> None:
    """It was delivered: no secret, and evidence if it turns up. What does not turn up is no loss."""
    station = recorded()
    deleted = {path_of(station, index): station.files.pop(path_of(station, index)) for index in (0, 1, 2)}
    for first, last, reason in ((0, 3, "receipted"), (2, 3, "unarmed-expired")):
        body = Pruned(camera="cam-0", session=station.kid, run=0, from_index=first, to_index=last, reason=reason)
        station.append(body)
    bench = Bench(tmp_path, station)
    (bench.folder / "raw.img").write_bytes(bytes(4096) + deleted[path_of(station, 1)] + deleted[path_of(station, 2)])
    found = bench.salvage(bench.folder / "raw.img")
    came_back = {path_of(station, 1): deleted[path_of(station, 1)]}
    assert {name: data for name, data in files_of(bench.out).items() if name.startswith("media")} == {
        **station.files,
        **came_back,
    }
    assert found.wanted.pruned_count == 2
    assert not lost_anything(found)
    assert as_json(found)["cameras"] == [{"camera": "cam-0", "covered_ms": 8_000, "lost_ms": 0}]


def test_what_was_being_written_is_kept_to_its_last_whole_fragment_and_proves_nothing(bench: Bench) -> None:
    station = bench.station
    station.record()
    data = station.files[path_of(station, 6)]
    whole = read_segment(data).fragments[2].offset
    part = bench.folder / (path_of(station, 6) + ".part")
    part.write_bytes(data[: whole + 50])
    found = bench.salvage()
    (unnamed,) = found.rescue.unnamed.values()
    assert (bench.out / unnamed.file).read_bytes() == data[:whole]
    assert (unnamed.identity.index, unnamed.cut_bytes) == (6, 50)
    assert codes(bench.out) == {"open-end", "media-unnamed"}


def test_recovered_media_are_found_in_the_part_file_that_they_were_cut_from(tmp_path: Path) -> None:
    """The next start signs the whole fragments; the disk may still hold the file as the crash left it."""
    station = recorded(2)
    session, left = station.kid, station.record()
    name = f"media/{session}/cam-0/0/000002.m4s"
    data = station.files.pop(name)
    whole = data[: read_segment(data).fragments[2].offset]
    cut = replace(left, sha256=sha256(whole).hexdigest(), size=len(whole), to_ns=left.from_ns + 10**9, frames=5)
    station.start("crash")
    station.recovered(cut, session)
    bench = Bench(tmp_path, station)
    (bench.folder / f"{name}.part").write_bytes(data)
    bench.salvage()
    assert (bench.out / name).read_bytes() == whole


def test_copies_are_taken_together(bench: Bench, tmp_path: Path) -> None:
    copy = bench.station.write(tmp_path / "copy")
    lines = bench.station.lines
    (copy / "ledger.jws").write_bytes(b"\n".join(lines[:5]) + b"\n")
    (bench.folder / "ledger.jws").write_bytes(b"\n".join([lines[0], *lines[4:]]) + b"\n")
    (copy / path_of(bench.station, 0)).unlink()
    (bench.folder / path_of(bench.station, 1)).write_bytes(b"gone")
    found = bench.salvage(copy)
    assert bench.ledger() == lines
    assert files_of(bench.out) == bench.station.files
    assert not lost_anything(found)


def test_what_is_no_record_gives_a_report_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "holidays"
    source.mkdir()
    (source / "beach.jpg").write_bytes(os.urandom(5_000))
    os.mkfifo(source / "pipe")
    (source / "loop").symlink_to(source)
    found = salvage([source], tmp_path / "out", trust=TRUST, disk=Disk())
    assert list((tmp_path / "out").iterdir()) == []
    assert lost_anything(found)
    assert in_words(found, "out").startswith("No line that verifies was found.")


def test_a_folder_that_cannot_be_listed_is_told_and_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = Folder(tmp_path / "file", ReadErrors())
    assert list(folder.files()) == []
    assert folder.unread == [f"{tmp_path / 'file'}: Not a directory"]


def test_sectors_that_cannot_be_read_cost_what_lies_in_them_and_are_listed(bench: Bench) -> None:
    victim = str(bench.folder / path_of(bench.station, 3))

    class Scratched(Medium):
        def _pread(self, at: int, length: int) -> bytes:
            if self.name == victim:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super()._pread(at, length)

    found = salvage([bench.folder], bench.out, trust=TRUST, disk=Disk(), open_medium=Scratched)
    kept = {name: data for name, data in bench.station.files.items() if name != path_of(bench.station, 3)}
    assert files_of(bench.out) == kept
    (error,) = found.errors.found
    assert (error.source, error.offset, error.size) == (victim, 0, os.stat(victim).st_size)
    assert "Input/output error" in in_words(found, "out")


def test_only_the_sectors_that_fail_are_lost(tmp_path: Path) -> None:
    path = tmp_path / "image"
    data = os.urandom(3 << 20)
    path.write_bytes(data)
    bad = {5, 6, 300}

    class Scratched(Medium):
        def _pread(self, at: int, length: int) -> bytes:
            blocks = set(range(at // 4096, -(-(at + length) // 4096)))
            if blocks & bad:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super()._pread(at, length)

    errors = ReadErrors()
    with Scratched(path, "image", errors) as medium:
        read = medium.read(100, len(data))
        assert medium.read(0, len(data))[100:] == read
    for block in bad:
        data = data[: block * 4096] + bytes(4096) + data[(block + 1) * 4096 :]
    assert read == data[100:]
    assert [(error.offset, error.size) for error in errors.found] == [(5 * 4096, 2 * 4096), (300 * 4096, 4096)]


def test_sources_are_never_written_and_the_target_is_never_overwritten(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").touch()
    socket = tmp_path / "fifo"
    os.mkfifo(socket)
    for words in (
        [str(bench.folder), "--to", str(full)],
        [str(bench.folder), "--to", str(full / "x")],
        [str(bench.folder), "--to", str(bench.folder)],
        [str(bench.folder), "--to", str(bench.folder / "deep" / "inside")],
        [str(tmp_path / "nothing"), "--to", str(bench.out)],
        [str(socket), "--to", str(bench.out)],
        [str(bench.folder), "--to", str(bench.out), "--trust", str(full / "x")],
        [str(bench.folder)],
    ):
        assert main(["station", "salvage", *words]) == 2
        assert capsys.readouterr().err.strip()
    assert not bench.out.exists()
    assert files_of(bench.folder) == bench.station.files


def test_the_command_leaves_a_report_and_ends_with_1_where_something_is_lost(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(authority().root_pem)
    words = ["station", "salvage", str(bench.folder), "--trust", str(root), "--to"]
    assert main([*words, str(bench.out)]) == 0
    (bench.folder / path_of(bench.station, 1)).unlink()
    assert main([*words, str(tmp_path / "second")]) == 1
    text = capsys.readouterr().out
    assert "Segments: 5 kept, 1 missing, 0 damaged" in text
    assert "cam-0: 10.0 s covered, 2.0 s lost" in text
    report = json.loads((tmp_path / "second" / "salvage.json").read_bytes())
    assert report["schema"] == "unbroken-salvage-1"
    assert report["lines"]["kept"] == len(bench.station.lines)
    assert [each["path"] for each in report["media"]["missing"]] == [path_of(bench.station, 1)]
    assert report["cameras"] == [{"camera": "cam-0", "covered_ms": 10_000, "lost_ms": 2_000}]
    assert main(["verify", str(tmp_path / "second"), "--trust", str(root)]) == 1
    assert main([*words, str(bench.out)]) == 2


def test_every_file_and_name_is_durable_before_the_report_can_be_written(bench: Bench, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    disk = FaultyDisk(home)
    salvage([bench.folder], home / "out", trust=TRUST, disk=disk)
    disk.lose_unsynced(None)
    assert files_of(home / "out") == bench.station.files
    assert (home / "out" / "ledger.jws").read_bytes().splitlines() == bench.station.lines
