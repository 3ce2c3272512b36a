"""Lists, proofs, clips and media of a real archive, served on the loopback from a thread of its own."""

import asyncio
import threading
from http.client import HTTPConnection
from typing import Self

from aiohttp import web

from archive.index.reading import IndexReader
from archive.publish.publications import Publications
from archive.publish.publisher import Publisher
from archive.publish.tree import PublishedTree
from archive.roster import Roster
from archive.site import proofs
from archive.site.clips import routes as clips
from archive.site.lists import routes as lists
from archive.site.parts import SiteParts
from archive.site.press.stills import Stills
from archive.store.local import LocalStore
from base.durable import Disk
from tests.fakes.archive import Reply, RunningArchive

WAIT_S = 30


class ListSite:
    """A context manager. ``archive`` has been started; ``publish`` makes public what has arrived there."""

    def __init__(self, archive: RunningArchive) -> None:
        config = archive.config
        self._tree = PublishedTree(config.publish.folder)
        self._writing = Publications(config.publish.database, writes=True)
        self._reader = IndexReader(config.database, config.election)
        self._publisher = Publisher(
            reader=self._reader,
            store=LocalStore(Disk(), config.data / "cas"),
            tree=self._tree,
            publications=self._writing,
            test=True,
            clock=archive.clock,
        )
        self._publications = Publications(config.publish.database, writes=False)
        self.parts = SiteParts(
            config=config,
            reader=self._reader,
            publications=self._publications,
            tree=self._tree,
            roster=Roster(stations=()),
            trust=archive.trust,
            clock=archive.clock,
        )
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(WAIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(WAIT_S)
        for each in (self._writing, self._publications, self._reader):
            each.close()

    def publish(self) -> None:
        """All that has arrived."""
        while self._publisher.step():
            pass

    def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """One request on a connection of its own; ``_`` in a header's name is a hyphen."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Reply(status=answer.status, headers=dict(answer.headers), body=answer.read())
        finally:
            connection.close()

    def url(self, path: str) -> str:
        """For programs that load it themselves."""
        return f"http://127.0.0.1:{self.port}{path}"

    def _serve(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application()
        application.add_routes([*lists.routes(self.parts), *proofs.routes(self.parts), *clips.routes(self.parts)])
        application.add_routes(Stills(self.parts).routes())
        application.router.add_static("/media", self._tree.folder)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()
