"""Reading back what is stored: what is found, at what pace, and where it goes on."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from archive.index.index import Index
from archive.names import UnitName
from archive.parts import Parts, open_parts
from archive.readback import Place, ReadBack, read_place, write_place
from archive.store.store import StoreAwayError
from base.durable import Disk
from tests.fakes.archive import RunningArchive, timeless_authority
from tests.fakes.archive_unit import armed_station, deliver, media_of
from tests.fakes.clock import FakeClock

U1, U2 = UnitName(station="57-002", unit="u1"), UnitName(station="57-003", unit="u2")
PACE = 1_000
ROUND_S = 3_600


class Writes:
    """Stands for the committer."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.lost_ones: list[tuple[UnitName, str]] = []

    async def lost(self, name: UnitName, sha256: str) -> None:
        self._index.lose(name, [sha256])
        self.lost_ones.append((name, sha256))


class Watched:
    """A store whose reading is watched, and that can be away."""

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self.opened: list[str] = []
        self.away = 0

    def open(self, sha256: str) -> BinaryIO:
        if self.away:
            self.away -= 1
            raise StoreAwayError("no route to the store")
        self.opened.append(sha256)
        return self._store.open(sha256)


class Bench:
    """The data of an archive that two units have delivered to, and time that passes only while somebody waits."""

    def __init__(self, parts: Parts, place: Path) -> None:
        self.parts, self.place = parts, place
        self.clock = FakeClock(boot_ns=1)
        self.writes = Writes(parts.index)
        self.store = Watched(parts)
        self.busy = False
        self.longest: list[float] = []
        """Pauses at the end of rounds."""
        self.rounds = 1
        self.most_opened: int | None = None

    def run(self) -> None:
        """Read back for as many rounds as are wanted, or until so many objects were opened."""
        with suppress(asyncio.CancelledError):
            asyncio.run(self._read_back().run())

    def _read_back(self) -> ReadBack:
        return ReadBack(
            index=self.parts.index,
            store=self.store,
            losses=self.writes,
            place=self.place,
            bytes_a_second=PACE,
            clock=self.clock,
            busy=lambda: self.busy,
            pause=self._pause,
        )

    async def _pause(self, seconds: float) -> None:
        self.clock.advance(round(seconds * 1e9))
        if seconds > ROUND_S / 2:
            self.longest.append(seconds)
        full = self.most_opened is not None and len(self.store.opened) >= self.most_opened
        if full or len(self.longest) >= self.rounds:
            raise asyncio.CancelledError


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    archive = RunningArchive(tmp_path / "archive", timeless_authority())
    archive.start()
    try:
        deliver(archive.uplink(), armed_station(archive, 4))
        other = armed_station(archive, 2, station=U2.station, unit=U2.unit, seed="other")
        deliver(archive.uplink(U2.station, U2.unit), other)
    finally:
        archive.stop()
    with open_parts(archive.config, Disk()) as parts:
        yield Bench(parts, tmp_path / "readback.json")


def stored(bench: Bench) -> list[str]:
    """All objects in the order of reading."""
    return [*sorted(bench.parts.index.stored(U1)), *sorted(bench.parts.index.stored(U2))]


def path(bench: Bench, sha256: str) -> Path:
    return bench.parts.config.data / "cas" / sha256[:2] / sha256


def test_everything_is_read_in_order_at_the_set_pace_and_a_round_takes_an_hour_at_least(bench: Bench) -> None:
    everything = stored(bench)
    size_bytes = sum(path(bench, sha256).stat().st_size for sha256 in everything)
    bench.rounds = 2
    bench.run()
    assert bench.store.opened == everything * 2
    assert bench.writes.lost_ones == []
    assert bench.longest == pytest.approx([ROUND_S - size_bytes / PACE] * 2)
    assert bench.clock.boot_ns() / 1e9 == pytest.approx(2 * ROUND_S)


def test_a_damaged_object_is_told_counts_as_stored_no_more_and_is_wanted(bench: Bench) -> None:
    everything = stored(bench)
    damaged = everything[1]
    data = bytearray(path(bench, damaged).read_bytes())
    data[-1] ^= 1
    path(bench, damaged).write_bytes(data)
    bench.run()
    assert bench.writes.lost_ones == [(U1, damaged)]
    assert bench.parts.index.wanted(U1, 9) == [damaged]
    assert stored(bench) == [each for each in everything if each != damaged]
    assert path(bench, damaged).read_bytes() == data, "whoever looks into it later finds it as it was"


def test_a_missing_object_is_told(bench: Bench) -> None:
    gone = stored(bench)[-1]
    path(bench, gone).unlink()
    bench.run()
    assert bench.writes.lost_ones == [(U2, gone)]


def test_an_object_that_is_right_at_the_second_look_is_not_lost(bench: Bench) -> None:
    replaced = stored(bench)[0]
    here = path(bench, replaced)
    here.rename(here.with_suffix(".old"))
    plain = bench.store.open

    def opened(sha256: str) -> BinaryIO:
        try:
            return plain(sha256)
        finally:
            if not here.exists():
                here.with_suffix(".old").rename(here)

    bench.store.open = opened  # type: ignore[method-assign]
    bench.run()
    assert bench.writes.lost_ones == []


def test_the_next_process_goes_on_where_the_last_one_was(bench: Bench) -> None:
    everything = stored(bench)
    bench.most_opened = 3
    bench.run()
    assert bench.store.opened == everything[:3]
    bench.store.opened.clear()
    bench.most_opened = None
    bench.run()
    assert bench.store.opened == everything[2:], "the third was not read to its end"
    assert read_place(bench.place) is None, "the next round begins at the beginning"


@pytest.mark.parametrize("rubbish", [b"", b"{", b"[]", b'{"station": "57-002"}', b"[" * 100_000, b"\xff"])
def test_without_a_place_that_can_be_read_the_round_begins_anew(bench: Bench, rubbish: bytes) -> None:
    bench.place.write_bytes(rubbish)
    bench.run()
    assert bench.store.opened == stored(bench)


def test_a_place_that_is_no_more_is_passed_by(bench: Bench) -> None:
    write_place(bench.place, Place(name=UnitName(station="57-002", unit="u9"), sha256="f" * 64))
    bench.run()
    assert bench.store.opened == sorted(bench.parts.index.stored(U2))


def test_a_place_that_cannot_be_written_ends_nothing(bench: Bench) -> None:
    bench.place.mkdir()
    bench.run()
    assert bench.store.opened == stored(bench)


def test_a_store_that_is_away_is_waited_for_and_nothing_is_lost(bench: Bench) -> None:
    bench.store.away = 3
    bench.run()
    assert bench.store.opened == stored(bench)
    assert bench.writes.lost_ones == []


def test_who_writes_goes_first_but_not_for_ever(bench: Bench) -> None:
    everything = stored(bench)
    bench.busy = True
    bench.run()
    assert bench.store.opened == everything
    size_bytes = sum(path(bench, sha256).stat().st_size for sha256 in everything)
    assert bench.longest == pytest.approx([ROUND_S - size_bytes / PACE - len(everything)])


def test_all_that_was_delivered_is_among_what_is_read(bench: Bench, tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path / "another", timeless_authority())
    assert set(media_of(armed_station(archive, 4))) <= set(stored(bench))
