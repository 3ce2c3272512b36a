"""A station delivers while nobody watches, and while a crowd does: what it sends, how long the archive takes."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bench.centre import Centre
from bench.heavy import CAMERA, SEGMENT_S
from bench.post import NAME, Books, Post
from bench.program import Program
from bench.public import PublicSide
from tests.fakes.link import EmulatedLink
from tests.fakes.viewers import Audience, Seen

LIST = f"/hls/{NAME.station}/{NAME.unit}/{CAMERA}/live.m3u8"
PATIENCE_S = 60
POLL_S = 0.01
_QUIET_S = 1.5
"""So long nothing went up, so what was committed is done with: acknowledged, receipted and said so."""
_BOOT_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of a day. ``committed`` is when each segment was, by digest, seconds of the monotonic clock;
    ``acknowledged_s`` from there to the archive's answer; ``carried_bytes`` is what went up; CPU is of nginx and site.
    """

    committed: dict[str, float]
    acknowledged_s: tuple[float, ...]
    carried_bytes: int
    seconds: float
    nginx_cpu_s: float
    site_cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Alone, with the crowd, alone again; and what the crowd has seen."""

    alone: tuple[Phase, Phase]
    crowd: Phase
    seen: Seen


def live_through(folder: Path, *, viewers: int, segments: int, segment_bytes: int) -> Day:
    """Three phases of so many segments, one every two seconds. Raises RuntimeError where something does not come."""
    return asyncio.run(_live_through(folder, viewers, segments, segment_bytes))


async def _live_through(folder: Path, viewers: int, segments: int, segment_bytes: int) -> Day:
    centre = Centre(folder / "centre")
    # Live is what is of now, by the archive's clock.
    utc_us = time.time_ns() // 1_000 - _BOOT_S * 10**6
    post = Post(folder / "post", centre, segment_bytes, utc_us=utc_us)
    archive = centre.archive()
    with archive.program as program:
        await asyncio.to_thread(program.listen, archive.port)
        with PublicSide(centre) as public:
            async with EmulatedLink(archive.port) as link:
                with post.uplink(link.port) as uplink:
                    await asyncio.to_thread(post.wait, lambda: post.status().get("connected") is True, uplink)
                    books = post.books()
                    try:
                        scene = _Scene(post, books, uplink, link, public)
                        return await scene.play(viewers, segments)
                    finally:
                        books.close()


class _Scene:
    def __init__(self, post: Post, books: Books, uplink: Program, link: EmulatedLink, public: PublicSide) -> None:
        self._post, self._books, self._uplink, self._link, self._public = post, books, uplink, link, public

    async def play(self, viewers: int, segments: int) -> Day:
        await self.phase(3)
        await self._listed()
        before = await self.phase(segments)
        audience = Audience(self._public.port, [LIST], viewers)
        with audience:
            # They come, and find what there is.
            await self.phase(4)
            crowd = await self.phase(segments)
        after = await self.phase(segments)
        return Day(alone=(before, after), crowd=crowd, seen=audience.seen)

    async def phase(self, segments: int) -> Phase:
        """So many commits at their times; ends when all that came of them has gone up."""
        carried, began = self._link.line.up.carried, time.monotonic()
        nginx_s, site_s = self._public.nginx.cpu_s(), self._public.site.cpu_s()
        committed: dict[str, float] = {}
        async with asyncio.TaskGroup() as group:
            live: list[asyncio.Task[float]] = []
            for number in range(segments):
                await asyncio.sleep(began + number * SEGMENT_S - time.monotonic())
                self._uplink.require_alive()
                heavy = await asyncio.to_thread(self._post.record)
                committed[heavy.sha256] = time.monotonic()
                live.append(group.create_task(self._acknowledged(heavy.sha256, committed[heavy.sha256])))
            await asyncio.sleep(began + segments * SEGMENT_S - time.monotonic())
        seconds = time.monotonic() - began
        nginx_s, site_s = self._public.nginx.cpu_s() - nginx_s, self._public.site.cpu_s() - site_s
        return Phase(
            committed=committed,
            acknowledged_s=tuple(task.result() for task in live),
            carried_bytes=await self._quiet() - carried,
            seconds=seconds,
            nginx_cpu_s=nginx_s,
            site_cpu_s=site_s,
        )

    async def _acknowledged(self, sha256: str, committed: float) -> float:
        while not self._books.is_acknowledged(sha256):
            if time.monotonic() - committed > PATIENCE_S:
                raise RuntimeError(f"a segment was not acknowledged within {PATIENCE_S} s")
            await asyncio.sleep(POLL_S)
        return time.monotonic() - committed

    async def _quiet(self) -> int:
        """What has gone up when everything is receipted and nothing more comes."""
        deadline, quiet_since = time.monotonic() + PATIENCE_S, time.monotonic()
        carried = self._link.line.up.carried
        while time.monotonic() - quiet_since < _QUIET_S or not self._books.is_receipted():
            if time.monotonic() > deadline:
                raise RuntimeError("the uplink does not come to rest")
            if self._link.line.up.carried != carried:
                carried, quiet_since = self._link.line.up.carried, time.monotonic()
            await asyncio.sleep(0.05)
        return carried

    async def _listed(self) -> None:
        """Until the live list is there."""
        deadline = time.monotonic() + PATIENCE_S
        while not await asyncio.to_thread(self._has_list):
            if time.monotonic() > deadline:
                raise RuntimeError(f"there is no live list: {self._public.publisher.said()} {self._public.site.said()}")
            await asyncio.sleep(0.2)

    def _has_list(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self._public.port}{LIST}", timeout=PATIENCE_S) as answer:
                return b".m4s" in answer.read()
        except OSError:
            return False
