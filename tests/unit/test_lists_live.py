"""The live list: its text, what is kept of it, and who waits for more."""

import asyncio
import gzip
from concurrent.futures import Executor, ThreadPoolExecutor

import m3u8
import pytest

from archive.names import UnitName
from archive.publish.publications import LiveEntry
from archive.site.lists.feed import PAGE, Channel, Feed, TooManyError
from archive.site.lists.live import MOST, live_text
from tests.fakes.listed import example
from tests.fakes.published import UNIT, FakePublications, live_entry

PATH = "/hls/57-002/u1/cam1/live.m3u8"


def channel_of(feed: Feed) -> m3u8.M3U8:
    return m3u8.loads(feed.channels[PATH].body(packed=False).decode())


def test_a_list_is_written_as_the_specification_shows_it() -> None:
    text = live_text([live_entry(7), live_entry(8, arrival=True, discontinuity=True, discontinuities=1)], 2)
    assert text == example("live")


def test_a_discontinuity_counts_once_whether_it_is_still_on_the_list_or_has_left_it() -> None:
    entries = [
        live_entry(0),
        live_entry(1, discontinuity=True, discontinuities=1),
        live_entry(2, discontinuities=1),
        live_entry(3, discontinuity=True, discontinuities=2),
    ]
    told = [m3u8.loads(live_text(entries[at:], 2)) for at in range(4)]
    assert [each.discontinuity_sequence for each in told] == [0, 0, 1, 1]
    assert [sum(segment.discontinuity for segment in each.segments) for each in told] == [2, 2, 1, 1]


def test_a_new_init_segment_is_named_where_it_begins() -> None:
    text = live_text([live_entry(0), live_entry(1, init="a"), live_entry(2, init="a")], 2)
    assert text.count("#EXT-X-MAP") == 2


