"""The barest server that keeps what it is sent: same TLS, hash, write, one syncfs for all that wait. Nothing is judged.

``python -m bench.bare CONFIG PORT FOLDER``: keys and certificates are those of the archive's configuration.
"""

import asyncio
import ctypes
import hashlib
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from aiohttp import web

from archive.config import load_config
from archive.ingest.peer import server_context

THREADS = 8
BACKLOG = 1_024
FOLDERS = 256


class BareServer:
    """Takes a PUT to any path. What it has answered for is durable under the digest of its bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._pool = ThreadPoolExecutor(THREADS)
        self._waiting: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        for number in range(FOLDERS):
            (folder / f"{number:02x}").mkdir(parents=True)

    async def put(self, request: web.Request) -> web.Response:
        parts = [part async for part in request.content.iter_any()]
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._pool, self._keep, parts)
        durable: asyncio.Future[None] = loop.create_future()
        self._waiting.append(durable)
        self._wake.set()
        await durable
        return web.Response(status=201)

    async def commit(self) -> None:
        """Sync for everybody who waits, over and over; whoever comes meanwhile is in the next round."""
        loop, descriptor = asyncio.get_running_loop(), os.open(self._folder, os.O_RDONLY)
        while True:
            await self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting, []
            await loop.run_in_executor(None, _syncfs, descriptor)
            for each in group:
                if not each.done():
                    each.set_result(None)

    def _keep(self, parts: Sequence[bytes]) -> None:
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        name = digest.hexdigest()
        draft = self._folder / f"{next(self._numbers)}.part"
        with draft.open("xb", buffering=0) as file:
            for part in parts:
                rest = memoryview(part)
                while rest:
                    rest = rest[file.write(rest) :]
        draft.rename(self._folder / name[:2] / name)


def _syncfs(descriptor: int) -> None:
    """All that was written to the file system is durable on return. Raises OSError."""
    if _libc.syncfs(descriptor) != 0:
        raise OSError(ctypes.get_errno(), "syncfs")


_libc = ctypes.CDLL(None, use_errno=True)


async def _serve(config: Path, port: int, folder: Path) -> None:
    server = BareServer(folder)
    application = web.Application()
    application.router.add_put("/{path:.*}", server.put)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    context = server_context(load_config(config))
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context, backlog=BACKLOG).start()
    await server.commit()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
