"""Counts as the site runs: the numbers once a minute, and every list that is given out, by its station alone."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

from aiohttp import web

from archive.account.stations import Totals
from archive.site.press.hours import Hours

EVERY_S = 60.0
_log = logging.getLogger("site")


def count(
    app: web.Application, hours: Hours, totals: Callable[[], Totals], thread: Executor, now_us: Callable[[], int]
) -> None:
    """Count from the application's start to its end. ``totals`` is asked in ``thread``; while it cannot be, not."""

    async def given(request: web.Request, response: web.StreamResponse) -> None:
        if response.status == 200 and request.path.startswith("/hls/") and "station" in request.match_info:
            hours.asked(request.match_info["station"], now_us())

    async def each_minute() -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                hours.count(await asyncio.get_running_loop().run_in_executor(thread, totals))
            except OSError as error:
                _log.warning("the hour could not be counted", extra={"fields": {"error": str(error)}})

    counting: list[asyncio.Task[None]] = []

    async def begin(_app: web.Application) -> None:
        counting.append(asyncio.create_task(each_minute()))

    async def end(_app: web.Application) -> None:
        for task in counting:
            task.cancel()
        await asyncio.gather(*counting, return_exceptions=True)

    app.on_response_prepare.append(given)
    app.on_startup.append(begin)
    app.on_cleanup.append(end)
