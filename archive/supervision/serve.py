"""``unbroken archive supervision``: the supervision centre, a process of its own."""

import asyncio
import functools
import logging
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from aiohttp import web

from archive.config import ArchiveConfig
from archive.site.pages.known import Known
from archive.supervision.app import Centre
from archive.supervision.doors import Doors, Right, door_context
from archive.supervision.parts import SupervisionParts, open_supervision_parts
from archive.supervision.queue.desk import QueueDesk
from archive.waiting import when_there
from base.clock import SystemClock
from base.errors import OperatorError
from base.service import Service

EVERY_S = 1.0
"""So often the index is looked at."""
_END_S = 5.0
_LOOPBACK = "127.0.0.1"
_log = logging.getLogger("supervision")


def serve(config: ArchiveConfig) -> int:
    """Serve until SIGTERM or SIGINT: 0. What is not there yet is waited for. Raises OperatorError."""
    if config.supervision is None:
        hint = "Add the section [supervision] (docs/reference/archive.md)."
        raise OperatorError("The configuration has no supervision centre.", hint=hint)
    door_context(config, config.supervision)
    clock, stop = SystemClock(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        parts = when_there(lambda: stack.enter_context(open_supervision_parts(config, clock)), stop)
        if parts is not None:
            asyncio.run(_until_signalled(parts))
    return 0


async def run(
    parts: SupervisionParts, *, service: Service, stop: asyncio.Event, listening: Callable[[int, int | None], None]
) -> None:
    """Serve until ``stop``; ``listening`` is told the port, and that of the loopback where there is one."""
    config = parts.config
    allowed = None if config.loopback_operator is None else Right.named(config.loopback_operator)
    doors = Doors(parts.trust, parts.archive.election, lambda: parts.clock.read().utc_us, allowed)
    desk = QueueDesk(parts)
    centre = Centre(parts, Known(parts.public), doors, needs=desk.needs)
    runner = web.AppRunner(centre.application(desk.routes(centre.layout)), access_log=None, shutdown_timeout=_END_S)
    await runner.setup()
    thread = ThreadPoolExecutor(1, "watch")
    try:
        await _look(parts, thread)
        await _listen(parts, runner, listening)
        service.ready()
        looking = asyncio.create_task(_keep_looking(parts, centre, thread, stop))
        calling = asyncio.create_task(desk.call())
        for task in (looking, calling):
            task.add_done_callback(functools.partial(_end_with, stop))
        try:
            await stop.wait()
        finally:
            service.stopping()
            calling.cancel()
            ended = await asyncio.gather(looking, calling, return_exceptions=True)
            await centre.end()
        for error in ended:
            if isinstance(error, Exception):
                raise error
    finally:
        await runner.cleanup()
        thread.shutdown()


def _end_with(stop: asyncio.Event, task: "asyncio.Task[None]") -> None:
    """A centre that looks no more, or calls no more, must not go on as if it did: it ends and is started again."""
    if not task.cancelled() and task.exception() is not None:
        stop.set()


async def _listen(parts: SupervisionParts, runner: web.AppRunner, listening: Callable[[int, int | None], None]) -> None:
    config = parts.config
    try:
        tls = door_context(parts.archive, config)
        await web.TCPSite(runner, config.address, config.port, ssl_context=tls).start()
        if config.loopback_operator is not None:
            await web.TCPSite(runner, _LOOPBACK, config.loopback_port).start()
    except OSError as error:
        raise OperatorError(
            f"The supervision centre cannot listen: {error.strerror}.",
            hint="Set supervision.address, supervision.port and supervision.loopback_port.",
        ) from error
    ports = [int(address[1]) for address in runner.addresses]
    if config.loopback_operator is not None:
        fields = {"port": ports[1], "right": config.loopback_operator}
        _log.warning("whoever asks from this machine needs no certificate", extra={"fields": fields})
    _log.info("supervision listens", extra={"fields": {"address": config.address, "port": ports[0]}})
    listening(ports[0], ports[1] if len(ports) > 1 else None)


async def _keep_looking(
    parts: SupervisionParts, centre: Centre, thread: ThreadPoolExecutor, stop: asyncio.Event
) -> None:
    while not stop.is_set():
        await centre.looked(blind=not await _look(parts, thread))
        try:
            async with asyncio.timeout(EVERY_S):
                await stop.wait()
        except TimeoutError:
            continue


async def _look(parts: SupervisionParts, thread: ThreadPoolExecutor) -> bool:
    """False where the index cannot be read: what was seen before stays, with its time."""
    try:
        await asyncio.get_running_loop().run_in_executor(thread, parts.watch.refresh)
    except OSError as error:
        _log.error("stations cannot be looked at", extra={"fields": {"error": str(error)}})
        return False
    return True


async def _until_signalled(parts: SupervisionParts) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(parts, service=Service(), stop=stop, listening=lambda *_: None)
