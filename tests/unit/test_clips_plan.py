"""Which films a range is, what goes into each, and which receipts: from rows alone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.index.rows import BranchRow, HeldSegment, LineRow, ReceiptRow, StampRow, Statement
from archive.names import UnitName
from archive.site.clips.acknowledged import receipts_for
from archive.site.clips.asked import Asked, TooLongError, read_asked
from archive.site.clips.bulk import PAGE, Bulk
from archive.site.clips.plan import Part, Planner
from evidence.lines import Config, Event, Line, Segment, Stamp, Start
from evidence.receipt import Acknowledged
from evidence.words import Mode
from tests.fakes.archive import timeless_authority
from tests.fakes.receipts import Acknowledger
from tests.fakes.station import NOON_US

UNIT = UnitName(station="57-002", unit="u1")
BOOT, SESSION = "b" * 32, "s" * 43
SECOND = 10**9
FIRST_SEQ = 10
LINE_BYTES = 650


def held(
    number: int, *, run: int = 0, branch: int = 0, seq: int | None = None, stored_us: int | None = None
) -> HeldSegment:
    """The segment from second ``2 * number`` of the boot."""
    return HeldSegment(
        name=UNIT,
        branch=branch,
        seq=FIRST_SEQ + number if seq is None else seq,
        session=SESSION,
        boot_id=BOOT,
        segment=Segment(
            camera="cam1",
            run=run,
            index=number,
            mode=Mode.LIVE,
            sha256=f"{number:064x}",
            size=1_000,
            from_ns=2 * number * SECOND,
            to_ns=2 * (number + 1) * SECOND,
            frames=10,
        ),
        stored=True,
        wanted=True,
        pruned=False,
        stored_us=stored_us,
        arrival=number,
        init_sha256="0" * 64,
        run_seq=3,
        start_seq=0,
    )


def line(seq: int, size_bytes: int = LINE_BYTES) -> LineRow:
    return LineRow(seq=seq, sha256="", offset=seq * 100_000, size_bytes=size_bytes, boot_ns=0, start=seq == 0)


class Rows:
    """One unit with one boot, of which UTC is known."""

    def __init__(
        self, segments: Sequence[HeldSegment], lines: Sequence[LineRow], told: Sequence[Statement] = ()
    ) -> None:
        self.held, self.lines, self.told = segments, lines, list(told)
        self.most_asked = 0

    def branches(self, name: UnitName) -> list[BranchRow]:
        row = BranchRow(
            number=0, parent=None, from_seq=0, head_seq=99, head_sha256="", size_bytes=1, closed=False, used=1
        )
        return [row] if name == UNIT else []

    def stamps(self, name: UnitName, branch: int | None = None, after: int = -1) -> list[StampRow]:
        return [StampRow(branch=0, seq=0, boot_id=BOOT, boot_ns=0, utc_us=NOON_US, error_us=1_000)]

    def segments(
        self,
        name: UnitName,
        *,
        camera: str | None = None,
        boot_id: str | None = None,
        from_ns: int | None = None,
        to_ns: int | None = None,
    ) -> list[HeldSegment]:
        assert from_ns is not None
        assert to_ns is not None
        return [row for row in self.held if row.segment.to_ns > from_ns and row.segment.from_ns < to_ns]

    def segments_after(self, name: UnitName, branch: int, seq: int, most: int | None = None) -> list[HeldSegment]:
        assert most is not None
        found = [row for row in self.held[max(0, seq + 1 - FIRST_SEQ) :][:most] if row.seq > seq]
        self.most_asked = max(self.most_asked, len(found))
        return found

    def statements(self, name: UnitName, kinds: Sequence[str] = ()) -> list[Statement]:
        return self.told

    def places(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> list[LineRow]:
        return [row for row in self.lines if from_seq <= row.seq < to_seq]

    def receipts(self, name: UnitName) -> list[ReceiptRow]:
        return []


class Public:
    """All but ``hidden``."""

    def __init__(self, *hidden: int) -> None:
        self.hidden = set(hidden)

    def published(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> set[int]:
        return set(range(from_seq, to_seq)) - self.hidden


def asked(from_s: int = 0, to_s: int = 60) -> Asked:
    begin, end = (datetime.fromtimestamp(NOON_US // 10**6 + second, UTC) for second in (from_s, to_s))
    return read_asked("57-002", "u1", "cam1", f"{begin:%Y%m%dT%H%M%SZ}-{end:%Y%m%dT%H%M%SZ}.mp4")


def seqs(part: Part) -> list[list[int]]:
    return [[row.seq for row in planned.lines] for planned in part.segments]


def statement(seq: int, body: Start | Config | Event) -> Statement:
    stamp = Stamp(boot_ns=0, utc_us=None, error_us=None)
    told = Line(seq=seq, prev="p" * 43, stamp=stamp, body=body)
    return Statement(branch=0, seq=seq, session=SESSION, boot_id=BOOT, heard_us=None, line=told)


LINES = [line(seq) for seq in range(60)]


def test_a_film_holds_the_whole_segments_that_touch_the_range_and_the_lines_between_them() -> None:
    rows = Rows([held(n, seq=FIRST_SEQ + 2 * n) for n in range(5)], LINES)
    (part,) = Planner(rows, Public()).plan(asked(3, 7))
    assert [planned.row.segment.index for planned in part.segments] == [1, 2, 3]
    assert seqs(part) == [[0, 3, 12], [0, 3, 13, 14], [0, 3, 15, 16]]
    assert (part.from_us - NOON_US, part.to_us - NOON_US) == (2_000_000, 8_000_000)
    assert part.complete


def test_profile_and_arming_are_told_once_with_the_session_that_wrote_them() -> None:
    start = Start(
        election="e",
        station="57-002",
        unit="u1",
        boot_id=BOOT,
        session=b"",
        certs=(b"",),
        cameras=("cam1",),
        software="",
        ended="none",
        evidence={},
    )
    told = [
        statement(0, start),
        statement(4, Config(what="profile", profile="p")),
        statement(5, Event(event="armed")),
        statement(6, Event(event="opened")),
        statement(40, Event(event="armed")),
    ]
    (part,) = Planner(Rows([held(0), held(1)], LINES, told), Public()).plan(asked())
    assert [row.seq for row in part.opening] == [0, 4, 5]


def test_each_run_is_a_film_of_its_own() -> None:
    rows = Rows([held(0), held(1), held(2, run=1), held(3, run=1)], LINES)
    parts = Planner(rows, Public()).plan(asked())
    assert [len(part.segments) for part in parts] == [2, 2]


def test_what_is_not_public_is_left_out_and_the_film_is_not_complete() -> None:
    rows = Rows([held(n) for n in range(4)], LINES)
    (part,) = Planner(rows, Public(FIRST_SEQ + 1)).plan(asked())
    assert [planned.row.segment.index for planned in part.segments] == [0, 2, 3]
    assert not part.complete
    assert seqs(part)[1] == [0, 3, 11, 12], "its line stands there all the same"
    assert Planner(rows, Public(*range(60))).plan(asked()) == []


def test_a_film_is_parted_where_more_lines_stand_between_two_segments_than_a_box_can_hold() -> None:
    lines = [*LINES[:12], *(line(seq, 60_000) for seq in range(12, 40)), line(40)]
    rows = Rows([held(0), held(1), held(2, seq=40)], lines)
    parts = Planner(rows, Public()).plan(asked())
    assert [seqs(part) for part in parts] == [[[0, 3, 10], [0, 3, 11]], [[0, 3, 40]]]


def test_an_unknown_unit_has_no_film() -> None:
    file = "20260501T120000Z-20260501T120010Z.mp4"
    assert Planner(Rows([], LINES), Public()).plan(read_asked("1-1", "u9", "cam1", file)) == []


@pytest.mark.parametrize(
    ("file", "error"),
    [
        ("20260501T120000Z-20260501T140001Z.mp4", TooLongError),
        ("20260501T120000Z-20260501T110000Z.mp4", ValueError),
        ("20261301T120000Z-20261301T120100Z.mp4", ValueError),
        ("20260501T120000Z-20260501T120010Z.mkv", LookupError),
        ("20260501T120000Z-20260501T120010Z-0.mp4", LookupError),
        ("٢٠260501T120000Z-20260501T120010Z.mp4", LookupError),
    ],
)
def test_addresses_that_ask_for_nothing_are_told_apart(file: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_asked("57-002", "u1", "cam1", file)
    assert not issubclass(LookupError, ValueError)


def test_names_that_are_none_are_no_address() -> None:
    for names in (("..", "u1", "cam1"), ("57-002", "u/1", "cam1"), ("57-002", "u1", "")):
        with pytest.raises(LookupError):
            read_asked(*names, "20260501T120000Z-20260501T120010Z.mp4")


def test_receipts_are_found_near_the_time_at_which_media_came(tmp_path: Path) -> None:
    key = Acknowledger(timeless_authority(), tmp_path)
    journal = tmp_path / "receipts.jws"
    rows: list[ReceiptRow] = []
    texts: list[bytes] = []
    with journal.open("wb") as file:
        for number in range(40):
            media = [f"{each:064x}" for each in (2 * number, 2 * number + 1)]
            text = key.receipt(media, utc_us=NOON_US + number * 4_000_000).encode()
            rows.append(
                ReceiptRow(name=UNIT, kind=Acknowledged.STORED, subject="", offset=file.tell(), size_bytes=len(text))
            )
            file.write(text + b"\n")
            texts.append(text)
    wanted = [held(n, stored_us=NOON_US + n * 2_000_000 - 3_000_000) for n in (31, 32, 33)]
    assert receipts_for(wanted, rows, journal) == {
        f"{31:064x}": texts[15],
        f"{32:064x}": texts[16],
        f"{33:064x}": texts[16],
    }
    assert receipts_for(wanted, rows, tmp_path / "nothing") == {}
    assert receipts_for([held(31)], rows, journal) == {}, "nobody knows when it came"
    assert receipts_for([held(500, stored_us=NOON_US)], rows, journal) == {}
    journal.write_bytes(b"x" * journal.stat().st_size)
    assert receipts_for(wanted, rows, journal) == {}


def test_lists_of_a_long_day_are_made_a_page_at_a_time() -> None:
    rows = Rows([held(n) for n in range(5_000)], LINES)
    bulk = Bulk(rows, Public(FIRST_SEQ + 7), origin=None, election="e", revoked=lambda: True)
    sums = list(bulk._sums(UNIT, ""))
    assert sum(text.count(".m4s\n") for text in sums) == 4_999
    assert sum(text.count(".mp4\n") for text in sums) == 1, "an init segment is named once"
    assert f"{7:064x}" not in "".join(sums)
    assert max(map(len, sums)) < PAGE * 200
    assert rows.most_asked == PAGE
    urls = "".join(bulk._urls(UNIT, "https://x")).splitlines()
    assert urls[:3] == ["https://x/trust.pem", "https://x/revoked.pem", "https://x/ledger/57-002/u1/0.jws"]
    assert len(urls) == len(set(urls))
