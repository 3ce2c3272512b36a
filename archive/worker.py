"""A worker: a process that receives and verifies media, and tells the committer. Its parent starts it and ends it."""

import asyncio
import logging
import os
import signal
import socket
from multiprocessing.connection import Connection

from archive.config import ArchiveConfig
from archive.ingest.commitclient import open_commits
from archive.ingest.reception import Reception
from archive.parts import open_sight
from base.clock import SystemClock
from base.durable import Disk
from base.errors import OperatorError
from base.log import begin_logging
from base.parent import end_with

LISTENING, STOP = b"listening", b"stop"
FAILED = 1
_log = logging.getLogger("archive")


def work(config: ArchiveConfig, number: int, listener: socket.socket, parent: Connection, parent_id: int) -> None:
    """The whole life of worker ``number``. Says ``LISTENING``, ends where it hears ``STOP``.

    Leaves the process with 1 where it has failed; the store's last step may be unknown then.
    """
    end_with(parent_id, signal.SIGKILL)
    # A service manager and a terminal signal the whole group; when a worker ends is for its parent to say.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    begin_logging()
    try:
        asyncio.run(_work(config, number, listener, parent))
    except (OSError, ValueError, OperatorError) as error:
        _log.error("a worker ends", extra={"fields": {"worker": number, "error": str(error)}})
        raise SystemExit(FAILED) from error


async def _work(config: ArchiveConfig, number: int, listener: socket.socket, parent: Connection) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), _hear, parent, stop)
    with open_sight(config, Disk()) as sight:
        async with open_commits(config.data) as commits:
            reception = Reception(sight, commits, SystemClock(), number=number)
            await reception.receive(listener, stop, listening=lambda: parent.send_bytes(LISTENING))


def _hear(parent: Connection, stop: asyncio.Event) -> None:
    try:
        if parent.recv_bytes(len(STOP)) == STOP:
            stop.set()
    except (EOFError, OSError):
        # Without its parent there is nobody to tell what is stored, and another may have begun already.
        os._exit(FAILED)
