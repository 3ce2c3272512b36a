"""One process's share of receiving: TLS, requests, media. What is to be written down, the committer is told."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from archive.ingest.admission import Admission, share
from archive.ingest.app import Endpoints
from archive.ingest.begun import Begun
from archive.ingest.commits import Commits
from archive.ingest.connections import Connections
from archive.ingest.door import Strangers, open_door
from archive.ingest.keeping import Keeper
from archive.ingest.mediaintake import MediaIntake
from archive.ingest.peer import Peers, server_context
from archive.ingest.tally import Tally
from archive.parts import Sight
from archive.store.spool import Spool
from base.clock import Clock

SHUTDOWN_S = 10
"""How long requests that have begun may take to end when the archive stops."""
_CUT_S = 1
_IDLE_S = 120
"""An uplink lets go of a connection that it does not use after 75 seconds."""
_READ_BYTES = 1 << 18
"""Twice as much of one body may wait for its reader; less makes the connection stop and go for every block of TLS."""


class Reception:
    """Worker ``number`` of those that ``limits.workers`` names. ``receive`` is its one life."""

    def __init__(self, sight: Sight, commits: Commits, clock: Clock, *, number: int = 0) -> None:
        """Raises OperatorError for keys that cannot be used."""
        config, disk = sight.config, sight.disk
        self._context = server_context(config)
        self._keeper = Keeper(sight.store, commits)
        limits = share(config.limits)
        others = limits.workers - 1
        admission = Admission(
            most_bytes=limits.in_flight_mib << 20,
            most_backfill_bytes=limits.backfill_mib << 20,
            # What the others are receiving is not on the disk yet.
            least_free_bytes=(limits.free_mib + others * limits.in_flight_mib) << 20,
            free_bytes=lambda: disk.free_bytes(config.data),
        )
        self._media = MediaIntake(
            index=sight.index,
            store=sight.store,
            spool=Spool(disk, config.data / "incoming" / str(number)),
            keeper=self._keeper,
            admission=admission,
        )
        peers = Peers(sight.trust, config.election, lambda: clock.read().utc_us)
        self._connections = Connections(peers.unit)
        self._strangers = Strangers(commits.found, peers.utc_us)
        self._tally = Tally(commits.found)
        self._begun = Begun()
        self._application = Endpoints(
            commits=commits,
            media_intake=self._media,
            admission=admission,
            peers=peers,
            tally=self._tally,
            begun=self._begun,
            stall_s=config.limits.stall_s,
        ).application()

    async def receive(self, listener: socket.socket, stop: asyncio.Event, listening: Callable[[], None]) -> None:
        """Take requests until ``stop``, and end those that have begun. ``listening`` is called when they may come.

        Raises what the store raised, which is final.
        """
        keeping = asyncio.create_task(self._keeper.run())
        stopping = asyncio.create_task(stop.wait())
        try:
            async with self._tally.telling(), self._serving(listener):
                listening()
                await asyncio.wait({keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await self._keeper.stop()
            try:
                await keeping
            finally:
                self._keeper.close()
                self._media.close()

    @contextlib.asynccontextmanager
    async def _serving(self, listener: socket.socket) -> AsyncIterator[None]:
        runner = web.AppRunner(
            self._application,
            access_log=None,
            shutdown_timeout=_CUT_S,
            keepalive_timeout=_IDLE_S,
            read_bufsize=_READ_BYTES,
            # Bytes are what they are: none become more on their way in.
            auto_decompress=False,
        )
        await runner.setup()
        assert runner.server is not None
        try:
            watched = self._connections.watched(runner.server)
            async with open_door(listener, self._context, watched, self._strangers):
                yield
            await self._begun.end(SHUTDOWN_S)
        finally:
            await runner.cleanup()
