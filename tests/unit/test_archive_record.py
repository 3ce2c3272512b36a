"""One unit's ledger in the archive, without a network: branches, restarts, damage, and what is made of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from archive.index.index import Index
from archive.index.rows import Changes
from archive.ingest.forks import known_forks
from archive.ingest.opening import catch_up
from archive.ingest.record import ConflictError, Planned, TooManyBranchesError, UnitRecord
from archive.names import UnitName
from archive.store.journal import ReceiptJournal
from archive.store.ledgers import LedgerFiles
from archive.trust import Trusted
from base.durable import Disk
from base.errors import OperatorError
from evidence import base64url
from evidence.codes import Code
from evidence.lines import line_hash
from evidence.words import Cause
from tests.fakes.station import NOON_US, SECOND, Station, authority

UNIT = UnitName(station="57-002", unit="u1")


class Keeper:
    """What the committer does with one unit's lines, and no more."""

    def __init__(self, folder: Path, *, most_branches: int = 8) -> None:
        self.folder, self._most = folder, most_branches
        root = folder / "root.pem"
        root.write_bytes(authority().root_pem)
        self.trust = Trusted(root, None)
        self.open()

    def open(self) -> None:
        """Another process: nothing in memory."""
        self.index = Index(f"sqlite:///{self.folder / 'index.sqlite'}", "az-2026")
        self.ledgers = LedgerFiles(Disk(), self.folder / "ledgers")
        self.record = UnitRecord(
            UNIT,
            election="az-2026",
            trust=self.trust,
            index=self.index,
            ledgers=self.ledgers,
            most_branches=self._most,
        )

    def send(self, texts: Sequence[bytes], *, forks: bool = False) -> Planned:
        planned = self.record.plan(texts, forks=forks, now_us=NOON_US)
        if planned.new is not None and planned.piece is not None:
            self.ledgers.write([planned.piece])
            self.index.commit(Changes(lines=(planned.new,)))
        self.record.applied(planned)
        return planned

    def start(self) -> None:
        """What a start of the archive does."""
        journal = ReceiptJournal(Disk(), self.folder / "receipts.jws")
        try:
            catch_up(election="az-2026", trust=self.trust, index=self.index, ledgers=self.ledgers, journal=journal)
        finally:
            journal.close()

    def forget(self) -> None:
        """The index is lost."""
        self.index.rebuild()

    def codes(self) -> list[Code | None]:
        return [fork.code for fork in known_forks(UNIT, self.index, self.ledgers)]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(tmp_path)
    yield keeper
    keeper.index.close()


def armed() -> Station:
    station = Station(authority(), media=False)
    station.begin()
    station.arm()
    station.segments(3)
    return station


def file_of(lines: Sequence[bytes]) -> bytes:
    return b"".join(text + b"\n" for text in lines)