def test_an_entry_that_was_fetched_is_never_written_otherwise() -> None:
    channel, seen = Channel(), dict[int, str]()
    for msn in range(40):
        channel.add(live_entry(msn, discontinuity=msn % 7 == 6, discontinuities=msn // 7))
        for segment in m3u8.loads(channel.body(packed=False).decode()).segments:
            number = int(segment.uri[-10:-4], 16)
            told = f"{segment.current_program_date_time} {segment.duration} {segment.discontinuity}"
            assert seen.setdefault(number, told) == told
    assert len(seen) == 40


def test_the_target_never_shrinks_and_no_entry_is_longer() -> None:
    channel = Channel()
    for msn, duration_us in enumerate([2_000_000, 3_600_000, *[2_000_000] * MOST]):
        channel.add(live_entry(msn, duration_us=duration_us))
        told = m3u8.loads(channel.body(packed=False).decode())
        assert told.target_duration is not None
        assert all(segment.duration <= told.target_duration + 0.5 for segment in told.segments)
    assert channel.target_s == 4
    assert "HOLD-BACK=12.0" in channel.body(packed=False).decode()


def test_what_comes_twice_changes_nothing_and_what_comes_behind_a_hole_begins_anew() -> None:
    channel = Channel()
    for msn in (3, 4, 4, 3, 5):
        channel.add(live_entry(msn))
    assert channel.body(packed=False) == live_text([live_entry(msn) for msn in (3, 4, 5)], 2).encode()
    channel.add(live_entry(9))
    assert channel.body(packed=False) == live_text([live_entry(9)], 2).encode()


def test_packed_it_says_the_same() -> None:
    channel = Channel()
    channel.add(live_entry(0))
    assert gzip.decompress(channel.body(packed=True)) == channel.body(packed=False)
    channel.add(live_entry(1))
    assert gzip.decompress(channel.body(packed=True)) == channel.body(packed=False)


def test_every_entry_is_found_wherever_it_was_published_while_the_lists_were_loaded() -> None:
    async def main(before: int) -> None:
        published = FakePublications()
        names = [UnitName(station="1-1", unit=f"u{number}") for number in range(3)]
        asked = 0

        def publish() -> None:
            for name in names:
                msn = len([entry for entry in published.entries if entry.name == name])
                published.entries.append(live_entry(msn, name=name, position=len(published.entries) + 1))

        class Busy(FakePublications):
            """Something is published before one question."""

            def live(self, name: UnitName, camera: str, most: int) -> list[LiveEntry]:
                nonlocal asked
                asked += 1
                if asked == before:
                    publish()
                return published.live(name, camera, most)

        publish()
        busy = Busy()
        busy.entries = published.entries
        with ThreadPoolExecutor(1) as thread:
            feed = Feed(busy, thread)
            await feed.load()
            await feed.look()
        assert asked == 6
        assert [feed.channels[f"/hls/1-1/{name.unit}/cam1/live.m3u8"].msn for name in names] == [1, 1, 1]

    for before in range(1, 7):
        asyncio.run(main(before))


def test_publications_that_were_made_anew_begin_the_lists_anew() -> None:
    async def main(thread: Executor) -> None:
        published = FakePublications()
        published.entries = [live_entry(msn) for msn in range(30)]
        feed = Feed(published, thread)
        await feed.load()
        assert not await feed.look()
        for entries in ([live_entry(0), live_entry(1)], []):
            published.entries = list(entries)
            assert await feed.look()
            assert not feed.loaded
            assert not feed.channels
            await feed.load()
            assert not await feed.look()
            assert [channel.msn for channel in feed.channels.values()] == [1] * bool(entries)
        published.entries.append(live_entry(0))
        await feed.look()
        assert feed.channels[PATH].msn == 0

    with ThreadPoolExecutor(1) as thread:
        asyncio.run(main(thread))


def test_one_look_after_the_other_takes_in_a_backlog() -> None:
    async def main(thread: Executor) -> None:
        published = FakePublications()
        feed = Feed(published, thread)
        await feed.load()
        published.entries = [live_entry(msn) for msn in range(PAGE + 5)]
        assert await feed.look()
        assert not await feed.look()
        assert [int(segment.uri[-9:-4], 16) for segment in channel_of(feed).segments] == [
            *range(PAGE + 5 - MOST, PAGE + 5)
        ]

    with ThreadPoolExecutor(1) as thread:
        asyncio.run(main(thread))


def test_a_reload_waits_for_its_entry_and_all_who_wait_go_on_together() -> None:
    async def main(thread: Executor) -> None:
        published = FakePublications()
        published.entries = [live_entry(0)]
        feed = Feed(published, thread)
        await feed.load()
        channel = feed.channels[PATH]
        waiting = [asyncio.create_task(feed.reach(channel, msn)) for msn in (1, 1, 2)]
        await asyncio.sleep(0)
        published.entries.append(live_entry(1))
        await feed.look()
        await asyncio.gather(*waiting[:2])
        assert not waiting[2].done()
        published.entries.append(live_entry(2))
        await feed.look()
        await waiting[2]

    with ThreadPoolExecutor(1) as thread:
        asyncio.run(main(thread))


def test_a_reload_that_has_waited_long_enough_is_answered_with_what_there_is() -> None:
    async def main() -> None:
        channel = Channel()
        channel.add(live_entry(0))
        await channel.reach(1, 0.01)
        assert channel.msn == 0

    asyncio.run(main())


def test_no_more_reloads_wait_than_there_is_room_for_and_the_room_comes_back() -> None:
    async def main(thread: Executor) -> None:
        published = FakePublications()
        published.entries = [live_entry(0)]
        feed = Feed(published, thread, most_waiting=2)
        await feed.load()
        channel = feed.channels[PATH]
        waiting = [asyncio.create_task(feed.reach(channel, 1)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyError):
            await feed.reach(channel, 1)
        waiting[0].cancel()
        await asyncio.wait(waiting[:1])
        again = asyncio.create_task(feed.reach(channel, 1))
        await asyncio.sleep(0)
        published.entries.append(live_entry(1))
        await feed.look()
        await asyncio.gather(waiting[1], again)

    with ThreadPoolExecutor(1) as thread:
        asyncio.run(main(thread))


def test_while_the_database_fails_the_lists_stand_still_and_then_go_on() -> None:
    async def main(thread: Executor) -> None:
        published = FakePublications()
        published.entries = [live_entry(0)]
        feed = Feed(published, thread)
        await feed.load()
        published.failing = True
        published.entries.append(live_entry(1))
        with pytest.raises(OSError, match="cannot be read"):
            await feed.look()
        assert feed.channels[PATH].msn == 0
        published.failing = False
        await feed.look()
        assert feed.channels[PATH].msn == 1
        assert [(entry.name, entry.camera) for entry in published.entries] == [(UNIT, "cam1")] * 2

    with ThreadPoolExecutor(1) as thread:
        asyncio.run(main(thread))
