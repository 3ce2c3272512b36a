"""How much of a link backfill uses, and how much later live video comes because of it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.centre import Centre
from bench.heavy import SEGMENT_S
from bench.post import Books, Post
from bench.program import Program
from bench.row import Bound, Row, median
from tests.fakes.link import EmulatedLink

LATENCY_S = 0.01
"""One way."""
SETTLE_S = 4
"""From the connection to the beginning of what is measured."""
ALONE_S = 16
LOADED_S = 24
SHARE = 0.95
LATER_S = 0.5
POLL_S = 0.01
PATIENCE_S = 60
LINKS = ((2_000_000, 500_000), (10_000_000, 2_000_000), (100_000_000, 4_000_000))
"""Bits a second of the link, and of the live video: 2 Mbit/s of link has no room beside 2 Mbit/s of video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Seconds from the commit of each live segment to its acknowledgement; ``marks`` are moments and the bytes that
    were acknowledged then, each time there were more.
    """

    latencies_s: tuple[float, ...]
    marks: tuple[tuple[float, int], ...]
    carried_bytes: int
    seconds: float


def measure(folder: Path) -> list[Row]:
    """Each link twice: with nothing but live video, then with more to fill in than it can carry meanwhile."""
    found: list[Row] = []
    for bit_s, live_bit_s in LINKS:
        place = folder / str(bit_s)
        alone = asyncio.run(_deliver(place / "alone", bit_s, live_bit_s, seconds=ALONE_S, loaded=False))
        loaded = asyncio.run(_deliver(place / "loaded", bit_s, live_bit_s, seconds=LOADED_S, loaded=True))
        found += rows(bit_s, live_bit_s, alone, loaded)
    return found


def rows(bit_s: int, live_bit_s: int, alone: Seen, loaded: Seen) -> list[Row]:
    """The share of the link that acknowledged media take, and how much later live comes at the median and at the 95th
    percentile.
    """
    link = f"link of {bit_s / 1e6:g} Mbit/s"
    share = speed(loaded.marks) * 8 / bit_s
    live = live_bit_s / bit_s
    before = median(alone.latencies_s), percentile(alone.latencies_s, 95)
    after = median(loaded.latencies_s), percentile(loaded.latencies_s, 95)
    return [
        Row(
            name=f"media through a {link}, backfill and live together",
            value=share,
            unit="of its rate",
            bound=Bound.AT_LEAST,
            target=SHARE,
            note=f"live {live:.2f} of it, backfill {(share - live) / (1 - live):.3f} of the rest; "
            f"with TLS, HTTP and lines {loaded.carried_bytes * 8 / bit_s / loaded.seconds:.3f}",
        ),
        *(
            Row(
                name=f"live later beside backfill, {which}, {link}",
                value=with_s - without_s,
                unit="s",
                target=LATER_S,
                note=f"{with_s:.2f} s after the commit, {without_s:.2f} s without; live {live_bit_s / 1e6:g} Mbit/s",
            )
            for which, without_s, with_s in zip(("median", "95th percentile"), before, after, strict=True)
        ),
    ]


def speed(marks: Sequence[tuple[float, int]]) -> float:
    """Bytes a second from the first acknowledgement to the last. The bytes of the first came before."""
    if len(marks) < 2:
        raise RuntimeError("hardly anything was acknowledged")
    (first_s, first), (last_s, last) = marks[0], marks[-1]
    return (last - first) / (last_s - first_s)


def percentile(values: Sequence[float], percent: int) -> float:
    """The least of ``values`` that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


async def _deliver(folder: Path, bit_s: int, live_bit_s: int, *, seconds: int, loaded: bool) -> Seen:
    centre = Centre(folder / "centre")
    segment_bytes = live_bit_s // 8 * SEGMENT_S
    post = Post(folder / "post", centre, segment_bytes)
    if loaded:
        # As much as the link could carry in all that time, and a little more.
        await asyncio.to_thread(post.record, bit_s // 8 * (seconds + 2 * SETTLE_S) // segment_bytes + 4)
    archive = centre.archive()
    with archive.program as program:
        await asyncio.to_thread(program.listen, archive.port)
        async with EmulatedLink(archive.port) as link:
            link.limit(bit_s / 8)
            link.line.latency_s = LATENCY_S
            with post.uplink(link.port) as uplink:
                await asyncio.to_thread(post.wait, lambda: post.status().get("connected") is True, uplink)
                books = post.books()
                try:
                    return await _watch(post, books, uplink, link, seconds)
                finally:
                    books.close()


async def _watch(post: Post, books: Books, uplink: Program, link: EmulatedLink, seconds: int) -> Seen:
    async with asyncio.TaskGroup() as group:
        await _commits(post, books, uplink, group, SETTLE_S)
        carried, began = link.line.up.carried, time.monotonic()
        counting = group.create_task(_count(books, seconds))
        live = await _commits(post, books, uplink, group, seconds)
        marks = await counting
        carried, ended = link.line.up.carried - carried, time.monotonic()
    return Seen(
        latencies_s=tuple(task.result() for task in live),
        marks=tuple(marks),
        carried_bytes=carried,
        seconds=ended - began,
    )


async def _commits(
    post: Post, books: Books, uplink: Program, group: asyncio.TaskGroup, seconds: int
) -> list["asyncio.Task[float]"]:
    """A segment every two seconds, for so long; what each of them waits for is a task of ``group``."""
    begin, live = time.monotonic(), list["asyncio.Task[float]"]()
    for number in range(seconds // SEGMENT_S):
        await asyncio.sleep(begin + number * SEGMENT_S - time.monotonic())
        uplink.require_alive()
        live.append(group.create_task(_live(post, books)))
    await asyncio.sleep(begin + seconds - time.monotonic())
    return live


async def _live(post: Post, books: Books) -> float:
    """Commit a segment; seconds until it is acknowledged."""
    heavy = await asyncio.to_thread(post.record)
    committed = time.monotonic()
    while not books.is_acknowledged(heavy.sha256):
        if time.monotonic() - committed > PATIENCE_S:
            raise RuntimeError(f"a live segment was not acknowledged within {PATIENCE_S} s")
        await asyncio.sleep(POLL_S)
    return time.monotonic() - committed


async def _count(books: Books, seconds: int) -> list[tuple[float, int]]:
    """When more was acknowledged, and how much in all, for so long."""
    begin = time.monotonic()
    before, marks = books.acknowledged_bytes(), list[tuple[float, int]]()
    while time.monotonic() - begin < seconds:
        now = books.acknowledged_bytes()
        if now != before:
            marks.append((time.monotonic(), now))
            before = now
        await asyncio.sleep(POLL_S)
    return marks
