"""An audience: many players' connections in a few processes. Each reloads a live list and fetches what is new in it.

Every segment is held against the digest in its address. ``Audience`` is what tests and benchmarks use; the processes
are ``python -m tests.fakes.viewers``, which get an ``Order`` as an argument, watch until their input ends or the time
is over, and print what they have seen. Bounded in number, time and bytes; the loopback only.
"""

import asyncio
import contextlib
import gzip
import hashlib
import json
import random
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Self

WAIT_S = 60
TARGET_S = 2.0
_LIMIT_BYTES = 1 << 20
_CHECKOUT = Path(__file__).parents[2]
_SEQUENCE = re.compile(rb"^#EXT-X-MEDIA-SEQUENCE:(\d+)$", re.MULTILINE)
_MEDIA = re.compile(rb"^(/media/[0-9a-f]{2}/([0-9a-f]{64})\.m4s)$", re.MULTILINE)
_LENGTH = re.compile(rb"^content-length: *(\d+)\r?$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one process does. Of ``viewers`` every second waits for the next entry (``_HLS_msn``); ``spread_s`` is over
    how long they come, ``seconds`` how long they stay at most.
    """

    port: int
    lists: tuple[str, ...]
    viewers: int
    seconds: float
    spread_s: float
    seed: int


@dataclass(slots=True, kw_only=True)
class Seen:
    """What an audience has seen. ``refused`` counts answers by status, ``first`` and ``all`` are when a segment, by its
    digest, had arrived and was right at the first and at the last of who fetched it, seconds of the monotonic clock.
    """

    viewers: int = 0
    """Those that have had at least one segment."""
    lists: int = 0
    segments: int = 0
    media_bytes: int = 0
    wrong: int = 0
    """Segments that are not what their address says."""
    cut: int = 0
    """Connections that ended before their time."""
    skipped: int = 0
    """Entries that had left the list when a viewer came back to it."""
    refused: Counter[str] = field(default_factory=Counter)
    fetched: Counter[str] = field(default_factory=Counter)
    """By digest, how many viewers had it."""
    first: dict[str, float] = field(default_factory=dict)
    all: dict[str, float] = field(default_factory=dict)
    total: dict[str, float] = field(default_factory=dict)
    """The sum of these times, for a mean."""

    def add(self, other: "Seen") -> None:
        """As if one audience had seen both."""
        for name in ("viewers", "lists", "segments", "media_bytes", "wrong", "cut", "skipped"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused.update(other.refused)
        self.fetched.update(other.fetched)
        for digest in other.first:
            self.first[digest] = min(self.first.get(digest, other.first[digest]), other.first[digest])
            self.all[digest] = max(self.all.get(digest, 0.0), other.all[digest])
            self.total[digest] = self.total.get(digest, 0.0) + other.total[digest]


class Audience:
    """A context manager; while it is entered, they watch. ``seen`` is there afterwards."""

    def __init__(
        self,
        port: int,
        lists: Sequence[str],
        viewers: int,
        *,
        processes: int = 2,
        most_s: float = 120,
        spread_s: float = 4,
    ) -> None:
        """``lists`` are paths of live lists; viewers are dealt to them in turn. They leave after ``most_s``."""
        self._orders = [
            Order(
                port=port,
                lists=tuple(lists),
                viewers=viewers // processes + (number < viewers % processes),
                seconds=most_s,
                spread_s=spread_s,
                seed=number,
            )
            for number in range(processes)
        ]
        self.seen = Seen()
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for order in self._orders:
            command = [sys.executable, "-m", "tests.fakes.viewers", json.dumps(asdict(order))]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_CHECKOUT)
            self._processes.append(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for process in self._processes:
                assert process.stdin is not None
                process.stdin.close()
                process.stdin = None
            for process in self._processes:
                told, _ = process.communicate(timeout=WAIT_S)
                self.seen.add(_read(told))
        finally:
            for process in self._processes:
                process.kill()
                process.wait()

    @property
    def pids(self) -> list[int]:
        """The processes."""
        return [process.pid for process in self._processes]


class Viewer:
    """One player: a connection, and the number of the next entry that it wants."""

    def __init__(self, order: Order, path: str, *, waits: bool, seen: Seen) -> None:
        self._order, self._path, self._waits, self._seen = order, path, waits, seen
        self._next: int | None = None
        self._counted = False
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def watch(self, until: float) -> None:
        """Until that moment of the monotonic clock."""
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                fresh = await self._reload()
            except (OSError, EOFError, asyncio.LimitOverrunError):
                self._seen.cut += 1
                self._hang_up()
                fresh = 0
            if not (self._waits and fresh):
                # As RFC 8216, 6.3.4: after a target duration, or half of it where nothing was new.
                pause_s = TARGET_S if fresh else TARGET_S / 2
                await asyncio.sleep(max(0.0, began + pause_s - time.monotonic()))
        self._hang_up()

    async def _reload(self) -> int:
        """Load the list and what is new in it; how many segments that was."""
        waiting = f"?_HLS_msn={self._next}" if self._waits and self._next is not None else ""
        status, body = await self._get(f"{self._path}{waiting}".encode())
        if status != 200:
            if self._next is not None:
                self._seen.refused[f"list {status}"] += 1
            return 0
        self._seen.lists += 1
        sequence = _SEQUENCE.search(body)
        entries = _MEDIA.findall(body)
        if sequence is None or not entries:
            self._seen.refused["no list"] += 1
            return 0
        first = int(sequence[1])
        end = first + len(entries)
        if self._next is None:
            self._next = max(first, end - 3)  # three from the end, as players begin
        elif first > self._next:
            self._seen.skipped += first - self._next
        new = entries[max(0, self._next - first) :]
        self._next = max(self._next, end)
        for address, digest in new:
            await self._fetch(address, digest.decode())
        return len(new)

    async def _fetch(self, address: bytes, digest: str) -> None:
        status, body = await self._get(address)
        seen, now = self._seen, time.monotonic()
        if status != 200:
            seen.refused[f"media {status}"] += 1
            return
        if hashlib.sha256(body).hexdigest() != digest:
            seen.wrong += 1
            return
        seen.segments += 1
        seen.media_bytes += len(body)
        seen.fetched[digest] += 1
        seen.first.setdefault(digest, now)
        seen.all[digest] = now
        seen.total[digest] = seen.total.get(digest, 0.0) + now
        if not self._counted:
            self._counted = True
            seen.viewers += 1

    async def _get(self, path: bytes) -> tuple[int, bytes]:
        async with asyncio.timeout(WAIT_S):
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection(
                    "127.0.0.1", self._order.port, limit=_LIMIT_BYTES
                )
            self._writer.write(b"GET %s HTTP/1.1\r\nHost: viewers\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n" % path)
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if length is None:
                raise EOFError("an answer without its length")
            body = await self._reader.readexactly(int(length[1]))
            if b"\ncontent-encoding: gzip" in head.lower():
                body = gzip.decompress(body)
            return int(head.split(b" ", 2)[1]), body

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


async def _watch(order: Order) -> Seen:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    seen, chance = Seen(), random.Random(order.seed)
    until = time.monotonic() + order.seconds
    loop = asyncio.get_running_loop()

    async def one(number: int) -> None:
        await asyncio.sleep(chance.random() * order.spread_s)
        path = order.lists[number % len(order.lists)]
        await Viewer(order, path, waits=bool(number // len(order.lists) % 2), seen=seen).watch(until)

    everybody = asyncio.gather(*(one(number) for number in range(order.viewers)))
    told = loop.run_in_executor(None, sys.stdin.buffer.read)
    await asyncio.wait({everybody, told}, return_when=asyncio.FIRST_COMPLETED)
    everybody.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await everybody
    return seen


def _read(told: bytes) -> Seen:
    document = json.loads(told)
    for name in ("refused", "fetched"):
        document[name] = Counter(document[name])
    return Seen(**document)


def mean_s(seen: Seen, digests: Iterable[str]) -> dict[str, float]:
    """When each segment had arrived, on average over who fetched it; seconds of the monotonic clock."""
    return {digest: seen.total[digest] / seen.fetched[digest] for digest in digests if seen.fetched[digest]}


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    seen = asyncio.run(_watch(Order(**{**order, "lists": tuple(order["lists"])})))
    print(json.dumps({each.name: getattr(seen, each.name) for each in fields(Seen)}))
