"""unbroken station check: what a disk lacks against its own ledger, to each level."""

import hashlib
import json
from pathlib import Path

import pytest

from appliance.check.check import check
from appliance.check.content import ContentReader
from appliance.check.findings import Finding, Level
from appliance.store.layout import Layout
from base.errors import OperatorError
from evidence.jws import MAX_BYTES
from tests.fakes.station import Station, authority
from tests.fakes.stepped import SteppedStation
from unbroken.cli import main
from unbroken.demo_station import make_station


@pytest.fixture
def station() -> Station:
    station = Station(authority(), cameras=("cam-0", "cam-1"))
    station.begin()
    for _ in range(4):
        station.segment("cam-0")
        station.segment("cam-1")
    return station


@pytest.fixture
def layout(station: Station, tmp_path: Path) -> Layout:
    return Layout(station.write(tmp_path / "unit"))


def segment(layout: Layout, index: int) -> Path:
    return next(layout.media.glob(f"*/cam-0/0/{index:06d}.m4s"))


def found(layout: Layout, level: Level) -> list[tuple[str, str]]:
    return [(Path(each.path).name, each.what) for each in check(layout, level).findings]


@pytest.mark.parametrize("level", list(Level))
def test_a_sound_disk_has_no_findings_at_any_level(layout: Layout, level: Level) -> None:
    checked = check(layout, level)
    assert (checked.findings, checked.notes) == ((), ())
    assert (checked.lines, checked.files) == (13, 10)


def test_what_was_read_is_told(layout: Layout) -> None:
    size = sum(path.stat().st_size for path in layout.media.rglob("*.m*"))
    assert [check(layout, level).named_bytes for level in Level] == [0, size, size, size]
    assert [check(layout, level).read_bytes for level in Level] == [0, 0, size, size]


def test_each_level_finds_what_the_one_before_cannot(layout: Layout) -> None:
    segment(layout, 0).unlink()
    short = segment(layout, 1)
    short.write_bytes(short.read_bytes()[:-1])
    changed = segment(layout, 2)
    changed.write_bytes(changed.read_bytes()[:-1] + b"\x55")
    missing = ("000000.m4s", "Is not there; line 6 names it.")
    wrong_size = ("000001.m4s", f"Is {short.stat().st_size} bytes long; line 8 says {short.stat().st_size + 1}.")
    wrong_bytes = ("000002.m4s", "Its bytes are not the ones that line 10 signs.")
    assert found(layout, Level.PRESENCE) == [missing]
    assert found(layout, Level.SIZE) == [wrong_size, missing]
    assert found(layout, Level.HASH) == [wrong_size, wrong_bytes, missing]


def test_every_finding_says_what_to_do(layout: Layout) -> None:
    segment(layout, 0).unlink()
    finding = check(layout, Level.PRESENCE).findings[0]
    assert finding == Finding(path=finding.path, line=6, what="Is not there; line 6 names it.", advice=finding.advice)
    assert finding.path.startswith("media/")
    assert finding.advice.endswith(".")


def test_a_missing_init_segment_is_found_and_costs_no_picture(layout: Layout) -> None:
    next(layout.media.glob("*/cam-1/0/init.mp4")).unlink()
    assert [each.advice for each in check(layout, Level.PRESENCE).findings] == [
        "No picture is lost: it follows from any segment of the run."
    ]


def test_pruned_media_are_not_missed(station: Station, tmp_path: Path) -> None:
    station.pruned("cam-0", 0, 2)
    assert found(Layout(station.write(tmp_path / "unit")), Level.HASH) == []


def test_a_recovered_segment_lies_under_the_session_that_recorded_it(station: Station, tmp_path: Path) -> None:
    session, left = station.kid, station.record("cam-0")
    station.start("crash")
    station.recovered(left, session)
    layout = Layout(station.write(tmp_path / "unit"))
    assert found(layout, Level.HASH) == []
    segment(layout, 4).unlink()
    assert [name for name, _ in found(layout, Level.PRESENCE)] == ["000004.m4s"]


def test_files_that_no_line_names_are_notes(layout: Layout) -> None:
    for name in ("000009.m4s", "000004.m4s.part", "stray.txt"):
        (segment(layout, 0).parent / name).write_bytes(b"x")
    (layout.media / "lost").mkdir()
    (layout.media / "lost" / "init.mp4").write_bytes(b"x")
    checked = check(layout, Level.HASH)
    assert checked.findings == ()
    assert [Path(note.path).name for note in checked.notes] == [
        "000004.m4s.part",
        "000009.m4s",
        "stray.txt",
        "init.mp4",
    ]


def test_a_folder_or_a_link_in_the_place_of_a_file_is_not_the_file(layout: Layout, tmp_path: Path) -> None:
    first, second = segment(layout, 0), segment(layout, 1)
    first.unlink()
    first.mkdir()
    second.rename(tmp_path / "elsewhere")
    second.symlink_to(tmp_path / "elsewhere")
    assert len(found(layout, Level.PRESENCE)) == 2
    assert len(found(layout, Level.HASH)) == 2


def test_a_line_being_written_is_no_finding(layout: Layout) -> None:
    whole = layout.ledger.read_bytes()
    layout.ledger.write_bytes(whole + whole.splitlines()[-1][:200])
    checked = check(layout, Level.HASH)
    assert (checked.lines, checked.findings) == (13, ())


def test_media_pruned_while_the_check_runs_are_not_missed(station: Station, layout: Layout) -> None:
    """The recorder commits a pruned line behind what was there when reading began, and then deletes."""
    station.pruned("cam-0", 0, 1)
    appended = [station.lines[-1] + b"\n"]

    def record(_: int) -> None:
        if appended:
            with layout.ledger.open("ab") as file:
                file.write(appended.pop())
            segment(layout, 0).unlink()

    checked = check(layout, Level.HASH, record)
    assert (checked.findings, checked.lines) == ((), 13)


