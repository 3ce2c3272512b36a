"""Lines before live, live before backfill."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from appliance.uplink.way import Rank, Way


async def _waits(way: Way, rank: Rank) -> bool:
    """Whether one of ``rank`` has to wait now."""
    task = asyncio.create_task(way.clear(rank))
    for _ in range(5):
        await asyncio.sleep(0)
    waits = not task.done()
    task.cancel()
    return waits


def _play(scene: Callable[[Way], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        await scene(Way())

    asyncio.run(all_of_it())


@pytest.mark.parametrize(
    ("going", "waiting"),
    [(Rank.LINES, {Rank.LIVE, Rank.BACKFILL}), (Rank.LIVE, {Rank.BACKFILL}), (Rank.BACKFILL, set())],
)
def test_only_what_comes_after_waits(going: Rank, waiting: set[Rank]) -> None:
    async def scene(way: Way) -> None:
        with way.taken(going):
            assert {rank for rank in Rank if await _waits(way, rank)} == waiting
        assert not [rank for rank in Rank if await _waits(way, rank)]

    _play(scene)


def test_the_way_is_clear_when_the_last_one_has_left_and_leaving_twice_counts_once() -> None:
    async def scene(way: Way) -> None:
        first, second = way.take(Rank.LINES), way.take(Rank.LINES)
        first()
        first()
        assert await _waits(way, Rank.LIVE)
        waiting = asyncio.create_task(way.clear(Rank.BACKFILL))
        await asyncio.sleep(0)
        second()
        await asyncio.wait_for(waiting, 5)

    _play(scene)


def test_who_is_on_its_way_may_leave_before_its_block_ends() -> None:
    async def scene(way: Way) -> None:
        with way.taken(Rank.LIVE) as leave:
            leave()
            assert not await _waits(way, Rank.BACKFILL)
        with way.taken(Rank.LINES):
            assert await _waits(way, Rank.BACKFILL)

    _play(scene)


def test_who_has_waited_long_enough_goes() -> None:
    async def scene(way: Way) -> None:
        way.take(Rank.LINES)
        await asyncio.wait_for(way.clear(Rank.LIVE, 0), 5)

    _play(scene)
