"""What the proof of a 2 s segment costs: bytes of its line, CPU to make it."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from appliance.ledger.writer import ChainWriter
from base.version import SOFTWARE
from bench.row import Row
from evidence.keys import SoftwareSigner
from evidence.lines import MAX_SEGMENT_NS, Segment, Stamp, Start
from evidence.words import Mode
from tests.fakes.clock import FakeClock
from tests.fakes.rig import BOOT_ID, stamp_of

SEGMENTS = 36_000
"""Twenty hours in pieces of two seconds."""
CAMERAS = ("cam1", "cam2")
SEGMENT_NS = 2_000_000_000
MAX_BYTES, MAX_MS = 700, 0.5
SIGNATURES = 5_000


def measure(folder: Path) -> list[Row]:
    """Lines of a day with two cameras, made by the recorder's own chain writer."""
    clock = FakeClock(boot_ns=60_000_000_000, utc_us=1_793_491_200_000_000, error_us=12_345)
    chain = _chain(lambda: stamp_of(clock), CAMERAS)
    sizes: list[int] = []
    whole: list[int] = []
    cpu_s = 0.0
    for index in range(SEGMENTS):
        clock.advance(SEGMENT_NS)
        bodies = [_segment(camera, index, clock.boot_ns()) for camera in CAMERAS]
        began = time.process_time()
        for body in bodies:
            chain.add(body)
        batch = chain.take()
        cpu_s += time.process_time() - began
        assert batch is not None
        made = [len(line) + 1 for line in batch.data.splitlines()]
        sizes += made
        whole += [] if _uneven(index) else made
    raw_ms = _raw_signing_ms()
    return [
        Row(
            name="proof of a segment, longest line of 20 h with two cameras",
            value=max(sizes),
            unit="bytes",
            target=MAX_BYTES,
            note=f"mean {sum(sizes) / len(sizes):.0f}; {sum(sizes) / 1e6:.0f} MB for the day",
        ),
        Row(
            name="proof of a segment, longest of those without a missing picture",
            value=max(whole),
            unit="bytes",
            target=MAX_BYTES,
        ),
        Row(
            name="proof of a segment, longest that the format allows",
            value=_longest(),
            unit="bytes",
            note="names of 32 characters, every number at its limit",
        ),
        Row(
            name="proof of a segment, CPU",
            value=cpu_s * 1000 / len(sizes),
            unit="ms",
            target=MAX_MS,
            reference="one ES256 signature, cryptography",
            reference_value=raw_ms,
        ),
    ]


def _chain(stamp: Callable[[], Stamp], cameras: tuple[str, ...]) -> ChainWriter:
    device, session = SoftwareSigner.generate(), SoftwareSigner.generate()
    chain = ChainWriter(next_seq=0, prev="", size_bytes=0, stamp=stamp)
    start = Start(
        election="sample-2027",
        station="57-002",
        unit="u-0001",
        boot_id=BOOT_ID,
        session=session.public_point,
        certs=(b"x",),
        cameras=cameras,
        software=SOFTWARE,
        ended="none",
        evidence={},
    )
    chain.begin(start, device, session)
    chain.take()
    return chain


def _segment(camera: str, index: int, end_ns: int) -> Segment:
    """Sizes of 4 Mbit/s; now and then a picture is missing, as cameras do."""
    uneven = _uneven(index)
    return Segment(
        camera=camera,
        run=0,
        index=index,
        mode=Mode.LIVE,
        sha256=hashlib.sha256(index.to_bytes(4)).hexdigest(),
        size=1_000_000 + index,
        from_ns=end_ns - SEGMENT_NS,
        to_ns=end_ns,
        frames=49 if uneven else 50,
        holes=(1, 80) if uneven else (0, 0),
    )


def _uneven(index: int) -> bool:
    return index % 100 == 99


def _longest() -> int:
    """The length of a line in which everything is as long as a reader accepts."""
    most = 2**53 - 1
    stamp = Stamp(boot_ns=most, utc_us=-most, error_us=most)
    camera = "c" * 32
    chain = _chain(lambda: stamp, (camera,))
    chain.add(
        Segment(
            camera=camera,
            run=most,
            index=most,
            mode=Mode.UNARMED,
            sha256="f" * 64,
            size=most,
            from_ns=most - MAX_SEGMENT_NS,
            to_ns=most,
            frames=most,
            holes=(most, most),
        )
    )
    batch = chain.take()
    assert batch is not None
    # ``seq`` counts from 0 here, and may have sixteen digits: one has been counted.
    return len(batch.data) + 15 * 4 // 3


def _raw_signing_ms() -> float:
    """CPU of a bare signature over as many bytes as a line signs."""
    signer = SoftwareSigner.generate()
    message = bytes(500)
    began = time.process_time()
    for _ in range(SIGNATURES):
        signer.sign(message)
    return (time.process_time() - began) * 1000 / SIGNATURES
