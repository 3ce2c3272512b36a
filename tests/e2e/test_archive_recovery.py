"""Branches, and what the archive makes of an index, media or a ledger that are lost."""

import errno
import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from archive.check import check, rebuild
from archive.index.findings import read_findings
from archive.parts import open_parts
from archive.store.local import LocalStore
from base.durable import Disk
from base.errors import OperatorError
from evidence.codes import Code
from evidence.lines import line_hash
from evidence.words import Cause
from tests.fakes.archive import RunningArchive
from tests.fakes.archive_unit import again, armed_station, codes, deliver, head_of, media_of, verified
from tests.fakes.station import SECOND


def test_two_branches_are_both_kept_and_the_unit_goes_on_from_its_own(archive: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    common = len(station.lines)
    stood = replace(station.cameras["cam-0"])
    station.segments(2)
    lost = list(station.lines)
    assert uplink.lines(lost).status == 200
    # The power takes the last two lines from the card; the unit goes on without them.
    del station.lines[common:]
    station.cameras["cam-0"] = stood
    before = station.reboot()
    station.start("power")
    station.gap(to_ns=station.boot_ns + SECOND, cause=Cause.POWER, from_boot=before)
    station.run()
    station.segments(2)
    answer = uplink.lines(station.lines[common:])
    assert (answer.status, answer.json["head"]) == (409, {"seq": common + 1, "sha256": line_hash(lost[-1])})
    for seq, text in enumerate(lost):
        answer = uplink.lines(query=f"?from={seq}")
        assert answer.json == {
            "head": {"seq": seq, "sha256": line_hash(text)},
            "lacks": [],
            "receipt": None,
            "refused": None,
        }
    assert uplink.lines(query=f"?from={len(lost)}").json["head"] is None
    branch = f"?branch={common}"
    answer = uplink.lines(station.lines[common:], branch)
    assert (answer.status, answer.json["head"]) == (200, head_of(station))
    assert uplink.lines(station.lines[common:], branch).body == answer.body
    station.segment()
    assert uplink.lines(station.lines[-1:]).json["head"] == head_of(station), "it follows the head of its branch"
    assert (archive.ledger(0), archive.ledger(1)) == (b"".join(text + b"\n" for text in lost), station.ledger)
    media = media_of(station)
    assert len(media) == 8, "two of them only the lost lines name"
    for data in media.values():
        assert uplink.media(data).status == 201
    again(archive)
    uplink = archive.uplink()
    assert uplink.lines().json["head"] == head_of(station)
    assert [uplink.lines(query=f"?from={seq}").json["head"] for seq in (0, common)] == [
        {"seq": seq, "sha256": line_hash(station.lines[seq])} for seq in (0, common)
    ]
    record = verified(archive, tmp_path / "copy")
    assert codes(record) == {"open-end", "tail-lost"}
    assert record["cameras"][0]["segments"] == 8
    archive.stop()
    with open_parts(archive.config, Disk()) as parts:
        checked = check(parts)
    assert checked.troubles == []
    assert [(row.code, row.detail) for row in checked.findings] == [
        (Code.TAIL_LOST, f"branches 0 and 1 part at line {common}")
    ]


def test_a_lost_index_is_made_anew_and_nobody_notices(archive: RunningArchive) -> None:
    station = armed_station(archive)
    receipt = deliver(archive.uplink(), station)
    logged = archive.uplink().lines().json
    other = armed_station(archive, unit="u2", seed="two")
    assert archive.uplink(unit="u2", key="two").lines(other.lines).status == 200
    archive.stop()
    for left in archive.folder.glob("index.sqlite*"):
        left.unlink()
    with open_parts(archive.config, Disk()) as parts:
        assert rebuild(parts) == 3
        assert check(parts).troubles == []
    archive.start()
    uplink = archive.uplink()
    assert uplink.lines().json == logged
    assert uplink.receipts(sorted(media_of(station))).json["receipt"] == receipt
    assert len(archive.uplink(unit="u2", key="two").lines().json["lacks"]) == 3  # type: ignore[arg-type]
    station.segment()
    assert uplink.lines(station.lines[-1:]).json["head"] == head_of(station)


@pytest.mark.parametrize("media_are_there", [False, True])
def test_an_archive_that_is_brought_back_from_yesterday_names_what_nobody_has_any_more(
    archive: RunningArchive, tmp_path: Path, media_are_there: bool
) -> None:
    station = armed_station(archive)
    deliver(archive.uplink(), station)
    archive.stop()
    backup = tmp_path / "yesterday"
    shutil.copytree(archive.folder, backup)
    archive.start()
    station.segments(2)
    receipt = deliver(archive.uplink(), station)
    media = media_of(station)
    station.pruned("cam-0", 3, 5, receipt=receipt)
    assert archive.uplink().lines(station.lines).json["lacks"] == []
    archive.stop()
    today = tmp_path / "today"
    archive.folder.rename(today)
    shutil.copytree(backup, archive.folder)
    if media_are_there:
        shutil.copytree(today / "data" / "cas", archive.config.data / "cas", dirs_exist_ok=True)
    archive.start()
    answer = archive.uplink().lines(station.lines)
    assert (answer.status, answer.json["lacks"]) == (200, [])
    found = read_findings(archive.config.database, archive.config.election)
    gone = [] if media_are_there else sorted(list(media)[3:])
    assert [(row.code.value, row.detail) for row in found] == [("lost-by-archive", each) for each in gone]
    kept = sorted(media) if media_are_there else sorted(list(media)[:3])
    assert archive.uplink().receipts(kept).json["receipt"] is not None


def test_a_receipt_that_is_not_this_archives_admits_nothing(archive: RunningArchive) -> None:
    station, other = armed_station(archive), armed_station(archive, unit="u2", seed="two")
    receipt = deliver(archive.uplink(unit="u2", key="two"), other)
    for text in (receipt, receipt[:-4] + "AAAA", "no receipt"):
        station.pruned("cam-0", 0, 1, drop=False, receipt=text)
    assert archive.uplink().lines(station.lines).status == 200
    assert read_findings(archive.config.database, archive.config.election) == []


class BadSector(io.BytesIO):
    """A file of which the disk gives nothing."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


def test_one_unreadable_object_is_no_reason_to_have_no_index(
    archive: RunningArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    uplink.lines(station.lines)
    assert {uplink.media(data).status for data in media_of(station).values()} == {201}
    archive.stop()
    bad, *good = sorted(media_of(station))
    whole = LocalStore.open
    monkeypatch.setattr(LocalStore, "open", lambda store, name: BadSector() if name == bad else whole(store, name))
    with open_parts(archive.config, Disk()) as parts:
        assert rebuild(parts) == len(good)
    monkeypatch.undo()
    archive.start()
    assert archive.uplink().lines().json["lacks"] == [bad]


def test_an_index_older_than_the_files_heals_at_the_start(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    assert uplink.lines(station.lines[:4]).status == 200
    archive.stop()
    old = {path: path.read_bytes() for path in archive.folder.glob("index.sqlite*")}
    archive.start()
    receipt = deliver(archive.uplink(), station)
    archive.stop()
    for path in archive.folder.glob("index.sqlite*"):
        path.unlink()
    for path, held in old.items():
        path.write_bytes(held)
    archive.start()
    uplink = archive.uplink()
    assert uplink.lines().json["head"] == head_of(station)
    assert uplink.lines().json["lacks"] == [], "what was signed for counts, though the unit may have pruned it since"
    assert uplink.receipts(sorted(media_of(station))).json["receipt"] == receipt
    assert archive.ledger() == station.ledger


def test_a_ledger_that_the_index_knows_more_of_is_told_to_a_person(archive: RunningArchive) -> None:
    station = armed_station(archive)
    archive.uplink().lines(station.lines)
    archive.stop()
    path = archive.config.data / "ledgers" / "57-002" / "u1" / "0.jws"
    path.write_bytes(station.ledger[:-10])
    archive.start()
    assert isinstance(archive.error, OperatorError)
    assert "shorter than the index says" in str(archive.error)
    path.write_bytes(station.ledger)
    archive.start()


def test_lost_media_are_missed_at_the_next_receipt_and_asked_for_again(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    deliver(uplink, station)
    (sha256, data), *_ = media_of(station).items()
    archive.object(sha256).unlink()
    assert uplink.receipts([sha256]).json == {"receipt": None, "lacks": [sha256]}
    assert uplink.lines().json["lacks"] == [sha256]
    assert uplink.media(data).status == 201
    assert uplink.receipts([sha256]).json["lacks"] == []


def test_two_archives_never_work_on_one_folder(archive: RunningArchive) -> None:
    with pytest.raises(OperatorError, match="Another process works on"), open_parts(archive.config, Disk()):
        pass
