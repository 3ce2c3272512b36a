"""How many live lists a second one site process answers, while new entries come, beside the barest answer of that size.

``python -m bench.live_lists bare PORT BYTES`` is that answer; ``… load PORT SECONDS`` asks, a path on each line of its
input in turn, each connection as soon as it has its answer, and prints how many were answered.
"""

import asyncio
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from archive.config import load_config
from archive.index.index import Index
from archive.names import UnitName
from archive.publish.publications import NewEntry, Publications
from bench.centre import Centre
from bench.program import Program, free_port
from bench.row import Bound, Row, median
from evidence.words import Mode

CAMERAS = 1_000
CONNECTIONS = 64
SECONDS = 5
RUNS = 3
WARM_S = 1
BEAT_S = 0.2
"""So often a tenth of the cameras gets its next entry: each has one every two seconds."""
TARGET = 4_000
BEGIN_US = 1_801_976_400_000_000


def measure(folder: Path) -> list[Row]:
    """The real site, its lists asked for evenly."""
    centre = Centre(folder / "centre")
    path = centre.folder / "archive" / "archive.toml"
    config = load_config(path)
    config.data.mkdir(parents=True)
    Index(config.database, config.election).close()
    publications = Publications(config.publish.database, writes=True)
    try:
        for msn in range(10):
            publications.add((), [_entry(camera, msn) for camera in range(CAMERAS)], 0, BEGIN_US)
        command: list[str | Path] = [sys.executable, "-m", "unbroken", "archive", "site", "--config", path]
        with Program(command, folder / "site.log") as program, _Publishing(publications):
            program.listen(config.site.port)
            site = _Served(program, config.site.port, [_path(camera) for camera in range(CAMERAS)])
            size = site.run(WARM_S)
            with _bare(folder, size) as bare:
                bare.run(WARM_S)
                site.forget()
                bare.forget()
                # In turn, so that what else the machine does concerns both.
                for _ in range(RUNS):
                    site.run(SECONDS)
                    bare.run(SECONDS)
    finally:
        publications.close()
    reference = "the barest aiohttp answer of as many bytes"
    return [
        Row(
            name="live lists, one process",
            value=median(site.answered),
            unit="a second",
            runs=tuple(site.answered),
            bound=Bound.AT_LEAST,
            target=TARGET,
            reference=reference,
            reference_value=median(bare.answered),
            note=f"{size:,} bytes each, of {CAMERAS:,} cameras, 500 new entries a second; {CONNECTIONS} connections",
        ),
        Row(
            name="live lists, CPU",
            value=site.cpu_us,
            unit="µs each",
            reference=reference,
            reference_value=bare.cpu_us,
        ),
    ]


class _Served:
    """A program that is asked for ``paths``; ``answered`` a second in each run."""

    def __init__(self, program: Program, port: int, paths: Sequence[str]) -> None:
        self._program, self._port, self._paths = program, port, paths
        self.forget()

    def forget(self) -> None:
        """Count anew."""
        self.answered: list[float] = []
        self._count, self._cpu_s = 0, 0.0

    def run(self, seconds: int) -> int:
        """Ask for so long; the bytes of an answer."""
        before = self._program.cpu_s()
        number, took_s, size = _load(self._port, self._paths, seconds)
        self._cpu_s += self._program.cpu_s() - before
        self._count += number
        self.answered.append(number / took_s)
        return size

    @property
    def cpu_us(self) -> float:
        """The program's CPU for one."""
        return self._cpu_s * 1e6 / self._count


@contextmanager
def _bare(folder: Path, size: int) -> Iterator[_Served]:
    port = free_port()
    command = [sys.executable, "-m", "bench.live_lists", "bare", str(port), str(size)]
    with Program(command, folder / "bare.log") as program:
        program.listen(port)
        yield _Served(program, port, [_path(0)])


def _load(port: int, paths: Sequence[str], seconds: int) -> tuple[int, float, int]:
    command = [sys.executable, "-m", "bench.live_lists", "load", str(port), str(seconds)]
    done = subprocess.run(command, input="\n".join(paths), capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"the load generator has failed: {done.stderr[-500:]}")
    number, took_s, size = json.loads(done.stdout)
    return int(number), float(took_s), int(size)


class _Publishing:
    """A context manager: entries come as from so many cameras."""

    def __init__(self, publications: Publications) -> None:
        self._publications, self._over = publications, threading.Event()
        self._thread = threading.Thread(target=self._publish)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _publish(self) -> None:
        tenths, due = itertools.count(), time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            msn, tenth = divmod(next(tenths), 10)
            self._publications.add((), [_entry(camera, 10 + msn) for camera in range(tenth, CAMERAS, 10)], 0, BEGIN_US)
            due += BEAT_S


class _Client(asyncio.Protocol):
    """One connection in a closed loop. ``done`` fails where an answer is not 200."""

    def __init__(self, requests: Iterator[bytes], stop: float) -> None:
        self._requests, self._stop = requests, stop
        self._held, self._awaited = b"", 0
        self.count = self.size = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._held += data
        if not self._awaited:
            head = self._held.find(b"\r\n\r\n")
            if head < 0:
                return
            if not self._held.startswith(b"HTTP/1.1 200"):
                self.done.set_exception(RuntimeError(repr(self._held[:300])))
                self._transport.close()
                return
            at = self._held.index(b"Content-Length: ") + 16
            self.size = int(self._held[at : self._held.index(b"\r", at)])
            self._awaited = head + 4 + self.size
        if len(self._held) < self._awaited:
            return
        self._held, self._awaited = self._held[self._awaited :], 0
        self.count += 1
        if time.monotonic() < self._stop:
            self._transport.write(next(self._requests))
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server has hung up"))


async def _ask(port: int, seconds: float) -> None:
    requests = itertools.cycle([f"GET {path.strip()} HTTP/1.1\r\nHost: site\r\n\r\n".encode() for path in sys.stdin])
    loop, began = asyncio.get_running_loop(), time.monotonic()
    clients: list[_Client] = []
    for _ in range(CONNECTIONS):
        _, client = await loop.create_connection(lambda: _Client(requests, began + seconds), "127.0.0.1", port)
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    took_s = time.monotonic() - began
    print(json.dumps([sum(client.count for client in clients), took_s, max(client.size for client in clients)]))


async def _answer(port: int, size: int) -> None:
    body = b"x" * size

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    application = web.Application()
    application.router.add_get("/hls/{station}/{unit}/{camera}/{file}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def _path(camera: int) -> str:
    return f"/hls/{camera // 10}-{camera % 10}/u1/cam1/live.m3u8"


def _entry(camera: int, msn: int) -> NewEntry:
    return NewEntry(
        name=UnitName(station=f"{camera // 10}-{camera % 10}", unit="u1"),
        camera="cam1",
        branch=0,
        seq=10 + msn,
        sha256=f"{camera:032x}{msn:032x}",
        init_sha256=f"{camera:064x}",
        duration_us=2_000_000,
        date_us=BEGIN_US + msn * 2_000_000,
        arrival=False,
        discontinuity=False,
        mode=Mode.LIVE,
        run_seq=3,
        start_seq=0,
        session="s" * 43,
        boot_id="b" * 32,
        run=0,
        number=msn,
        offset_us=0,
    )


if __name__ == "__main__":
    match sys.argv[1]:
        case "bare":
            asyncio.run(_answer(int(sys.argv[2]), int(sys.argv[3])))
        case _:
            asyncio.run(_ask(int(sys.argv[2]), float(sys.argv[3])))
