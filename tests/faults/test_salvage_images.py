"""Real ext4 images, damaged in every place: what comes out is exactly what is still whole, and nothing false does.

e2fsprogs makes the images and says where things lie on them; the code under test uses none of it.
"""

import errno
import os
import random
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from audit.salvage.medium import Medium
from audit.salvage.report import as_json, in_words, lost_anything
from audit.salvage.salvage import Salvaged, salvage
from audit.salvage.sources import Image
from audit.verify import verify
from base.durable import Disk
from evidence.certificate import Trust
from evidence.jws import unseal
from evidence.lines import Recovered, Segment, read_payload
from tests.fakes.station import Station, authority

TRUST = Trust.from_pem(authority().root_pem)
SEGMENTS = 90
UNIT = b'{"election": "az-2026", "station": "57-002", "unit": "u1"}\n'
_SBIN = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


def run(program: str, *words: str | Path, given: str = "") -> str:
    found = shutil.which(program, path=_SBIN)
    assert found is not None, f"{program} is missing: tools/setup test"
    done = subprocess.run([found, *words], input=given, capture_output=True, text=True, check=True)
    return done.stdout


@dataclass(frozen=True, slots=True)
class Card:
    """A unit's disk as an image. ``begin`` is where the file system begins in it."""

    station: Station
    image: Path
    block: int
    begin: int = 0

    @property
    def target(self) -> str:
        return f"{self.image}?offset={self.begin}"

    def blocks(self, path: str) -> list[int]:
        """Where the blocks of a file or folder lie in the image, by debugfs."""
        listed = run("debugfs", "-R", f"blocks {path}", self.target).split()
        return [self.begin + int(number) * self.block for number in listed]

    def zero(self, places: Iterable[int], size: int | None = None) -> None:
        with self.image.open("r+b") as file:
            for at in places:
                file.seek(at)
                file.write(bytes(size or self.block))

    def whole(self, name: str) -> bool:
        """Whether the file's bytes are all in the image still, where debugfs said that they lie."""
        data = self.station.files[name]
        found = self.places[name]
        with self.image.open("rb") as file:
            parts = []
            for at in found:
                file.seek(at)
                parts.append(file.read(self.block))
        return b"".join(parts)[: len(data)] == data

    @property
    def places(self) -> dict[str, list[int]]:
        return _PLACES[self.image]


_PLACES: dict[Path, dict[str, list[int]]] = {}


def make_card(
    tmp_path: Path, *, block: int = 1024, size: str = "24m", begin: int = 0, station: Station | None = None
) -> Card:
    if station is None:
        station = Station(authority())
        station.begin()
        station.segments(SEGMENTS)
    folder = station.write(tmp_path / "unit")
    (folder / "unit.json").write_bytes(UNIT)
    system = tmp_path / "system.img"
    run("mkfs.ext4", "-q", "-b", str(block), "-d", folder, system, size)
    image = tmp_path / "card.img"
    with image.open("wb") as file:
        file.truncate(begin)
        file.seek(begin)
        file.write(system.read_bytes())
    system.unlink()
    card = Card(station, image, block, begin)
    listing = [f"blocks /{name}" for name in ("ledger.jws", *station.files)]
    text = run("debugfs", "-f", "-", card.target, given="\n".join(listing) + "\n")
    found = re.findall(r"^(?:debugfs: )?blocks /(\S+)\n([0-9 ]*)$", text, re.MULTILINE)
    _PLACES[image] = {name: [begin + int(each) * block for each in numbers.split()] for name, numbers in found}
    assert set(_PLACES[image]) == {"ledger.jws", *station.files}
    return card


def salvaged(card: Card, *sources: Path, open_medium: Callable[..., Medium] = Medium) -> tuple[Salvaged, Path]:
    out = card.image.parent / f"out-{len(list(card.image.parent.glob('out-*')))}"
    before = [sha256(source.read_bytes()).digest() for source in sources or [card.image]]
    found = salvage(list(sources) or [card.image], out, trust=TRUST, disk=Disk(), open_medium=open_medium)
    assert [sha256(source.read_bytes()).digest() for source in sources or [card.image]] == before
    return found, out


def kept_media(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.glob("media/*/*/*/*")}


def kept_lines(out: Path) -> list[bytes]:
    return (out / "ledger.jws").read_bytes().splitlines()