def test_a_recorder_that_records_gives_notes_and_no_findings(tmp_path: Path) -> None:
    """At every moment between two commits: an open part file, media whose lines are not yet written."""
    stepped = SteppedStation(tmp_path)
    stepped.start()
    for _ in range(40):
        stepped.run(0.3)
        checked = check(stepped.layout, Level.HASH)
        assert checked.findings == ()
        assert len(checked.notes) <= 2
    stepped.stop()
    checked = check(stepped.layout, Level.HASH)
    assert (checked.findings, checked.notes) == ((), ())
    assert checked.files > 3


def test_media_recorded_while_the_check_runs_are_notes(station: Station, layout: Layout) -> None:
    before = set(station.files)
    station.segment("cam-0")
    (name,) = set(station.files) - before
    left = [station.lines[-1] + b"\n"]

    def record(_: int) -> None:
        if left:
            (layout.root / name).write_bytes(station.files[name])
            with layout.ledger.open("ab") as file:
                file.write(left.pop())

    checked = check(layout, Level.HASH, record)
    assert (checked.findings, [note.path for note in checked.notes]) == ((), [name])


def test_damaged_lines_are_findings_and_the_rest_counts(layout: Layout) -> None:
    lines = layout.ledger.read_bytes().splitlines(keepends=True)
    damaged = [b"\0" * 100 + lines[6][100:], b"x" * (3 * MAX_BYTES) + b"\n"]
    layout.ledger.write_bytes(b"".join([*lines[:6], *damaged, *lines[7:]]))
    checked = check(layout, Level.HASH)
    assert [(each.path, each.line) for each in checked.findings] == [("ledger.jws", 7), ("ledger.jws", 8)]
    assert "bytes; at most" in checked.findings[1].what
    assert [Path(note.path).name for note in checked.notes] == ["000000.m4s"]
    assert checked.lines == 14


def test_signatures_are_left_to_the_level_chain(station: Station, tmp_path: Path) -> None:
    line = station.lines[-1]
    station.lines[-1] = line[:-4] + (b"AAAA" if not line.endswith(b"AAAA") else b"BBBB")
    assert found(Layout(station.write(tmp_path / "unit")), Level.HASH) == []


def test_what_is_hashed_is_what_lies_on_the_disk(tmp_path: Path) -> None:
    for size in (0, 1, 4_096, 1_048_576, 1_048_577, 3_000_000):
        path = tmp_path / str(size)
        data = bytes(range(256)) * (size // 256 + 1)
        path.write_bytes(data[:size])
        content = ContentReader().read(path)
        assert (content.size, content.unreadable_bytes) == (size, 0)
        assert content.sha256 == hashlib.sha256(data[:size]).hexdigest()


def test_a_folder_without_a_ledger_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="holds no ledger"):
        check(Layout(tmp_path), Level.PRESENCE)


def test_what_cannot_be_read_is_a_finding_and_the_rest_is_looked_at(layout: Layout) -> None:
    media = layout.media.rename(layout.root / "elsewhere")
    layout.media.touch()
    checked = check(layout, Level.HASH)
    assert checked.findings[-1].path.startswith("media/")
    assert ("media", "Cannot be listed: Not a directory.") in [(each.path, each.what) for each in checked.findings]
    assert len(checked.findings) == 11
    layout.media.unlink()
    media.rename(layout.media)
    layout.ledger.unlink()
    layout.ledger.mkdir()
    checked = check(layout, Level.HASH)
    assert [each.what for each in checked.findings] == ["Cannot be read behind line 0: Is a directory."]
    assert checked.notes == ()


def test_an_empty_ledger_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "ledger.jws").touch()
    assert check(Layout(tmp_path), Level.HASH).lines == 0


def test_the_command_prints_findings_and_ends_with_1(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["station", "check", str(layout.root)]) == 0
    assert "No findings." in capsys.readouterr().out
    segment(layout, 0).unlink()
    assert main(["station", "check", str(layout.root), "--level", "hash"]) == 1
    text = capsys.readouterr().out
    assert text.startswith("Checked hash: 13 lines, 9 files of")
    assert "000000.m4s: Is not there; line 6 names it." in text
    assert main(["station", "check", str(layout.root), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schema"], answer["level"], answer["files"]) == ("unbroken-check-1", "presence", 9)
    assert [each["line"] for each in answer["findings"]] == [6]


def test_the_level_chain_asks_the_verifier_with_the_units_own_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record that goes on is no finding; a signature that does not check is one."""
    demo = make_station(tmp_path / "demo", ["pattern"])
    station = Station(authority())
    station.begin()
    station.segments(2)
    station.write(demo.data)
    demo.root.write_bytes(station.authority.root_pem)
    config, ledger = str(demo.config), demo.data / "ledger.jws"
    assert main(["station", "check", "--config", config, "--level", "chain"]) == 0
    assert "open-end" in capsys.readouterr().out
    ledger.write_bytes(ledger.read_bytes()[:-9] + b"AAAAAAAA\n")
    assert main(["station", "check", "--config", config, "--level", "hash"]) == 0
    capsys.readouterr()
    assert main(["station", "check", "--config", config, "--level", "chain", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["chain"]["verdict"] == "findings"


def test_wrong_use_ends_with_2_and_a_hint(layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        [str(layout.root), "--config", "station.toml"],
        [str(layout.root), "--level", "chain"],
        [str(tmp_path / "nothing")],
        [str(layout.root), "--level", "everything"],
        ["--config", str(tmp_path / "none.toml")],
    ):
        assert main(["station", "check", *words]) == 2
        assert capsys.readouterr().err.strip()
