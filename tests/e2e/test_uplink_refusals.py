"""What is not taken, not believed or not there: it is told, held back, and blocks nothing."""

import asyncio
import json
from pathlib import Path

import pytest

from appliance.control.server import ask
from base.errors import OperatorError
from evidence.lines import Pruned
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import Delivering, lines_of, play


def test_an_archive_that_forgets_what_it_acknowledged_is_found_out(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        archive.faults.forget = True
        async with delivering.running() as delivery:
            books = delivery.books
            await delivering.until(lambda: len(books.refused(100)) == len(delivering.segments()), "all held back")
            assert "again and again" in books.refused(1)[0][1]
        assert max(archive.sent.values()) == 5
        assert not delivering.entries()

    play(ram, scene, seconds=6)


@pytest.mark.parametrize(
    "lie",
    [{"station": "57-003"}, {"unit": "u2"}, {"election": "az-2030"}, {"media": ("0" * 64,)}, {"utc_us": 1}],
)
def test_a_receipt_that_is_not_ours_is_not_kept(ram: Path, lie: dict[str, object]) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        async with delivering.running():
            await delivering.until(delivering.receipted, "honest receipts")
            archive.faults.receipt_for = lie
            archive.receipts = {}
            entries = delivering.entries()
            delivering.station.run(4)
            state = delivering.delivery.state
            await delivering.until(lambda: state.receipts_refused >= 2, "refused receipts")
            assert delivering.entries() == entries
            assert state.connected
            archive.faults.receipt_for = {}
            archive.receipts = {}
            await delivering.until(delivering.receipted, "honest receipts again")

    play(ram, scene, seconds=6)


def test_a_forged_receipt_is_not_kept(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        archive.faults.receipt_key = "impostor"
        async with delivering.running():
            await delivering.until(lambda: delivering.delivery.state.receipts_refused >= 3, "refused receipts")
            await delivering.until(delivering.complete, "media go on")
            assert not delivering.entries()
            assert "receipt" in delivering.delivery.state.notes["receipts"]

    play(ram, scene)


def test_a_refused_segment_is_held_back_and_blocks_nothing(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        bad = list(delivering.segments())[2]
        archive.faults.refuse = {bad}
        others = set(delivering.segments()) - {bad}
        for _ in range(2):
            async with delivering.running() as delivery:
                await delivering.until(lambda: others <= set(archive.media), "the others")
                await delivering.until(lambda: bool(delivery.books.refused(10)), "the refusal")
                await delivering.until(lambda: delivering.status().get("quarantined") == 1, "told")
                assert delivering.status()["quarantine"] == [{"sha256": bad, "reason": "media-changed: other bytes"}]
        assert archive.sent[bad] == 1

    play(ram, scene)


def test_bytes_that_have_rotted_and_files_that_are_gone_block_nothing(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        segments = list(delivering.segments().items())
        paths = [
            delivering.station.layout.segment(delivering.station.session.name, each.camera, each.run, each.index)
            for _, each in segments
        ]
        paths[1].unlink()
        paths[2].write_bytes(paths[2].read_bytes()[:-1])
        paths[3].write_bytes(bytes(paths[3].stat().st_size))
        others = {sha256 for sha256, _ in segments} - {segments[n][0] for n in (1, 2, 3)}
        async with delivering.running():
            await delivering.until(lambda: others <= set(archive.media), "the others")
            await delivering.until(lambda: delivering.status().get("quarantined") == 2, "two are told")
            await delivering.until(lambda: delivering.status().get("media_lost") == 1, "one is told")
        assert not {segments[n][0] for n in (1, 2, 3)} & set(archive.media)

    play(ram, scene)


def test_a_refused_line_is_told_and_media_before_it_go_on(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        archive.faults.refuse_line = 14
        async with delivering.running():
            state = delivering.delivery.state
            await delivering.until(lambda: "lines" in state.notes, "told")
            assert "refuses line 14: signature-wrong" in state.notes["lines"]
            await delivering.until(lambda: bool(archive.named) and set(archive.named) <= set(archive.media), "media")
            assert state.connected
            archive.faults.refuse_line = None
            await delivering.until(delivering.complete, "all")

    play(ram, scene)


def test_what_is_released_after_a_look_goes_again_and_nothing_else(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        bad, worse, *_ = list(delivering.segments())
        archive.faults.refuse.update({bad, worse})
        socket = delivering.config.uplink_socket

        async def release(**request: object) -> object:
            return (await asyncio.to_thread(ask, socket, {"verb": "release", **request}))["released"]

        async with delivering.running() as delivery:
            await delivering.until(lambda: len(delivery.books.refused(10)) == 2, "both are held back")
            assert await release(media=["0" * 64]) == 0
            archive.faults.refuse.remove(bad)
            assert await release(media=[bad]) == 1
            await delivering.until(lambda: bad in archive.media, "it goes again")
            assert archive.sent[worse] == 1
            assert await release() == 1
            await delivering.until(lambda: archive.sent[worse] == 2, "and so does the other")
            await delivering.until(lambda: len(delivery.books.refused(10)) == 1, "which is held back again")
            for wrong in ("all", ["../x"], [1]):
                with pytest.raises(OperatorError):
                    await release(media=wrong)
            with pytest.raises(OperatorError):
                await release(verb="arm")
        assert archive.sent[bad] == 2

    play(ram, scene)


def test_what_the_archive_forgot_again_and_again_has_its_tries_anew_once_released(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        archive.faults.forget = True
        async with delivering.running() as delivery:
            await delivering.until(lambda: len(delivery.books.refused(100)) == len(delivering.segments()), "held back")
            archive.faults.forget = False
            await asyncio.to_thread(ask, delivering.config.uplink_socket, {"verb": "release"})
            await delivering.until(delivering.complete, "all")
            await delivering.until(delivering.receipted, "all is receipted")

    play(ram, scene, seconds=4)


def test_the_recorder_shows_how_many_receipts_it_has_refused(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        await delivering.deliver()
        station, folder = delivering.station, delivering.uplink.receipts
        for path in folder.glob("*.json"):
            path.write_text(json.dumps({**json.loads(path.read_bytes()), "receipt": "forged"}))
        station.disk.room_bytes = 0
        station.run(15)
        assert station.pipeline.status()["receipts_refused"] == len(list(folder.glob("*.json")))
        assert not [line for line in lines_of(station) if isinstance(line.body, Pruned) and line.body.receipt]

    play(ram, scene)
