"""Who is served when: many at a time, each address in its turn and at its pace."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from archive.site.clips.turns import MOST_WAITING_OF_ADDRESS, Pace, TooManyError, Turns


class Served:
    """Notes who has been let in, and lets each go on when it is told to."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.order: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    async def ask(self, address: str, name: str) -> None:
        self._ends[name] = asyncio.Event()
        async with self.turns.turn(address):
            self.order.append(name)
            await self._ends[name].wait()

    def end(self, name: str) -> None:
        self._ends[name].set()


async def settle() -> None:
    """Until nothing more happens by itself."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(make: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(make())


def test_addresses_take_turns_whoever_asks_for_more() -> None:
    async def play() -> None:
        served = Served(Turns(most_at_once=1))
        names = [("many", f"many {n}") for n in range(3)] + [("one", "one 0"), ("two", "two 0")]
        async with asyncio.TaskGroup() as tasks:
            for address, name in names:
                tasks.create_task(served.ask(address, name))
                await settle()
            for _ in names:
                served.end(served.order[-1])
                await settle()
        assert served.order == ["many 0", "many 1", "one 0", "two 0", "many 2"]

    run(play)


def test_an_address_has_some_at_a_time_and_others_are_served_beside_it() -> None:
    async def play() -> None:
        served = Served(Turns(most_at_once=4, most_of_address=2))
        async with asyncio.TaskGroup() as tasks:
            for name in ("a 0", "a 1", "a 2", "b 0"):
                tasks.create_task(served.ask(name[0], name))
            await settle()
            assert served.order == ["a 0", "a 1", "b 0"]
            assert served.turns.waiting == 1
            served.end("a 0")
            await settle()
            assert served.order[-1] == "a 2"
            for name in served.order:
                served.end(name)

    run(play)


def test_who_goes_away_while_waiting_takes_no_turn() -> None:
    async def play() -> None:
        served = Served(Turns(most_at_once=1))
        first = asyncio.create_task(served.ask("a", "a 0"))
        await settle()
        gone = asyncio.create_task(served.ask("b", "b 0"))
        await settle()
        gone.cancel()
        await asyncio.wait([gone])
        assert served.turns.waiting == 0
        served.end("a 0")
        await first
        last = asyncio.create_task(served.ask("c", "c 0"))
        await settle()
        assert served.order == ["a 0", "c 0"]
        served.end("c 0")
        await last

    run(play)


def test_a_queue_that_is_long_says_when_to_come_again() -> None:
    async def play() -> None:
        turns = Turns(most_at_once=1)
        served = Served(turns)
        waiting = [asyncio.create_task(served.ask("a", f"a {n}")) for n in range(MOST_WAITING_OF_ADDRESS + 1)]
        await settle()
        with pytest.raises(TooManyError) as told:
            await served.ask("a", "too many")
        assert told.value.again_s > 0
        other = asyncio.create_task(served.ask("b", "b 0"))
        await settle()
        assert turns.waiting == MOST_WAITING_OF_ADDRESS + 1
        for task in (*waiting, other):
            task.cancel()
        await asyncio.wait([*waiting, other])
        assert turns.waiting == 0

    run(play)


def test_who_waits_too_long_is_told_to_come_again_and_leaves_no_trace() -> None:
    async def play() -> None:
        served = Served(Turns(most_at_once=1, wait_s=0.01))
        first = asyncio.create_task(served.ask("a", "a 0"))
        await settle()
        with pytest.raises(TooManyError):
            await served.ask("b", "b 0")
        assert served.turns.waiting == 0
        served.end("a 0")
        await first

    run(play)


def test_a_pace_holds_over_all_that_an_address_is_sent_and_for_each_address_apart() -> None:
    now_s = 100.0
    pace = Pace(lambda: now_s, bytes_s=1_000)
    assert pace.delay_s("a", 500) == 0
    assert pace.delay_s("a", 500) == pytest.approx(0.5)
    assert pace.delay_s("b", 500) == 0
    now_s = 100.5
    assert pace.delay_s("a", 2_000) == pytest.approx(0.5)
    now_s = 200.0
    assert pace.delay_s("a", 1) == 0
