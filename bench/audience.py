"""What nginx carries in front of the public pages, and what an audience costs the station and the intake."""

import contextlib
import gzip
import hashlib
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from archive.publish.tree import PublishedTree
from bench.asking import Asked, ask
from bench.audience_tls import tls_rows
from bench.backfill import percentile
from bench.centre import Centre
from bench.crowd import LIST, PATIENCE_S, Day, live_through
from bench.ingest import CORES
from bench.post import Post
from bench.program import Program, free_port
from bench.public import PublicSide
from bench.row import Bound, Row, median
from tests.fakes.viewers import mean_s

REPEATS = 3
SECONDS = 4.0
CONNECTIONS, PROCESSES = 64, 2
MEDIA_CONNECTIONS = 16
SEGMENT_BYTES = 500_000
"""Two seconds at 2 Mbit/s."""
SEGMENTS = 10
"""As many as a live list has."""
LISTS_S = 10_000
VIEWERS = 2_000
CROWD_BYTES = 40_000
"""A segment of what a crowd watches: a tenth of the real size, so that players in Python keep up."""
CROWD_SEGMENTS = 10
"""As many as a live list has."""
MOST_MORE = 1.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One run, and the server's CPU meanwhile."""

    asked: Asked
    cpu_s: float

    @property
    def us_each(self) -> float:
        return self.cpu_s * 1e6 / self.asked.answers

    @property
    def ms_per_mb(self) -> float:
        return self.cpu_s * 1e9 / self.asked.received_bytes


def measure(folder: Path) -> list[Row]:
    """Lists and media from nginx beside what is nothing but a file; then a day with a crowd beside it."""
    found = _served(folder / "served")
    day = live_through(folder / "day", viewers=VIEWERS, segments=CROWD_SEGMENTS, segment_bytes=CROWD_BYTES)
    return found + crowd_rows(day)


def list_rows(lists: list[Served], files: list[Served], size_bytes: int) -> list[Row]:
    """Reloads of a live list from the cache, beside a file of the same size."""
    return [
        Row(
            name="live list from nginx's cache, two workers",
            value=median([each.asked.per_s for each in lists]),
            runs=tuple(each.asked.per_s for each in lists),
            unit="a second",
            bound=Bound.AT_LEAST,
            target=LISTS_S,
            reference=f"a file of the same {size_bytes:,} bytes",
            reference_value=median([each.asked.per_s for each in files]),
            note=f"{CONNECTIONS} connections; of {CORES} cores the generator takes {_generator(lists):.0%}",
        ),
        Row(
            name="live list from nginx's cache, CPU",
            value=median([each.us_each for each in lists]),
            runs=tuple(each.us_each for each in lists),
            unit="µs each",
            reference="the file",
            reference_value=median([each.us_each for each in files]),
            note="the list is renewed from the site each second meanwhile; files go through nginx's threads",
        ),
    ]


def media_rows(media: list[Served], bare: list[Served]) -> list[Row]:
    """Segments from the published tree, beside the barest sendfile."""
    return [
        Row(
            name="media from nginx, two workers, page cache, loopback",
            value=median([each.asked.mb_s for each in media]),
            runs=tuple(each.asked.mb_s for each in media),
            unit="MB/s",
            reference="the barest sendfile",
            reference_value=median([each.asked.mb_s for each in bare]),
            note=f"segments of {SEGMENT_BYTES / 1e3:.0f} KB, {MEDIA_CONNECTIONS} connections; of {CORES} cores the "
            f"generator takes {_generator(media):.0%} and {_generator(bare):.0%}",
        ),
        Row(
            name="media from nginx, CPU",
            value=median([each.ms_per_mb for each in media]),
            runs=tuple(each.ms_per_mb for each in media),
            unit="ms per MB",
            reference="the barest sendfile",
            reference_value=median([each.ms_per_mb for each in bare]),
        ),
    ]


