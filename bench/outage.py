"""After an outage: how soon the archive has every line, beside what the link needs for their bytes, and curl."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from bench.centre import Centre
from bench.peer import run
from bench.post import NAME, Post
from bench.row import Row
from tests.fakes.link import EmulatedLink

TARGET = 1.1
LATENCY_S = 0.02
"""One way."""
POLL_S = 0.01
PATIENCE_S = 120
LINKS = ((2_000_000, 10_800), (250_000, 1_350))
"""Bits a second, and how many segments were recorded meanwhile: six hours of one camera, and three quarters of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """Seconds until the archive had the last line; bytes of the ledger; bytes that had come through the link then."""

    seconds: float
    size_bytes: int
    carried_bytes: int
    curl_s: float


def measure(folder: Path) -> list[Row]:
    """A real uplink that could not connect while the segments were recorded, then a link of each rate."""
    rows: list[Row] = []
    for number, (bit_s, segments) in enumerate(LINKS):
        caught = asyncio.run(_reconnect(folder / str(number), bit_s, segments))
        needed_s = caught.size_bytes * 8 / bit_s
        rows.append(
            Row(
                name=f"{segments:,} lines after an outage, link of {bit_s / 1e6:g} Mbit/s",
                value=caught.seconds,
                unit="s",
                target=needed_s * TARGET,
                reference="curl, the same bytes in one request",
                reference_value=caught.curl_s,
                note=f"{caught.size_bytes:,} bytes need {needed_s:.2f} s; {caught.seconds / needed_s:.3f} of that; "
                f"{caught.carried_bytes:,} bytes had gone up",
            )
        )
    return rows


async def _reconnect(folder: Path, bit_s: int, segments: int) -> Caught:
    centre = Centre(folder / "centre")
    post = Post(folder / "post", centre, 0)
    archive, sink = centre.archive(), centre.bare("bare")
    with archive.program as archive_program, sink.program as sink_program:
        await asyncio.to_thread(archive_program.listen, archive.port)
        await asyncio.to_thread(sink_program.listen, sink.port)
        async with EmulatedLink(archive.port) as link, EmulatedLink(sink.port) as other:
            for each in (link, other):
                each.limit(bit_s / 8)
                each.line.latency_s = LATENCY_S
            with post.uplink(link.port) as uplink:
                # The archive has all up to the outage, in which the link refuses every connection.
                await asyncio.to_thread(post.wait, lambda: post.status().get("connected") is True, uplink)
                await asyncio.to_thread(post.wait, lambda: post.status().get("sent_seq") == post.lines - 1, uplink)
                link.refuse()
                before = post.ledger.stat().st_size
                await asyncio.to_thread(post.record, segments)
                told = post.lines - 1
                await asyncio.to_thread(post.wait, lambda: post.status().get("durable_seq") == told, uplink, PATIENCE_S)
                link.mend()
                size_bytes = post.ledger.stat().st_size - before
                curl = asyncio.create_task(asyncio.to_thread(_curl, folder, centre, post, other.port, size_bytes))
                seconds, carried = await _watch(centre, post, link)
                curl_s = await curl
    return Caught(seconds=seconds, size_bytes=size_bytes, carried_bytes=carried, curl_s=curl_s)


async def _watch(centre: Centre, post: Post, link: EmulatedLink) -> tuple[float, int]:
    """Seconds from the first connection through the mended link to the last line, and what went up until then."""
    taken, carried = link.taken, link.line.up.carried
    ledger, whole = centre.ledger(NAME), post.ledger.stat().st_size
    deadline = time.monotonic() + PATIENCE_S
    while link.taken == taken:
        _require_before(deadline)
        await asyncio.sleep(POLL_S)
    began = time.monotonic()
    while ledger.stat().st_size < whole:
        _require_before(deadline)
        await asyncio.sleep(POLL_S)
    return time.monotonic() - began, link.line.up.carried - carried


def _require_before(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise RuntimeError("the lines do not arrive")


def _curl(folder: Path, centre: Centre, post: Post, port: int, size_bytes: int) -> float:
    """Seconds for the newest ``size_bytes`` of the ledger, the handshake in it."""
    body = folder / "lines"
    body.write_bytes(post.ledger.read_bytes()[-size_bytes:])
    command: list[str | Path] = ["curl", "--silent", "--show-error", "--fail", "--tlsv1.3", "--cacert", centre.root]
    command += ["--cert", centre.certificate("curl", "u1"), "--key", centre.uplink_key]
    return run([*command, "--upload-file", body, f"https://127.0.0.1:{port}/lines"]).wall_s