def codes(out: Path) -> set[str]:
    records = verify([out], trust=TRUST)["records"]
    assert isinstance(records, list)
    return {finding["code"] for record in records for finding in record["findings"]}


def assert_all(card: Card, found: Salvaged, out: Path) -> None:
    """Everything is here, byte for byte."""
    assert kept_lines(out) == card.station.lines
    assert kept_media(out) == card.station.files
    assert not lost_anything(found)
    assert codes(out) == {"open-end"}


def assert_nothing_false(card: Card, out: Path) -> None:
    """Kept lines are the unit's own, in order; kept media are the very files, each named by a kept line."""
    lines = kept_lines(out)
    assert [line for line in card.station.lines if line in set(lines)] == lines
    bodies = [read_payload(unseal(line).payload).body for line in lines]
    named = {body.sha256 for body in bodies if isinstance(body, Segment | Recovered)}
    for name, data in kept_media(out).items():
        assert card.station.files[name] == data
        assert name.endswith("init.mp4") or sha256(data).hexdigest() in named


@pytest.fixture(params=[1024, 4096])
def card(request: pytest.FixtureRequest, tmp_path: Path) -> Card:
    return make_card(tmp_path, block=request.param)


def test_an_undamaged_image_gives_everything(card: Card) -> None:
    assert_all(card, *salvaged(card))


def test_files_whose_directories_are_gone_come_out(card: Card) -> None:
    session = card.station.kid
    folders = ["/", "/media", f"/media/{session}", f"/media/{session}/cam-0", f"/media/{session}/cam-0/0"]
    card.zero(at for folder in folders for at in card.blocks(folder))
    found, out = salvaged(card)
    assert_all(card, found, out)
    assert (out / "unit.json").read_bytes() == UNIT


def test_the_first_superblock_and_every_group_descriptor_behind_it_may_be_gone(tmp_path: Path) -> None:
    """A backup says where everything lies; descriptors have copies of their own."""
    card = make_card(tmp_path, block=1024)
    card.zero([0], size=20 * 1024)
    found, out = salvaged(card)
    (source,) = found.sources
    assert isinstance(source, Image)
    assert [(each.begin, each.block_size) for each in source.file_systems] == [(0, 1024)]
    assert_all(card, found, out)


def test_without_any_metadata_whole_files_are_carved_from_raw_bytes(card: Card) -> None:
    """Superblocks, descriptors, inodes and directories: everything that is no file's content."""
    used = {at for places in card.places.values() for at in places}
    card.zero(at for at in range(0, card.image.stat().st_size, card.block) if at not in used)
    found, out = salvaged(card)
    (source,) = found.sources
    assert isinstance(source, Image)
    assert source.file_systems == ()
    assert found.rescue.rebuilt_inits == 1
    assert_all(card, found, out)


@pytest.mark.parametrize("label", ["dos", "gpt"])
def test_a_whole_card_with_a_partition_table_is_read_whether_or_not_the_table_is_there(
    label: str, tmp_path: Path
) -> None:
    card = make_card(tmp_path, begin=4 << 20)
    with card.image.open("r+b") as file:
        file.truncate(card.image.stat().st_size + (1 << 20))
    run("sfdisk", "-q", card.image, given=f"label: {label}\nstart=8192, size=49152, type=L\n")
    assert_all(card, *salvaged(card))
    card.zero([0, card.image.stat().st_size - (64 << 10)], size=64 << 10)
    assert_all(card, *salvaged(card))


