"""Lists over HTTP where something fails, and what is made once for all who ask."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from archive.site.lists.hours import HOUR_US, UtcHour
from archive.site.lists.routes import Lists
from archive.site.lists.shelf import BusyError, Shelf
from tests.fakes.day_rows import DayRows
from tests.fakes.published import BEGIN_US, FakePublications, live_entry

LIVE = "/hls/57-002/u1/cam1/live.m3u8"
HOUR = f"/hls/57-002/u1/cam1/{UtcHour(number=BEGIN_US // HOUR_US)}.m3u8"
Client = TestClient[web.Request, web.Application]


class Both(FakePublications):
    """A day, and what is live."""

    def __init__(self, day: DayRows) -> None:
        super().__init__()
        self.branches, self.stamps, self.segments = day.branches, day.stamps, day.segments_of
        self._day = day

    def published(self, name: object, branch: int, from_seq: int, to_seq: int) -> set[int]:
        self._ask()
        return {seq for of, seq in self._day.public if of == branch and from_seq <= seq < to_seq}


def serve(work: Callable[[Both, Client], Awaitable[None]]) -> None:
    """``work`` on a server of a day with a live list."""

    async def main() -> None:
        day = DayRows()
        day.segments(3)
        both = Both(day)
        both.entries = [live_entry(msn) for msn in range(3)]
        application = web.Application()
        application.add_routes(Lists(both, both, lambda: BEGIN_US).routes())
        async with TestClient(TestServer(application)) as client:
            await work(both, client)

    asyncio.run(main())


def test_both_kinds_are_served() -> None:
    async def work(_: Both, client: Client) -> None:
        for path, age in ((LIVE, 1), (HOUR, 2)):
            async with client.get(path) as answer:
                assert answer.status == 200
                assert answer.headers["Cache-Control"] == f"max-age={age}"
                assert (await answer.text()).startswith("#EXTM3U\n")

    serve(work)


def test_while_publications_cannot_be_read_everybody_is_told_to_come_again() -> None:
    async def work(both: Both, client: Client) -> None:
        both.failing = True
        for path in (LIVE, LIVE, HOUR):
            async with client.get(path) as answer:
                assert answer.status == 503
                assert answer.headers["Retry-After"] == "1"
                assert answer.headers["Cache-Control"] == "no-store"
                assert "publi" not in await answer.text()

    serve(work)


def test_a_live_list_stands_still_while_publications_fail() -> None:
    async def work(both: Both, client: Client) -> None:
        async with client.get(LIVE) as answer:
            before = await answer.text()
        both.failing = True
        both.entries.append(live_entry(3))
        async with client.get(LIVE) as answer:
            assert await answer.text() == before

    serve(work)


def shelf(make: Callable[[int], str | None], keeps_s: float, **limits: int) -> Shelf[int, str]:
    return Shelf[int, str](make, lambda _: keeps_s, ThreadPoolExecutor(1), **limits)


def test_what_many_ask_for_is_made_once_and_kept() -> None:
    made: list[int] = []

    def make(key: int) -> str:
        made.append(key)
        return str(key)

    async def main() -> None:
        kept = shelf(make, 60)
        assert await asyncio.gather(*(kept.get(1) for _ in range(20))) == ["1"] * 20
        assert await kept.get(1) == "1"
        assert made == [1]

    asyncio.run(main())


def test_what_is_kept_no_longer_or_was_never_there_is_made_again() -> None:
    made: list[int] = []

    def make(key: int) -> str | None:
        made.append(key)
        return "x" if key else None

    async def main() -> None:
        kept = shelf(make, 0)
        for key in (1, 1, 0, 0):
            await kept.get(key)
        assert made == [1, 1, 0, 0]
        few = shelf(make, 60, most_kept=2)
        for key in (1, 2, 3, 1):
            await few.get(key)
        assert made[4:] == [1, 2, 3, 1]

    asyncio.run(main())


def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    answers: Iterator[OSError | str] = iter([OSError("away"), "there"])

    def make(_: int) -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def main() -> None:
        kept = shelf(make, 60)
        found = await asyncio.gather(kept.get(1), kept.get(1), return_exceptions=True)
        assert [str(each) for each in found] == ["away", "away"]
        assert await kept.get(1) == "there"

    asyncio.run(main())


def test_beyond_its_room_nothing_waits() -> None:
    go = threading.Event()

    def make(key: int) -> str:
        assert go.wait(30)
        return str(key)

    async def main() -> None:
        kept = shelf(make, 60, most_making=2)
        waiting = [asyncio.create_task(kept.get(key)) for key in (1, 2, 1)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await kept.get(3)
        go.set()
        assert await asyncio.gather(*waiting) == ["1", "2", "1"]
        assert await kept.get(3) == "3"

    asyncio.run(main())


def test_who_leaves_takes_nothing_from_those_who_wait() -> None:
    go = threading.Event()

    def make(key: int) -> str:
        assert go.wait(30)
        return str(key)

    async def main() -> None:
        kept = shelf(make, 60)
        first, second = (asyncio.create_task(kept.get(1)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        go.set()
        assert await second == "1"

    asyncio.run(main())
