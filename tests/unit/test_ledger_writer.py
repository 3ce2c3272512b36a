"""Lines are stamped, chained and signed in memory, and handed over together."""

import hashlib

import pytest

from appliance.ledger.writer import STEP_US, ChainWriter, clock_change
from evidence import base64url, jws
from evidence.keys import PublicKey, thumbprint
from evidence.lines import ClockLine, Event, Line, Stamp, Start, genesis, line_hash, read_payload
from evidence.words import ClockChange
from tests.fakes.station import signer

DEVICE, SESSION = signer("device"), signer("session")


class Clock:
    """Says what it is told."""

    def __init__(self) -> None:
        self.now = Stamp(boot_ns=1_000, utc_us=None, error_us=None)

    def __call__(self) -> Stamp:
        return self.now


def _start() -> Start:
    return Start(
        election="az-2026",
        station="57-002",
        unit="u1",
        boot_id="0" * 32,
        session=SESSION.public_point,
        certs=(b"certificate",),
        cameras=("cam1",),
        software="test",
        ended="none",
        evidence={},
    )


def _begun(clock: Clock, *, next_seq: int = 0, prev: str = "", size_bytes: int = 0) -> ChainWriter:
    chain = ChainWriter(next_seq=next_seq, prev=prev, size_bytes=size_bytes, stamp=clock)
    chain.begin(_start(), DEVICE, SESSION)
    return chain


def _parsed(data: bytes) -> list[tuple[Line, str]]:
    assert data.endswith(b"\n")
    tokens = [(jws.unseal(text), line_hash(text)) for text in data.splitlines()]
    return [(read_payload(token.payload), token.kid) for token, _ in tokens]


def test_the_first_line_follows_the_genesis_text_and_is_signed_by_the_device() -> None:
    batch = _begun(Clock()).take()
    assert batch is not None
    ((line, kid),) = _parsed(batch.data)
    assert (line.seq, line.prev) == (0, genesis("az-2026", "57-002", "u1"))
    assert kid == thumbprint(DEVICE.public_point)


def test_lines_are_chained_and_signed_by_the_session() -> None:
    chain = _begun(Clock(), next_seq=7, prev="p" * 43, size_bytes=1_000)
    chain.add(Event(event="opened"))
    chain.add(Event(event="closed"))
    assert chain.waiting == 3
    batch = chain.take()
    assert batch is not None
    texts = batch.data.splitlines()
    parsed = _parsed(batch.data)
    assert [line.seq for line, _ in parsed] == [7, 8, 9]
    assert [line.prev for line, _ in parsed] == ["p" * 43, line_hash(texts[0]), line_hash(texts[1])]
    assert {kid for _, kid in parsed[1:]} == {thumbprint(SESSION.public_point)}
    token = jws.unseal(texts[2])
    assert PublicKey(SESSION.public_point).verifies(token.signed, token.signature)
    assert batch.head.seq == 9
    assert batch.head.sha256 == line_hash(texts[2])
    assert batch.head.size_bytes == 1_000 + len(batch.data)
    assert [line.body for line in batch.lines] == [line.body for line, _ in parsed]


def test_taking_hands_lines_over_once() -> None:
    chain = _begun(Clock())
    assert chain.take() is not None
    assert chain.take() is None
    assert chain.waiting == 0


def test_the_stored_bytes_are_the_hashed_bytes() -> None:
    batch = _begun(Clock()).take()
    assert batch is not None
    digest = hashlib.sha256(batch.data[:-1]).digest()
    assert base64url.encode(digest) == batch.head.sha256


def test_boot_time_never_decreases_within_a_session() -> None:
    clock = Clock()
    chain = _begun(clock)
    clock.now = Stamp(boot_ns=500, utc_us=None, error_us=None)
    chain.add(Event(event="opened"))
    batch = chain.take()
    assert batch is not None
    assert [line.stamp.boot_ns for line in batch.lines] == [1_000, 1_000]


def test_a_change_of_the_clock_is_told_before_the_line_that_meets_it_with_the_same_stamp() -> None:
    clock = Clock()
    chain = _begun(clock)
    clock.now = Stamp(boot_ns=2_000_000, utc_us=1_800_000_000_000_000, error_us=4_000)
    chain.add(Event(event="opened"))
    clock.now = Stamp(boot_ns=3_000_000, utc_us=1_800_000_000_001_000, error_us=4_000)
    chain.add(Event(event="closed"))
    batch = chain.take()
    assert batch is not None
    bodies = [line.body for line in batch.lines]
    assert bodies[1:] == [
        ClockLine(change=ClockChange.GAINED, step_us=None),
        Event(event="opened"),
        Event(event="closed"),
    ]
    assert batch.lines[1].stamp == batch.lines[2].stamp


def _stamp(boot_s: float, utc_us: int | None, *, synced: bool = True) -> Stamp:
    error_us = 1_000 if synced and utc_us is not None else None
    return Stamp(boot_ns=int(boot_s * 10**9), utc_us=utc_us, error_us=error_us)


@pytest.mark.parametrize(
    ("before", "now", "change", "step_us"),
    [
        (_stamp(1, None), _stamp(2, None), None, None),
        (_stamp(1, None), _stamp(2, 10**15), ClockChange.GAINED, None),
        (_stamp(1, None), _stamp(2, 10**15, synced=False), ClockChange.STEP, None),
        (_stamp(1, 10**15, synced=False), _stamp(2, None), ClockChange.STEP, None),
        (_stamp(1, 10**15), _stamp(2, None), ClockChange.LOST, None),
        (_stamp(1, 10**15), _stamp(2, 10**15 + 10**6, synced=False), ClockChange.LOST, 0),
        (_stamp(1, 10**15, synced=False), _stamp(2, 10**15 + 9 * 10**6), ClockChange.GAINED, 8 * 10**6),
        (_stamp(1, 10**15), _stamp(2, 10**15 + 10**6), None, None),
        (_stamp(1, 10**15), _stamp(2, 10**15 + 10**6 + STEP_US), None, None),
        (_stamp(1, 10**15), _stamp(2, 10**15 + 10**6 + STEP_US + 1), ClockChange.STEP, STEP_US + 1),
        (_stamp(1, 10**15), _stamp(2, 10**15 + 10**6 - STEP_US - 1), ClockChange.STEP, -STEP_US - 1),
        (_stamp(1, 10**15, synced=False), _stamp(2, 10**15, synced=False), ClockChange.STEP, -(10**6)),
    ],
)
def test_what_counts_as_a_change_of_the_clock(
    before: Stamp, now: Stamp, change: ClockChange | None, step_us: int | None
) -> None:
    expected = None if change is None else ClockLine(change=change, step_us=step_us)
    assert clock_change(before, now) == expected
