"""A real record, a real uplink, real TLS; the archive is a small honest one in memory. The network does its worst."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.pipeline import Pipeline
from evidence.lines import Event, Pruned
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import Delivering, lines_of
from tests.fakes.station import authority
from tests.fakes.stepped import SteppedStation

Scene = Callable[[Delivering, ArchivePeer], Awaitable[None]]


def _record(folder: Path, seconds: int) -> SteppedStation:
    """A station whose recorder was armed after two segments and still runs."""
    folder.mkdir()
    station = SteppedStation(folder)
    station.start()
    station.run(4)
    station.arm()
    station.run(seconds)
    return station


def play(folder: Path, scene: Scene, *, seconds: int = 16) -> tuple[Delivering, ArchivePeer]:
    """``scene`` with a recorded station and an archive that listens."""
    station = _record(folder / "unit", seconds)

    async def all_of_it() -> tuple[Delivering, ArchivePeer]:
        async with ArchivePeer(station.authority, folder / "archive") as archive:
            delivering = Delivering(folder, station, archive)
            await scene(delivering, archive)
            return delivering, archive

    return asyncio.run(all_of_it())


async def _deliver(delivering: Delivering, archive: ArchivePeer) -> None:
    await delivering.deliver()


def _each_once(archive: ArchivePeer) -> None:
    assert set(archive.sent.values()) == {1}, archive.sent


def test_a_record_arrives_byte_for_byte_and_everything_once(ram: Path) -> None:
    delivering, archive = play(ram, _deliver)
    for sha256, segment in delivering.segments().items():
        path = delivering.station.layout.segment(
            delivering.station.session.name, segment.camera, segment.run, segment.index
        )
        assert archive.media[sha256] == path.read_bytes()
    assert len(archive.media) >= 7
    _each_once(archive)


def test_lines_go_before_media_the_newest_segment_is_live_and_the_rest_follows_oldest_first(ram: Path) -> None:
    delivering, archive = play(ram, _deliver)
    assert [each.split()[1] for each in archive.log[:2]] == ["/v1/lines", "/v1/lines"]
    segments = list(delivering.segments())
    by_priority = {u: [sha256 for sha256, priority in archive.order if priority == u] for u in ("u=1", "u=6")}
    assert by_priority["u=1"] == [segments[-1]]
    # Two backfill lanes work side by side: neighbours may change places.
    places = [segments.index(sha256) for sha256 in by_priority["u=6"]]
    assert all(abs(place - at) <= 1 for at, place in enumerate(places))


def test_what_is_unarmed_stays_on_the_unit(ram: Path) -> None:
    delivering, archive = play(ram, _deliver)
    assert set(archive.sent) == set(delivering.segments())
    unarmed = sum(1 for _ in delivering.station.layout.media.rglob("*.m4s")) - len(archive.sent)
    assert unarmed >= 2


def test_what_is_counted_goes_before_what_was_before(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        delivering.station.command(_mark_counting)
        delivering.station.run(10)
        await delivering.deliver()

    delivering, archive = play(ram, scene)
    segments = list(delivering.segments())
    backfilled = [segments.index(sha256) for sha256, priority in archive.order if priority == "u=6"]
    counted = sum(place >= 7 for place in backfilled)
    assert counted >= 3
    assert all(place >= 7 for place in backfilled[: counted - 1])


def _mark_counting(pipeline: Pipeline) -> dict[str, object]:
    pipeline.enqueue(Event(event="counting"))
    pipeline.commit()
    return {}


def test_new_lines_and_segments_go_up_while_connected(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        async with delivering.running():
            await delivering.until(delivering.complete, "what there was")
            connections = archive.log.count("POST /v1/lines 200")
            for _ in range(4):
                delivering.station.run(2)
                await delivering.until(delivering.complete, "what is new")
            assert archive.log.count("POST /v1/lines 200") > connections
            live = [sha256 for sha256, priority in archive.order if priority == "u=1"]
            assert len(live) >= 4
            told = delivering.delivery.state
            assert (told.connected, told.notes) == (True, {})

    _, archive = play(ram, scene)
    _each_once(archive)


@pytest.mark.parametrize("number", range(14))
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_exchange_that_is_cut_costs_no_byte_twice(ram: Path, number: int, when: str) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        cut = archive.faults.cut_before if when == "before" else archive.faults.cut_at
        cut.add(number)
        await delivering.deliver()

    delivering, archive = play(ram, scene, seconds=8)
    if when == "after":
        _each_once(archive)
    assert sum(len(entry["receipt"]) > 0 for entry in delivering.entries() if isinstance(entry["receipt"], str)) >= 1


def test_every_third_answer_is_lost_and_still_all_arrives_once(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        archive.faults.cut_at.update(range(2, 600, 3))
        await delivering.deliver()

    _each_once(play(ram, scene)[1])


@pytest.mark.parametrize("media", range(6))
def test_an_uplink_that_is_killed_goes_on_where_it_was(ram: Path, media: int) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        async with delivering.running():
            await delivering.until(lambda: len(archive.media) >= media, "some media")
        await delivering.deliver()

    _each_once(play(ram, scene)[1])


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

    _each_once(play(ram, scene)[1])


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

    _each_once(play(ram, scene)[1])


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


def test_an_archive_that_asks_for_patience_gets_it(ram: Path) -> None:
    waits: list[float] = []

    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        archive.faults.busy = 5
        archive.faults.retry_after = "7"
        delivering.waits = waits
        await delivering.deliver()

    _each_once(play(ram, scene)[1])
    assert waits.count(7.0) == 5


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


def test_nothing_is_sent_beyond_the_durable_head(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        head = delivering.station.config.run / "head.json"
        early = head.read_bytes()
        delivering.station.run(6)
        late = head.read_bytes()
        head.write_bytes(early)
        async with delivering.running():
            await delivering.until(lambda: len(archive.lines) == json.loads(early)["seq"] + 1, "up to the head")
            await delivering.until(lambda: delivering.status().get("connected") is True, "told")
            assert len(archive.lines) == json.loads(early)["seq"] + 1
            head.write_bytes(late)
            await delivering.until(delivering.complete, "all")

    play(ram, scene)


def test_entries_go_when_the_recorder_has_used_them(ram: Path) -> None:
    async def scene(delivering: Delivering, archive: ArchivePeer) -> None:
        await delivering.deliver()
        station, before = delivering.station, delivering.entries()
        station.disk.room_bytes = 0
        station.run(15)
        station.disk.room_bytes = None
        station.run(2)
        receipts = {line.body.receipt for line in lines_of(station) if isinstance(line.body, Pruned)} - {None}
        used = [entry for entry in before if entry["receipt"] in receipts]
        assert used
        async with delivering.running():
            await delivering.until(lambda: not [each for each in delivering.entries() if each in used], "used ones go")

    play(ram, scene)
