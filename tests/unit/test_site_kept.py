"""A page is made once for all who ask at a time, and kept no longer and in no greater number than is said."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from archive.site.pages import kept as module
from archive.site.pages.kept import BusyError, Kept
from archive.site.pages.page import Answer

T = TypeVar("T")


class _Maker:
    """Counts; waits for ``gate`` where there is one."""

    def __init__(self, body: bytes = b"page", max_age_s: int = 2) -> None:
        self.made = 0
        self.gate: threading.Event | None = None
        self.error: Exception | None = None
        self._answer = Answer(body=body, max_age_s=max_age_s)

    def __call__(self) -> Answer:
        self.made += 1
        if self.gate is not None:
            assert self.gate.wait(30)
        if self.error is not None:
            raise self.error
        return self._answer


def _run(work: Coroutine[None, None, T]) -> T:
    return asyncio.run(work)


def test_a_page_is_made_anew_only_when_its_time_is_over() -> None:
    now = [0.0]

    async def ask() -> list[int]:
        with ThreadPoolExecutor(1) as thread:
            kept, make, made = Kept(thread, lambda: now[0]), _Maker(), []
            for at in (0.0, 1.9, 2.0, 3.9, 4.1):
                now[0] = at
                await kept.get("home", make)
                made.append(make.made)
            return made

    assert _run(ask()) == [1, 1, 2, 2, 3]


def test_what_takes_long_to_make_is_kept_ten_times_as_long() -> None:
    now = [0.0]

    async def ask() -> list[int]:
        with ThreadPoolExecutor(1) as thread:
            kept, maker, made = Kept(thread, lambda: now[0]), _Maker(), []

            def make() -> Answer:
                now[0] += 1
                return maker()

            for at in (0.0, 10.9, 11.1):
                now[0] = at
                await kept.get("costly", make)
                made.append(maker.made)
            return made

    assert _run(ask()) == [1, 1, 2]


def test_all_who_ask_meanwhile_get_the_one_that_is_being_made_even_if_the_first_hangs_up() -> None:
    async def ask() -> tuple[int, set[bytes]]:
        with ThreadPoolExecutor(1) as thread:
            kept, make = Kept(thread, lambda: 0.0), _Maker()
            make.gate = threading.Event()
            tasks = [asyncio.create_task(kept.get("home", make)) for _ in range(50)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            make.gate.set()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(answers[0], asyncio.CancelledError)
            return make.made, {each.answer.body for each in answers[1:] if not isinstance(each, BaseException)}

    assert _run(ask()) == (1, {b"page"})


def test_what_fails_is_not_kept() -> None:
    async def ask() -> int:
        with ThreadPoolExecutor(1) as thread:
            kept, make = Kept(thread, lambda: 0.0), _Maker()
            make.error = OSError("away")
            with pytest.raises(OSError, match="away"):
                await kept.get("home", make)
            make.error = None
            await kept.get("home", make)
            return make.made

    assert _run(ask()) == 2


def test_too_many_different_pages_at_once_are_refused_and_others_go_on() -> None:
    async def ask() -> None:
        with ThreadPoolExecutor(1) as thread:
            kept, make = Kept(thread, lambda: 0.0), _Maker()
            make.gate = threading.Event()
            tasks = [asyncio.create_task(kept.get(place, make)) for place in range(module.MOST_MAKING)]
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                await kept.get("one more", make)
            make.gate.set()
            await asyncio.gather(*tasks)
            await kept.get("one more", make)

    _run(ask())


def test_the_page_asked_for_least_lately_goes_when_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 3_000)

    async def ask() -> list[int]:
        with ThreadPoolExecutor(1) as thread:
            kept = Kept(thread, lambda: 0.0)
            makers = [_Maker(bytes(400)) for _ in range(3)]
            for place in (0, 1, 0, 2, 0, 1):
                await kept.get(place, makers[place])
            return [maker.made for maker in makers]

    assert _run(ask()) == [1, 2, 1]


def test_the_tag_follows_the_bytes_and_long_pages_are_packed() -> None:
    async def ask() -> None:
        with ThreadPoolExecutor(1) as thread:
            kept = Kept(thread, lambda: 0.0)
            bodies = (b"short", b"long " * 1_000, b"long " * 1_000)
            short, long, same = [await kept.get(place, _Maker(body)) for place, body in enumerate(bodies)]
            assert short.gzipped is None
            assert long.gzipped is not None
            assert len(long.gzipped) < 200
            assert long.tag == same.tag != short.tag

    _run(ask())
