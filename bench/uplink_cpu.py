"""CPU of the uplink while it delivers live video, beside curl sending the same files over the same TLS."""

import time
from pathlib import Path

from bench.centre import Centre
from bench.heavy import SEGMENT_S
from bench.peer import run
from bench.post import Post
from bench.row import Row

VIDEO_S = 40
BITRATE = 4_000_000
TARGET_MS = 5
UNIT = "ms CPU per s"


def measure(folder: Path) -> list[Row]:
    """A real ``unbroken station uplink`` from the moment at which it is connected, a segment every two seconds."""
    centre = Centre(folder / "centre")
    post = Post(folder / "post", centre, BITRATE // 8 * SEGMENT_S)
    archive, sink = centre.archive(), centre.bare("bare")
    with archive.program as program:
        program.listen(archive.port)
        ours = _deliver(post, archive.port)
    with sink.program as program:
        program.listen(sink.port)
        theirs = _curl(folder, centre, post, sink.port)
    return [
        Row(
            name="uplink, live, 4 Mbit/s",
            value=ours,
            unit=UNIT,
            target=TARGET_MS,
            reference="curl, one connection, all files at once, no pause",
            reference_value=theirs,
            note=f"{VIDEO_S} s of video; following the ledger, lines, receipts and status in it",
        )
    ]


def _deliver(post: Post, port: int) -> float:
    """Milliseconds of CPU for one second of video."""
    with post.uplink(port) as uplink:
        post.wait(lambda: post.status().get("connected") is True, uplink)
        before_s, begin = uplink.cpu_s(), time.monotonic()
        for number in range(VIDEO_S // SEGMENT_S):
            time.sleep(max(0.0, begin + number * SEGMENT_S - time.monotonic()))
            newest = post.record()
        time.sleep(max(0.0, begin + VIDEO_S - time.monotonic()))
        books = post.books()
        post.wait(lambda: books.is_acknowledged(newest.sha256), uplink)
        cpu_s = uplink.cpu_s() - before_s
        books.close()
    return cpu_s * 1_000 / VIDEO_S


def _curl(folder: Path, centre: Centre, post: Post, port: int) -> float:
    config = folder / "curl.conf"
    config.write_text(
        "".join(
            f'upload-file = "{path.resolve()}"\nurl = "https://127.0.0.1:{port}/{path.name}"\n' for path in post.files()
        )
    )
    command: list[str | Path] = ["curl", "--silent", "--show-error", "--fail", "--tlsv1.3", "--cacert", centre.root]
    command += ["--cert", centre.certificate("curl", "u1"), "--key", centre.uplink_key, "--config", config]
    return run(command).cpu_s * 1_000 / VIDEO_S