def crowd_rows(day: Day) -> list[Row]:
    """What a crowd on one camera costs its station and the intake, and when it sees what."""
    seen, crowd = day.seen, day.crowd
    alone_bytes = median([phase.carried_bytes for phase in day.alone])
    alone_s = [each for phase in day.alone for each in phase.acknowledged_s]
    means = mean_s(seen, crowd.committed)
    behind = [means[digest] - crowd.committed[digest] for digest in means]
    last = [seen.all[digest] - crowd.committed[digest] for digest in means]
    return [
        Row(
            name=f"uplink of a station that {VIEWERS:,} watch",
            value=crowd.carried_bytes / alone_bytes,
            unit="of its bytes when nobody watches",
            target=MOST_MORE,
            digits=5,
            note=f"{crowd.carried_bytes:,} against {alone_bytes:,.0f} bytes; segments refused, wrong or cut: "
            f"{sum(seen.refused.values()) + seen.wrong + seen.cut}; fetched {seen.segments:,}, lists {seen.lists:,}",
        ),
        Row(
            name=f"acknowledged after its commit, {VIEWERS:,} watch, median",
            value=median(crowd.acknowledged_s),
            runs=crowd.acknowledged_s,
            unit="s",
            reference="nobody watches",
            reference_value=median(alone_s),
            note=f"nobody: {min(alone_s):.2f} to {max(alone_s):.2f}; archive, players and all share {CORES} cores",
        ),
        Row(
            name=f"a segment with {VIEWERS:,} viewers after its commit, mean of all",
            value=median(behind),
            runs=tuple(behind),
            unit="s",
            note=f"the last of them at most {percentile(last, 100):.1f} s; half wait for it, half ask every 2 s; "
            f"{CROWD_BYTES / 1e3:.0f} KB each; skipped {seen.skipped}",
        ),
        Row(
            name="nginx's CPU then",
            value=crowd.nginx_cpu_s / crowd.seconds * 1e3,
            unit="ms a second",
            reference="the site's",
            reference_value=crowd.site_cpu_s / crowd.seconds * 1e3,
            note=f"the site's when nobody watches {day.alone[0].site_cpu_s / day.alone[0].seconds * 1e3:.0f}",
        ),
    ]


def _served(folder: Path) -> list[Row]:
    centre = Centre(folder / "centre")
    utc_us = time.time_ns() // 1_000 - 10**6 * (20 + 2 * SEGMENTS)
    post = Post(folder / "post", centre, SEGMENT_BYTES, utc_us=utc_us)
    archive = centre.archive()
    with archive.program as program:
        program.listen(archive.port)
        with post.uplink(archive.port) as uplink, PublicSide(centre, workers=2) as public:
            _record(post, uplink)
            size_bytes = _listed(public)
            segments = list(public.config.publish.folder.rglob("*.m4s"))
            files = [f"/media/{each.name[:2]}/{each.name}" for each in segments]
            file = _file(public, size_bytes)
            lists, same, media, bare = list[Served](), list[Served](), list[Served](), list[Served]()
            for _ in range(REPEATS):
                lists.append(_ask(public.nginx, public.port, [LIST], CONNECTIONS))
                same.append(_ask(public.nginx, public.port, [file], CONNECTIONS))
                media.append(_ask(public.nginx, public.port, files, MEDIA_CONNECTIONS))
                bare.append(_bare(folder, segments[0]))
            plain = median([each.ms_per_mb for each in media])
            tls = tls_rows(folder.resolve(), public.config, files, plain)
    return list_rows(lists, same, size_bytes) + media_rows(media, bare) + tls


def _record(post: Post, uplink: Program) -> None:
    """One segment after the other: what comes late is not live."""
    post.wait(lambda: post.status().get("connected") is True, uplink)
    books = post.books()
    for _ in range(SEGMENTS):
        made = post.record()
        post.wait(lambda made=made: books.is_acknowledged(made.sha256), uplink)  # type: ignore[misc]
    books.close()


def _ask(server: Program, port: int, paths: list[str], connections: int) -> Served:
    before_s = server.cpu_s()
    asked = ask(port, paths, connections=connections, processes=PROCESSES, seconds=SECONDS)
    return Served(asked=asked, cpu_s=server.cpu_s() - before_s)


def _bare(folder: Path, path: Path) -> Served:
    port = free_port()
    command: list[str | Path] = [sys.executable, "-m", "bench.bare_files", str(port), path]
    with Program(command, folder / "bare.log") as program:
        program.listen(port)
        return _ask(program, port, ["/"], MEDIA_CONNECTIONS)


def _listed(public: PublicSide) -> int:
    """Wait for a whole live list; its size as browsers get it."""
    deadline = time.monotonic() + PATIENCE_S
    request = Request(f"http://127.0.0.1:{public.port}{LIST}", headers={"Accept-Encoding": "gzip"})
    while True:
        with contextlib.suppress(HTTPError), urlopen(request, timeout=PATIENCE_S) as answer:
            body = answer.read()
            if gzip.decompress(body).count(b".m4s") == SEGMENTS:
                return len(body)
        if time.monotonic() > deadline:
            raise RuntimeError(f"there is no live list: {public.publisher.said()} {public.site.said()}")
        time.sleep(0.5)


def _file(public: PublicSide, size_bytes: int) -> str:
    """The address of a file of so many bytes beside the segments."""
    data = random.Random(1).randbytes(size_bytes)
    digest = hashlib.sha256(data).hexdigest()
    path = PublishedTree(public.config.publish.folder).path(digest)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return f"/media/{digest[:2]}/{path.name}"


def _generator(runs: list[Served]) -> float:
    return median([each.asked.cpu_s / each.asked.seconds for each in runs]) / CORES
