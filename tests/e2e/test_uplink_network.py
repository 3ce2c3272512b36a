"""The network does its worst: portals, strangers, silence, nobody there, an archive that has too much to do."""

from dataclasses import replace
from pathlib import Path

from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import Delivering, each_once, play
from tests.fakes.station import authority


def test_a_captive_portal_is_no_archive_and_then_all_goes_on(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        archive.faults.portal = True
        async with delivering.running():
            state = delivering.delivery.state
            await delivering.until(lambda: state.tries >= 2, "two tries")
            assert "does not speak as an archive does" in str(state.why)
            assert not archive.sent
            archive.faults.portal = False
            await delivering.until(delivering.complete, "all")

    play(ram, scene)


def test_a_stranger_with_a_certificate_of_another_root_is_told_nothing(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        async with ArchivePeer(authority(seed="stranger"), ram / "stranger") as stranger:
            honest, delivering.archive = archive, stranger
            async with delivering.running():
                state = delivering.delivery.state
                await delivering.until(lambda: state.tries >= 2, "two tries")
                assert "captive portal" in str(state.why)
            assert stranger.exchanges == 0
        delivering.archive = honest
        await delivering.deliver()

    play(ram, scene)


def test_another_units_uplink_certificate_is_no_archives(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        by = delivering.station.authority
        async with ArchivePeer(by, ram / "impostor", role="uplink") as impostor:
            delivering.archive = impostor
            async with delivering.running():
                await delivering.until(lambda: delivering.delivery.state.tries >= 2, "two tries")
            assert impostor.exchanges == 0

    play(ram, scene)


def test_an_archive_that_takes_requests_and_answers_nothing_is_given_up(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        delivering.answer_s = 0.5
        async with delivering.running():
            state = delivering.delivery.state
            await delivering.until(lambda: len(archive.media) >= 1, "a beginning")
            archive.faults.stall = True
            delivering.station.run(4)
            await delivering.until(lambda: not state.connected, "the connection is given up")
            assert "did not move" in str(state.why)
            archive.faults.stall = False
            await delivering.until(delivering.complete, "all")

    play(ram, scene)


def test_nobody_listens_and_nobody_has_that_name(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        for url, told in (("https://127.0.0.1:1", "no connection"), ("https://no-such-host.invalid", "resolved")):
            delivering.uplink = replace(delivering.uplink, url=url)
            port, archive.port = archive.port, 0
            async with delivering.running():
                state = delivering.delivery.state
                await delivering.until(lambda state=state: state.tries >= 1, "a try")  # type: ignore[misc]
                assert told in str(state.why)
            archive.port = port

    play(ram, scene, seconds=2)


def test_an_archive_that_asks_for_patience_gets_it(ram: Path) -> None:
    waits: list[float] = []

    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        archive.faults.busy = 5
        archive.faults.retry_after = "7"
        delivering.waits = waits
        await delivering.deliver()

    each_once(play(ram, scene)[1])
    assert waits.count(7.0) == 5
