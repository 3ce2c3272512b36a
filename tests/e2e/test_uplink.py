"""A real record, a real uplink, real TLS; the archive is a small honest one in memory."""

import json
from pathlib import Path

from appliance.pipeline import Pipeline
from evidence.lines import Event, Pruned
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import Delivering, deliver, each_once, lines_of, play


def test_a_record_arrives_byte_for_byte_and_everything_once(ram: Path) -> None:
    delivering, archive = play(ram, deliver)
    for sha256, segment in delivering.segments().items():
        path = delivering.station.layout.segment(
            delivering.station.session.name, segment.camera, segment.run, segment.index
        )
        assert archive.media[sha256] == path.read_bytes()
    assert len(archive.media) >= 7
    each_once(archive)


def test_lines_go_before_media_the_newest_segment_is_live_and_the_rest_follows_oldest_first(ram: Path) -> None:
    delivering, archive = play(ram, deliver)
    assert [each.split()[1] for each in archive.log[:2]] == ["/v1/lines", "/v1/lines"]
    segments = list(delivering.segments())
    by_priority = {u: [sha256 for sha256, priority in archive.order if priority == u] for u in ("u=1", "u=6")}
    assert by_priority["u=1"] == [segments[-1]]
    # Two backfill lanes work side by side: neighbours may change places.
    places = [segments.index(sha256) for sha256 in by_priority["u=6"]]
    assert all(abs(place - at) <= 1 for at, place in enumerate(places))


def test_what_is_unarmed_stays_on_the_unit(ram: Path) -> None:
    delivering, archive = play(ram, deliver)
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
    each_once(archive)


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