def fork_at(station: Station, seq: int, *, start: bool, seconds: int = 2) -> tuple[list[bytes], list[bytes]]:
    """Two continuations behind line ``seq - 1``: one of segments for so long, one that opens with a start or not."""
    del station.lines[seq:]
    stood = replace(station.cameras["cam-0"])
    station.segments(seconds // 2)
    lost = list(station.lines)
    del station.lines[seq:]
    station.cameras["cam-0"] = stood
    if start:
        before = station.reboot()
        station.start("power")
        station.gap(to_ns=station.boot_ns + SECOND, cause=Cause.POWER, from_boot=before)
        station.run()
    else:
        station.gap(seconds=seconds)
    return lost, list(station.lines)


@pytest.mark.parametrize("seconds", [2, 60])
def test_a_short_tail_that_a_restart_has_cost_is_lost_and_no_finding(keeper: Keeper, seconds: int) -> None:
    lost, kept = fork_at(armed(), 7, start=True, seconds=seconds)
    keeper.send(lost)
    keeper.send(kept[7:], forks=True)
    assert keeper.codes() == [Code.TAIL_LOST]


def test_a_long_tail_is_a_unit_rolled_back(keeper: Keeper) -> None:
    lost, kept = fork_at(armed(), 7, start=True, seconds=70)
    keeper.send(lost)
    keeper.send(kept[7:], forks=True)
    assert keeper.codes() == [Code.ROLLED_BACK]


def test_two_histories_of_one_session_are_an_equivocation(keeper: Keeper) -> None:
    lost, kept = fork_at(armed(), 7, start=False)
    keeper.send(lost)
    keeper.send(kept[7:], forks=True)
    assert keeper.codes() == [Code.EQUIVOCATION]


def test_a_lost_tail_that_grows_for_more_than_a_minute_is_judged_anew(keeper: Keeper) -> None:
    station = armed()
    lost, kept = fork_at(station, 7, start=True, seconds=70)
    keeper.send(lost[:10])
    keeper.send(kept[7:], forks=True)
    assert keeper.codes() == [Code.TAIL_LOST]
    keeper.send(lost[10:])
    assert keeper.codes() == [Code.ROLLED_BACK]


def test_one_line_under_two_signatures_is_no_second_history(keeper: Keeper) -> None:
    station = armed()
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
    signed, _, signature = station.lines[-1].rpartition(b".")
    raw = base64url.decode(signature)
    other = raw[:32] + (order - int.from_bytes(raw[32:])).to_bytes(32)
    keeper.send(station.lines)
    keeper.send([signed + b"." + base64url.encode(other).encode()], forks=True)
    assert keeper.codes() == [None]


def test_a_fork_is_taken_only_where_it_is_announced(keeper: Keeper) -> None:
    lost, kept = fork_at(armed(), 7, start=True)
    keeper.send(lost)
    with pytest.raises(ConflictError):
        keeper.send(kept[7:])
    with pytest.raises(ConflictError):
        keeper.send(kept)
    with pytest.raises(ConflictError):
        keeper.send([kept[-1]], forks=True)
    assert list(keeper.record.branches) == [0]
    assert keeper.send(kept, forks=True).new is not None, "what is known may come along"
    assert [keeper.ledgers.read(UNIT, number) for number in (0, 1)] == [file_of(lost), file_of(kept)]


def test_a_unit_that_grows_two_branches_in_turn_keeps_both(keeper: Keeper) -> None:
    lost, kept = fork_at(armed(), 7, start=True, seconds=20)
    keeper.send(lost[:9])
    keeper.send(kept[:8], forks=True)
    assert keeper.send(lost[9:11]).head == keeper.record.branches[0]
    assert keeper.send(kept[8:]).head == keeper.record.branches[1]
    keeper.index.close()
    keeper.open()
    assert keeper.record.current == keeper.record.branches[1]
    keeper.send(lost[11:])
    assert [keeper.ledgers.read(UNIT, number) for number in (0, 1)] == [file_of(lost), file_of(kept)]


def test_a_branch_of_a_branch_knows_all_sessions_before_it(keeper: Keeper) -> None:
    station = armed()
    lost, kept = fork_at(station, 7, start=True)
    keeper.send(lost)
    keeper.send(kept[7:], forks=True)
    second, third = fork_at(station, len(kept), start=True)
    keeper.send(second[len(kept) :])
    keeper.send(third[len(kept) :], forks=True)
    assert [row.parent for row in keeper.record.branches.values()] == [None, 0, 1]
    assert keeper.ledgers.read(UNIT, 2) == file_of(third)
    row = keeper.record.line_at(3)
    assert row is not None
    assert row.sha256 == line_hash(third[3])


def test_no_more_branches_are_kept_than_allowed(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, most_branches=2)
    lost, kept = fork_at(armed(), 7, start=True)
    keeper.send(lost)
    keeper.send(kept, forks=True)
    _, other = fork_at(armed(), 6, start=True)
    with pytest.raises(TooManyBranchesError):
        keeper.send(other, forks=True)
    keeper.index.close()


def test_a_rebuilt_index_is_the_one_that_was_lost(keeper: Keeper) -> None:
    station = armed()
    lost, kept = fork_at(station, 7, start=True)
    keeper.send(lost)
    keeper.send(kept[7:], forks=True)

    def known() -> object:
        rows = [replace(row, used=0) for row in keeper.index.branches(UNIT)]
        return rows, keeper.index.lines(UNIT, 0, 99), keeper.index.wanted(UNIT, 99), keeper.codes()

    before = known()
    keeper.forget()
    assert keeper.index.units() == []
    keeper.start()
    assert known() == before
    keeper.start()
    assert known() == before, "a second start finds nothing to do"


def _torn(held: bytes) -> bytes:
    return held[:-20]


def _zeros(held: bytes) -> bytes:
    return held[:-20] + bytes(20)


@pytest.mark.parametrize("damage", [_torn, _zeros])
def test_an_unfinished_write_is_cut_off_at_the_start(keeper: Keeper, damage: Callable[[bytes], bytes]) -> None:
    station = armed()
    keeper.send(station.lines[:5])
    path = keeper.ledgers.path(UNIT, 0)
    path.write_bytes(damage(station.ledger))
    keeper.start()
    assert path.read_bytes() == file_of(station.lines[:-1])
    keeper.open()
    keeper.send(station.lines)
    assert path.read_bytes() == station.ledger


def test_lines_behind_a_hole_of_an_unfinished_write_are_kept_aside(keeper: Keeper) -> None:
    station = armed()
    keeper.send(station.lines[:5])
    path = keeper.ledgers.path(UNIT, 0)
    good = file_of(station.lines[:5])
    rest = bytes(len(station.lines[5])) + b"\n" + file_of(station.lines[6:])
    path.write_bytes(good + rest)
    keeper.start()
    assert path.read_bytes() == good
    assert path.with_name(f"0.jws.{len(good)}.cut").read_bytes() == rest


def test_a_damaged_ledger_is_not_cut_where_the_index_is_lost_too(keeper: Keeper) -> None:
    station = armed()
    keeper.send(station.lines)
    path = keeper.ledgers.path(UNIT, 0)
    held = bytearray(path.read_bytes())
    held[len(file_of(station.lines[:4])) + 100] ^= 1
    path.write_bytes(held)
    keeper.forget()
    with pytest.raises(OperatorError, match="is damaged at byte"):
        keeper.start()
    assert path.read_bytes() == held


def test_another_units_ledger_in_the_folder_is_told(keeper: Keeper) -> None:
    station = armed()
    path = keeper.ledgers.path(UnitName(station="57-003", unit="u1"), 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(station.ledger)
    with pytest.raises(OperatorError, match="does not belong to its unit"):
        keeper.start()
