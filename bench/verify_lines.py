"""How fast ``unbroken verify`` gets through lines, beside bare ES256 verification."""

import hashlib
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.peer import run
from bench.row import Bound, Row, median
from bench.stream import SMALL
from bench.verify_media import FINDINGS
from evidence.lines import Gap, Run, Segment
from evidence.words import Cause, Mode
from tests.fakes.rig import NO_MASK, Rig, open_rig, virtual_clock

SEGMENTS = 36_000
"""Twenty hours of one camera."""
SEGMENT_NS = 2_000_000_000
REPEATS = 3
VERIFICATIONS = 5_000
TARGET = 0.5
DIGEST = hashlib.sha256(b"").hexdigest()


def measure(folder: Path) -> list[Row]:
    """Lines a second of a ledger without its media, as a share of what bare verification does."""
    rig, lines = _ledger(folder / "unit")
    alone = folder / "ledger.jws"
    os.link(rig.layout.ledger, alone)
    command: list[str | Path] = [sys.executable, "-m", "unbroken", "verify", alone, "--trust", rig.station.root]
    raw, ours, raw_pair, ours_pair = [], [], [], []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pair:
        for _ in range(REPEATS):
            raw.append(raw_per_second(time.process_time))
            ours.append(lines / run([*command, "--jobs", "1"], allowed=FINDINGS).cpu_s)
            raw_pair.append(sum(pair.map(raw_per_second, [time.perf_counter] * 2)))
            ours_pair.append(lines / run([*command, "--jobs", "2"], allowed=FINDINGS).wall_s)
    return [
        _row("one core, CPU time", ours, raw, lines, TARGET),
        _row("two processes, wall time", ours_pair, raw_pair, lines, None),
    ]


def _row(how: str, ours: list[float], raw: list[float], lines: int, target: float | None) -> Row:
    return Row(
        name=f"verify, lines, {how}",
        value=median(ours) / median(raw),
        unit="of bare ES256",
        bound=Bound.AT_LEAST,
        target=target,
        note=f"{median(ours):,.0f} against {median(raw):,.0f} a second; {lines:,} lines, start of Python in it",
    )


def _ledger(folder: Path) -> tuple[Rig, int]:
    """A day's lines; their media do not exist."""
    clock = virtual_clock()
    rig = open_rig(folder, SMALL, clock=clock)
    begin_ns = clock.boot_ns()
    lane = rig.pipeline.lanes[0]
    clock.advance(SEGMENT_NS)
    rig.pipeline.enqueue(
        Run(
            camera=lane.id,
            run=0,
            source="replay-raw",
            init_sha256=DIGEST,
            mask_sha256=NO_MASK.sha256,
            width=SMALL.width,
            height=SMALL.height,
            timescale=90_000,
            fps=SMALL.fps,
            codec="avc1.640028",
        )
    )
    from_ns = begin_ns + SEGMENT_NS
    rig.pipeline.enqueue(Gap(camera=lane.id, from_ns=begin_ns, to_ns=from_ns, cause=Cause.STARTING))
    for index in range(SEGMENTS):
        clock.advance(SEGMENT_NS)
        rig.pipeline.enqueue(
            Segment(
                camera=lane.id,
                run=0,
                index=index,
                mode=Mode.TEST,
                sha256=DIGEST,
                size=1_000_000 + index,
                from_ns=from_ns,
                to_ns=from_ns + SEGMENT_NS,
                frames=30,
            )
        )
        from_ns += SEGMENT_NS
        if index % 500 == 0:
            rig.pipeline.commit()
    rig.pipeline.commit()
    rig.session.storage.close()
    return rig, sum(1 for _ in rig.lines())


def raw_per_second(clock: Callable[[], float]) -> float:
    """Bare verifications a second by ``clock``, over as many bytes as a line signs, signatures as OpenSSL has them."""
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(hashes.SHA256())
    message = bytes(600)
    signature = key.sign(message, algorithm)
    public = key.public_key()
    began = clock()
    for _ in range(VERIFICATIONS):
        public.verify(signature, message, algorithm)
    return VERIFICATIONS / (clock() - began)