@pytest.mark.parametrize("seed", range(4))
def test_of_random_sectors_zeroed_exactly_what_lay_in_them_is_lost(seed: int, tmp_path: Path) -> None:
    card = make_card(tmp_path, block=(1024, 4096)[seed % 2])
    chosen = random.Random(seed)
    used = sorted({at for places in card.places.values() for at in places})
    sectors = [chosen.choice(used) + 512 * chosen.randrange(card.block // 512) for _ in range(25)]
    sectors += [512 * chosen.randrange(card.image.stat().st_size // 512) for _ in range(200)]
    start_at = card.places["ledger.jws"][0]
    sectors = [at for at in sectors if not start_at <= at < start_at + 4096]  # else nothing can be attributed
    card.zero(sectors, size=512)
    found, out = salvaged(card)
    assert_nothing_false(card, out)
    assert kept_lines(out) == lines_still_there(card)
    named = {each.path for each in found.wanted}
    whole = {name for name in card.station.files if card.whole(name) and name in named}
    assert {name for name in kept_media(out) if name.endswith(".m4s")} == whole
    assert named - whole
    assert lost_anything(found)
    assert codes(out) <= {"line-missing", "media-missing", "media-unnamed", "open-end"}


def lines_still_there(card: Card) -> list[bytes]:
    """The lines whose every byte, LF included, is where it was."""
    with card.image.open("rb") as file:
        parts = []
        for at in card.places["ledger.jws"]:
            file.seek(at)
            parts.append(file.read(card.block))
    text, at, whole = b"".join(parts), 0, []
    for line in card.station.lines:
        end = at + len(line) + 1
        if text[at:end] == line + b"\n":
            whole.append(line)
        at = end
    return whole


def test_the_start_line_gone_leaves_nothing_that_verifies_and_says_so(card: Card) -> None:
    card.zero(card.places["ledger.jws"][:1], size=512)
    found, out = salvaged(card)
    assert found.judged.names is None
    assert not (out / "ledger.jws").exists()
    assert len(found.judged.unchecked) >= len(card.station.lines) - 3
    assert len(found.rescue.unnamed) == SEGMENTS
    assert kept_media(out) == {}


def test_a_truncated_image_gives_what_lies_before_its_end(card: Card) -> None:
    used = sorted(at for places in card.places.values() for at in places)
    ledger_end = max(card.places["ledger.jws"]) + card.block
    end = max(used[len(used) * 3 // 4], ledger_end)  # the ledger stays whole, so that what is lost can be named
    with card.image.open("r+b") as file:
        file.truncate(end)
    _, out = salvaged(card)
    assert kept_lines(out) == card.station.lines
    whole = {name for name, places in card.places.items() if all(at + card.block <= end for at in places)}
    whole.add(f"media/{card.station.kid}/cam-0/0/init.mp4")  # rebuilt where it lay beyond the end
    assert {*kept_media(out), "ledger.jws"} == whole
    assert 10 < len(whole) < SEGMENTS
    assert_nothing_false(card, out)


def test_two_damaged_copies_of_one_card_make_one_whole(card: Card) -> None:
    copy = card.image.with_name("copy.img")
    shutil.copy(card.image, copy)
    places = [found for name, found in card.places.items() if name.endswith(".m4s")]
    card.zero(at for found in places[::2] for at in found)
    Card(card.station, copy, card.block).zero(at for found in places[1::2] for at in found)
    first, _ = salvaged(card)
    assert len(first.rescue.kept) == SEGMENTS // 2
    found, out = salvaged(card, card.image, copy)
    assert_all(card, found, out)


def test_unreadable_sectors_are_read_around_and_listed(card: Card) -> None:
    victims = [f"media/{card.station.kid}/cam-0/0/{index:06d}.m4s" for index in (3, 4, 50)]
    bad = {at // 4096 for name in victims for at in card.places[name]}

    class Scratched(Medium):
        def _pread(self, at: int, length: int) -> bytes:
            if bad & set(range(at // 4096, -(-(at + length) // 4096))):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super()._pread(at, length)

    found, out = salvaged(card, open_medium=Scratched)
    hit = {name for name, places in card.places.items() if any(at // 4096 in bad for at in places)}
    assert set(victims) <= hit
    assert set(card.station.files) - hit == set(kept_media(out))
    listed = {
        block for each in found.errors.found for block in range(each.offset // 4096, (each.offset + each.size) // 4096)
    }
    assert listed == bad
    assert_nothing_false(card, out)
    assert as_json(found)["read_errors_unlisted_bytes"] == 0


def test_files_in_many_pieces_are_put_together_by_their_inodes(tmp_path: Path) -> None:
    """debugfs writes into the holes that deleted files leave: a ledger of many pieces, two levels of extents."""
    card = scattered(tmp_path, journal=False)
    extents = run("debugfs", "-R", "ex f0", card.image)
    assert len(extents.splitlines()) > 20
    assert " 1/ 1" in extents
    assert_all(card, *salvaged(card))


def scattered(tmp_path: Path, *, journal: bool) -> Card:
    """A card on which no file lies in one piece: debugfs writes into the holes that deleted files leave."""
    station = Station(authority())
    station.begin()
    station.segments(SEGMENTS)
    folder = station.write(tmp_path / "unit")
    crumb = tmp_path / "crumb"
    crumb.write_bytes(b"x" * 1024)
    image = tmp_path / "card.img"
    options = ["-J", "size=1"] if journal else ["-O", "^has_journal"]
    run("mkfs.ext4", "-q", "-b", "1024", *options, "-N", "1000", image, "4100k" if journal else "3m")
    crumbs = [f"write {crumb} c{number}" for number in range(700)]
    deleted = [f"rm c{number}" for number in range(0, 700, 2)]
    written = [f"write {folder / name} f{number}" for number, name in enumerate(["ledger.jws", *station.files])]
    run("debugfs", "-w", "-f", "-", image, given="\n".join([*crumbs, *deleted, *written]) + "\n")
    return Card(station, image, 1024)


def test_after_a_power_cut_inodes_that_only_the_journal_has_are_found(tmp_path: Path) -> None:
    """The newest inodes are written to the journal first; who mounts nothing replays nothing."""
    card = scattered(tmp_path, journal=True)
    tables = re.findall(r"Inode table at (\d+)-(\d+)", run("dumpe2fs", card.image))
    blocks = [number for begin, end in tables for number in range(int(begin), int(end) + 1)]
    content = tmp_path / "tables"
    data = card.image.read_bytes()
    content.write_bytes(b"".join(data[number * 1024 : (number + 1) * 1024] for number in blocks))
    listed = ",".join(map(str, blocks))
    run("debugfs", "-w", "-f", "-", card.image, given=f"jo\njw -b {listed} {content}\njc\n")
    card.zero(number * 1024 for number in blocks)
    assert_all(card, *salvaged(card))
    in_journal = card.image.read_bytes().find(content.read_bytes()[1024:2048])
    card.zero(range(in_journal // 1024 * 1024, in_journal + len(blocks) * 1024, 1024))
    found, _ = salvaged(card)
    assert lost_anything(found)  # so it was the journal that told


def test_tables_that_lead_in_circles_are_given_up(tmp_path: Path) -> None:
    """Four thousand inodes, each of a file as long as the card: a thousand times the card would have to be read."""
    station = Station(authority())
    station.begin()
    station.segments(1)
    (segment,) = (data for name, data in station.files.items() if name.endswith(".m4s"))
    block, blocks, inodes = 1024, 16 << 10, 4_000
    superblock = bytearray(1024)
    struct.pack_into("<I", superblock, 4, blocks)
    struct.pack_into("<IIII", superblock, 20, 1, 0, 0, 8192)
    superblock[56:58] = b"\x53\xef"
    head = segment[: block - 1] + b"\0"
    image = tmp_path / "card.img"
    with image.open("wb") as file:
        file.write(bytes(1024) + superblock)
        for number in range(inodes):
            inode = bytearray(128)
            struct.pack_into("<HxxI", inode, 0, 0x8000, (blocks - 8_192) * block)
            struct.pack_into("<I", inode, 32, 0x80000)
            struct.pack_into("<HHHHI", inode, 40, 0xF30A, 1, 4, 0, 0)
            struct.pack_into("<IHHI", inode, 52, 0, blocks - 8_192, 0, 4_000 + number)
            file.write(inode)
        for _ in range(blocks - 2 - inodes // 8):
            file.write(head)
    read = 0

    class Counting(Medium):
        def _pread(self, at: int, length: int) -> bytes:
            nonlocal read
            read += length
            return super()._pread(at, length)

    found = salvage([image], tmp_path / "out", trust=TRUST, disk=Disk(), open_medium=Counting)
    (source,) = found.sources
    assert isinstance(source, Image)
    assert source.worn
    assert lost_anything(found)
    assert "lead in circles" in in_words(found, "out")
    assert read < 20 * image.stat().st_size
    assert kept_media(tmp_path / "out") == {}


def test_an_image_of_noise_gives_nothing(tmp_path: Path) -> None:
    image = tmp_path / "noise.img"
    image.write_bytes(random.Random(1).randbytes(8 << 20))
    found = salvage([image], tmp_path / "out", trust=TRUST, disk=Disk())
    assert found.judged.names is None
    assert list((tmp_path / "out").iterdir()) == []


def test_a_sparse_image_of_any_length_is_quickly_done_with(tmp_path: Path) -> None:
    card = make_card(tmp_path)
    with card.image.open("r+b") as file:
        file.truncate(1 << 42)
    found = salvage([card.image], tmp_path / "out", trust=TRUST, disk=Disk())
    assert_all(card, found, tmp_path / "out")
