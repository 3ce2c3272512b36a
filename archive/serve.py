"""The archive's server: builds every object, serves until told to stop, and ends where a durable step has failed.

With ``limits.workers = 1`` this one process does everything. With more, it is the committer and starts so many others
that receive (archive/worker.py). In either case the committer's socket is there for whoever else brings something.
"""

import asyncio
import functools
import logging
import resource
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path

from archive.beside import Beside
from archive.config import ArchiveConfig, load_config
from archive.crew import Crew
from archive.ingest.commits import OwnCommits
from archive.ingest.commitsocket import RUN, CommitsServer
from archive.ingest.committer import Committer, LostWork
from archive.ingest.peer import server_context
from archive.ingest.reception import Reception
from archive.listening import bind
from archive.names import UnitName
from archive.parts import Parts, open_parts
from archive.readback import ReadBack, reading_back
from archive.store.spool import empty
from archive.writing import make_committer, make_lines
from base.clock import Clock, SystemClock
from base.durable import Disk
from base.service import Service

FAILED = 1
_log = logging.getLogger("archive")


def serve(path: Path) -> int:
    """Intake, publisher, site and, where it is configured, supervision, by the configuration at ``path``.

    Ends as ``ingest`` does, and the others with it.
    """
    config = load_config(path)
    verbs = ("publish", "site", "supervision") if config.supervision is not None else ("publish", "site")
    others = [Beside(verb, path) for verb in verbs]
    for each in others:
        each.start()
    try:
        return ingest(config)
    finally:
        for each in others:
            each.stop()


def ingest(config: ArchiveConfig) -> int:
    """Serve until SIGTERM or SIGINT: 0. 1 where the disk or the index has failed, which only a new start can judge."""
    _raise_file_limit()
    with open_parts(config, Disk()) as parts:
        try:
            asyncio.run(_until_signalled(parts))
        except (OSError, ValueError) as error:
            _log.error("the archive ends", extra={"fields": {"error": str(error)}})
            return FAILED
    return 0


async def run(
    parts: Parts, *, clock: Clock, service: Service, stop: asyncio.Event, listening: Callable[[int], None]
) -> None:
    """Serve until ``stop``. ``listening`` is told the port. Raises what a durable step raised, or OSError for a worker
    that has failed.
    """
    config = parts.config
    parts.catch_up()
    incoming = config.data / "incoming"
    for folder in (incoming, config.data / RUN):
        parts.disk.make_directory(folder)
    empty(parts.disk, incoming)
    committer = make_committer(parts, clock)
    commits = OwnCommits(make_lines(parts, clock, committer), committer)
    # Said before anybody is started: what is wrong with the keys.
    server_context(config)
    listeners = bind(config.address, config.port, config.limits.workers)
    port = int(listeners[0].getsockname()[1])

    def all_listen() -> None:
        _log.info("the archive listens", extra={"fields": {"address": config.address, "port": port}})
        listening(port)
        service.ready()

    if config.limits.workers == 1:
        reception = Reception(parts.sight, commits, clock)
        receive = functools.partial(reception.receive, listeners[0], listening=all_listen)
    else:
        receive = functools.partial(Crew(config, listeners).run, listening=all_listen)
    committing = asyncio.create_task(committer.run())
    try:
        read_back = _read_back(parts, clock, committer)
        async with CommitsServer(commits, config.data).listening(), reading_back(read_back):
            await _receive_until(stop, committing, receive, service)
    finally:
        await committer.stop()
        try:
            await committing
        finally:
            committer.close()


async def _receive_until(
    stop: asyncio.Event,
    committing: "asyncio.Task[None]",
    receive: Callable[[asyncio.Event], Coroutine[None, None, None]],
    service: Service,
) -> None:
    """Receive while the committer works and nobody says ``stop``."""
    end = asyncio.Event()
    receiving = asyncio.create_task(receive(end))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({committing, receiving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        service.stopping()
        stopping.cancel()
        # Requests that have begun end first; then the committer does what they left.
        end.set()
        await receiving


class _Losses:
    """What reading back has found, brought to the committer."""

    def __init__(self, clock: Clock, committer: Committer) -> None:
        self._clock, self._committer = clock, committer

    async def lost(self, name: UnitName, sha256: str) -> None:
        utc_us = self._clock.read().utc_us
        await self._committer.do(LostWork(name=name, media=(sha256,), utc_us=utc_us))


def _read_back(parts: Parts, clock: Clock, committer: Committer) -> ReadBack | None:
    pace_mib_s = parts.config.limits.readback_mib_s
    if pace_mib_s == 0:
        return None
    return ReadBack(
        index=parts.index,
        store=parts.store,
        losses=_Losses(clock, committer),
        place=parts.config.data / "readback.json",
        bytes_a_second=pace_mib_s << 20,
        clock=clock,
        busy=lambda: committer.busy,
    )


async def _until_signalled(parts: Parts) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(parts, clock=SystemClock(), service=Service(), stop=stop, listening=lambda _: None)


def _raise_file_limit() -> None:
    """A thousand stations are two thousand files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
