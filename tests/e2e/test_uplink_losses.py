"""What either side loses: an answer, a process, its memory, the end of its ledger. It comes back, and nothing twice."""

from pathlib import Path

import pytest

from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import Delivering, each_once, play


@pytest.mark.parametrize("number", range(14))
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_exchange_that_is_cut_costs_no_byte_twice(ram: Path, number: int, when: str) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        cut = archive.faults.cut_before if when == "before" else archive.faults.cut_at
        cut.add(number)
        await delivering.deliver()

    delivering, archive = play(ram, scene, seconds=8)
    if when == "after":
        each_once(archive)
    assert sum(len(entry["receipt"]) > 0 for entry in delivering.entries() if isinstance(entry["receipt"], str)) >= 1


def test_every_third_answer_is_lost_and_still_all_arrives_once(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        archive.faults.cut_at.update(range(2, 600, 3))
        await delivering.deliver()

    each_once(play(ram, scene)[1])


@pytest.mark.parametrize("media", range(6))
def test_an_uplink_that_is_killed_goes_on_where_it_was(ram: Path, media: int) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        async with delivering.running():
            await delivering.until(lambda: len(archive.media) >= media, "some media")
        await delivering.deliver()

    each_once(play(ram, scene)[1])


def test_a_lost_database_is_asked_together_again(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        async with delivering.running():
            await delivering.until(lambda: len(archive.media) >= 4, "some media")
        for path in delivering.folder.glob("uplink.sqlite*"):
            path.unlink()
        await delivering.deliver()
        entries = len(delivering.entries())
        (delivering.folder / "uplink.sqlite").write_bytes(b"this is no database" * 1000)
        delivering.station.run(4)
        await delivering.deliver()
        assert len(delivering.entries()) >= entries

    each_once(play(ram, scene)[1])


def test_an_archive_that_has_lost_everything_gets_everything_again(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        await delivering.deliver()
        archive.forget_everything()
        await delivering.deliver()
        assert set(archive.sent.values()) == {2}
        archive.forget_everything()
        async with delivering.running():
            await delivering.until(delivering.complete, "all again while connected")

    play(ram, scene)


def test_an_archive_that_loses_everything_while_connected_gets_it_again(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        async with delivering.running():
            await delivering.until(delivering.complete, "all")
            await delivering.until(delivering.receipted, "all receipted")
            archive.forget_everything()
            delivering.station.run(3)
            await delivering.until(delivering.complete, "all again")

    play(ram, scene)


def test_an_archive_restored_from_a_backup_gets_what_it_lacks(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        await delivering.deliver()
        segments = list(delivering.segments())
        archive.cut_lines(10)
        for sha256 in segments[3:]:
            del archive.media[sha256]
        await delivering.deliver()
        assert [archive.sent[sha256] for sha256 in segments[:3]] == [1, 1, 1]
        assert {archive.sent[sha256] for sha256 in segments[3:]} == {2}

    play(ram, scene)


def test_a_ledger_that_lost_its_tail_is_sent_as_a_branch(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        await delivering.deliver()
        station, ledger = delivering.station, delivering.station.layout.ledger
        lines = ledger.read_bytes().splitlines(keepends=True)
        station.session.storage.close()
        station.lose_power()
        # The card had only said that it held them.
        kept, tail = lines[:-3], lines[-3:]
        ledger.write_bytes(b"".join(kept))
        station.disk = type(station.disk)(station.config.data)
        async with delivering.running():
            await delivering.until(lambda: delivering.delivery.state.connected, "a connection")
            station.start()
            station.run(6)
            await delivering.until(delivering.complete, "the branch")
        assert archive.abandoned == [[line.rstrip(b"\n") for line in tail]]
        await delivering.deliver()

    each_once(play(ram, scene)[1])
