"""``unbroken archive site``: the public pages, one process that writes nothing of the record."""

import asyncio
import logging
import resource
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack

from aiohttp import web

from archive.config import ArchiveConfig
from archive.site.app import build
from archive.site.pages.known import Known
from archive.site.parts import SiteParts, open_site_parts
from archive.waiting import when_there
from base.clock import SystemClock
from base.errors import OperatorError
from base.service import Service

_END_S = 5.0
"""What is being sent when the end comes has so long."""
_log = logging.getLogger("site")


def serve(config: ArchiveConfig) -> int:
    """Serve until SIGTERM or SIGINT: 0. What is not there yet is waited for. Raises OperatorError."""
    clock, stop = SystemClock(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        parts = when_there(lambda: stack.enter_context(open_site_parts(config, clock)), stop)
        if parts is not None:
            _raise_file_limit()
            asyncio.run(_until_signalled(parts))
    return 0


async def run(parts: SiteParts, *, service: Service, stop: asyncio.Event, listening: Callable[[int], None]) -> None:
    """Serve until ``stop``; ``listening`` is told the port. Raises OperatorError where it cannot listen."""
    config = parts.config.site
    # No access log: nobody keeps who watched what.
    known, ending = Known(parts), threading.Event()
    runner = web.AppRunner(build(parts, known), access_log=None, shutdown_timeout=_END_S)
    await runner.setup()
    ahead = threading.Thread(target=known.read_ahead, args=[ending], name="ahead")
    ahead.start()
    try:
        site = web.TCPSite(runner, config.address, config.port, backlog=1_024)
        try:
            await site.start()
        except OSError as error:
            raise OperatorError(
                f"The site cannot listen on {config.address}:{config.port}: {error.strerror}.",
                hint="Is another one running? site.port in the configuration names another.",
            ) from error
        port = int(runner.addresses[0][1])
        _log.info("the site listens", extra={"fields": {"address": config.address, "port": port}})
        listening(port)
        service.ready()
        await stop.wait()
        service.stopping()
    finally:
        ending.set()
        await runner.cleanup()
        await asyncio.to_thread(ahead.join)


async def _until_signalled(parts: SiteParts) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(parts, service=Service(), stop=stop, listening=lambda _: None)


def _raise_file_limit() -> None:
    """Every viewer is a connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
