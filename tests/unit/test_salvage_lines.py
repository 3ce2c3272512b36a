"""Lines out of raw bytes: how they are found, put together and put in order."""

import random
from pathlib import Path

from audit.salvage.branches import order
from audit.salvage.candidates import Candidate
from audit.salvage.medium import Medium, ReadErrors
from audit.salvage.salvage import salvage
from audit.salvage.scan import FoundLine, FoundSegment, FoundTornLine, scan
from base.durable import Disk
from evidence import base64url
from evidence.certificate import Trust
from evidence.jws import MAX_BYTES
from tests.fakes.station import Station, authority

BLOCK = 4_096
CHUNK = 1 << 20
TRUST = Trust.from_pem(authority().root_pem)


def recorded(count: int) -> Station:
    station = Station(authority())
    station.begin()
    station.segments(count)
    return station


def found_in(tmp_path: Path, data: bytes) -> list[object]:
    path = tmp_path / "image"
    path.write_bytes(data)
    with Medium(path, "image", ReadErrors()) as medium:
        return list(scan(medium))


def test_a_line_is_found_wherever_it_lies(tmp_path: Path) -> None:
    line = recorded(1).lines[-1]
    for at in (0, 1, BLOCK - 3, CHUNK - len(line), CHUNK - 1, CHUNK, CHUNK + 7):
        data = b"\0" * at + line + b"\n"
        assert found_in(tmp_path, data) == [FoundLine(at, line)]


def test_a_segment_is_found_wherever_it_lies(tmp_path: Path) -> None:
    segment = next(data for name, data in recorded(1).files.items() if name.endswith(".m4s"))
    for at in (0, 1, CHUNK - 24, CHUNK - 9, CHUNK - 8, CHUNK - 7, CHUNK - 1, CHUNK, CHUNK + 7):
        assert found_in(tmp_path, b"\0" * at + segment) == [FoundSegment(at)]


def test_of_a_line_cut_short_the_beginning_is_told(tmp_path: Path) -> None:
    first, second = recorded(1).lines[-2:]
    torn = first[:200]
    assert found_in(tmp_path, torn + b"\0\n" + second + b"\n") == [FoundTornLine(0), FoundLine(202, second)]
    assert found_in(tmp_path, torn + second + b"\n") == [FoundLine(200, second)]
    assert found_in(tmp_path, second) == [FoundTornLine(0)]


def test_endless_beginnings_of_lines_take_no_more_time_than_their_length(tmp_path: Path) -> None:
    """Each of 100,000 beginnings could run on to the end of the file; only the last of each stretch is looked at."""
    found = found_in(tmp_path, b"eyJhbGciOiJFUzI1NiIsImtpZCI6I" * 100_000)
    assert len(found) <= 3
    assert all(isinstance(each, FoundTornLine) for each in found)
    assert found_in(tmp_path, b"eyJhbGciOiJFUzI1NiIsImtpZCI6I" + b"A" * MAX_BYTES + b"\n") == []


def test_a_ledger_in_shuffled_blocks_is_put_together_by_its_chain(tmp_path: Path) -> None:
    """No inode, no directory: only blocks in any order, other bytes between them."""
    station = recorded(60)
    text = station.ledger + b"\0" * (-len(station.ledger) % BLOCK)
    noise = random.Random(7)
    blocks = [text[at : at + BLOCK] for at in range(0, len(text), BLOCK)]
    assert len(blocks) > 8
    noise.shuffle(blocks)
    image = tmp_path / "card.img"
    image.write_bytes(b"".join(block + noise.randbytes(BLOCK) for block in blocks))
    salvage([image], tmp_path / "out", trust=TRUST, disk=Disk())
    assert (tmp_path / "out" / "ledger.jws").read_bytes() == station.ledger


def test_blocks_of_a_ledger_in_the_wrong_order_back_to_back_give_no_line_that_was_never_signed(
    tmp_path: Path,
) -> None:
    station = recorded(60)
    text = station.ledger + b"\0" * (-len(station.ledger) % BLOCK)
    blocks = [text[at : at + BLOCK] for at in range(0, len(text), BLOCK)]
    image = tmp_path / "card.img"
    image.write_bytes(b"".join([blocks[0], *blocks[:0:-1]]))
    salvage([image], tmp_path / "out", trust=TRUST, disk=Disk())
    assert (tmp_path / "out" / "ledger.jws").read_bytes() == station.ledger


def made_up(seq: int, name: str, after: str) -> Candidate:
    """A line that nobody signed, for order alone."""
    prev = base64url.encode(after.ljust(32).encode())
    return Candidate(seq, name.ljust(32).encode(), prev, "kid", False, 0, 0)


def chain(first: int, names: str, after: str = "") -> list[Candidate]:
    return [made_up(first + number, name, names[number - 1] if number else after) for number, name in enumerate(names)]


def names(lines: tuple[Candidate, ...]) -> str:
    return "".join(line.digest.decode().strip() for line in lines)


def test_pieces_around_missing_lines_follow_by_their_numbers() -> None:
    ordered = order([*chain(5, "fgh", "e"), *chain(0, "abc")])
    assert names(ordered.ledger) == "abcfgh"
    assert ordered.missing == [(3, 5)]
    assert ordered.branches == ()


def test_at_a_fork_the_longest_continuation_is_the_ledger_and_the_other_a_branch() -> None:
    ordered = order([*chain(0, "abc"), *chain(3, "xy", "c"), *chain(3, "defg", "c")])
    assert names(ordered.ledger) == "abcdefg"
    assert [names(branch) for branch in ordered.branches] == ["abcxy"]


def test_a_second_record_on_the_same_disk_is_a_branch_of_its_own() -> None:
    ordered = order([*chain(0, "abcdef"), *chain(0, "uvw")])
    assert names(ordered.ledger) == "abcdef"
    assert [names(branch) for branch in ordered.branches] == ["uvw"]


def test_a_line_that_names_a_predecessor_of_a_wrong_number_follows_nothing() -> None:
    ordered = order([*chain(0, "ab"), made_up(7, "z", "b")])
    assert names(ordered.ledger) == "abz"
    assert ordered.missing == [(2, 7)]


def test_more_branches_than_are_kept_are_counted() -> None:
    ordered = order([made_up(0, f"r{number}", "") for number in range(40)])
    assert len(ordered.ledger) == 1
    assert (len(ordered.branches), len(ordered.left_out)) == (16, 23)


def test_no_lines_are_no_ledger() -> None:
    ordered = order([])
    assert (ordered.ledger, ordered.missing) == ((), [])
