"""The audience that tests and benchmarks use sees what it is shown, and says so."""

import hashlib
import time
from collections.abc import Iterator

import pytest

from bench.asking import Asked, ask
from bench.audience import Served, crowd_rows, list_rows, media_rows
from bench.crowd import Day, Phase
from tests.fakes.origin import Answer, Origin
from tests.fakes.viewers import Audience, Seen

LIST = "/hls/57-002/u1/cam1/live.m3u8"
WAIT_S = 30


def address(data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f"/media/{digest[:2]}/{digest}.m4s"


def live(first: int, *segments: bytes) -> bytes:
    entries = "".join(f"#EXTINF:2.0,\n{address(data)}\n" for data in segments)
    return f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{first}\n{entries}".encode()


@pytest.fixture
def origin() -> Iterator[Origin]:
    origin = Origin()
    origin.start()
    yield origin
    origin.stop()


def watch(origin: Origin, viewers: int, *, asked: int) -> Seen:
    """Until so many requests have come."""
    audience = Audience(origin.port, [LIST], viewers, processes=1, spread_s=0)
    with audience:
        deadline = time.monotonic() + WAIT_S
        while origin.asked.total() < asked:
            assert time.monotonic() < deadline, origin.asked
            time.sleep(0.02)
    return audience.seen


def test_viewers_fetch_the_newest_of_a_list_and_wait_for_the_next(origin: Origin) -> None:
    old, *newest = (b"one", b"two", b"three", b"four")
    origin.say(LIST, live(5, old, *newest))
    for number in (9, 10):
        origin.say(f"{LIST}?_HLS_msn={number}", live(6, *newest, b"five"))
    for data in (*newest, b"five"):
        origin.say(address(data), data)
    seen = watch(origin, 2, asked=2 + 6 + 2)
    assert seen.viewers == 2
    assert (seen.wrong, dict(seen.refused)) == (0, {})
    assert origin.asked[address(old)] == 0
    assert {origin.asked[address(data)] for data in newest} == {2}
    assert origin.asked[f"{LIST}?_HLS_msn=9"] == 1


def test_other_bytes_than_the_address_says_are_wrong_and_a_refusal_is_counted(origin: Origin) -> None:
    origin.say(LIST, live(0, b"right", b"wrong", b"missing"))
    origin.say(address(b"right"), b"right")
    origin.say(address(b"wrong"), b"else")
    origin.answers[address(b"missing")] = Answer(status=404)
    seen = watch(origin, 1, asked=5)
    assert (seen.segments, seen.wrong, dict(seen.refused)) == (1, 1, {"media 404": 1})


def test_what_has_left_the_list_meanwhile_is_skipped_and_said(origin: Origin) -> None:
    origin.say(LIST, live(0, b"a"))
    for data in (b"a", b"z"):
        origin.say(address(data), data)
    audience = Audience(origin.port, [LIST], 1, processes=1, spread_s=0)
    deadline = time.monotonic() + WAIT_S
    with audience:
        while not origin.asked[address(b"a")]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        origin.say(LIST, live(9, b"z"))
        while not origin.asked[address(b"z")]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert audience.seen.skipped == 8


def test_a_server_is_asked_in_a_closed_loop_and_any_other_answer_is_an_error(origin: Origin) -> None:
    origin.say("/a", b"x" * 2_000_000)
    asked = ask(origin.port, ["/a"], connections=2, processes=1, seconds=0.2)
    assert asked.answers == origin.asked["/a"]
    assert asked.received_bytes > 2_000_000 * asked.answers
    with pytest.raises(RuntimeError, match="404"):
        ask(origin.port, ["/b"], connections=2, processes=1, seconds=0.2)


def test_the_rows_hold_what_was_measured_to_its_targets() -> None:
    def served(answers: int) -> list[Served]:
        return [Served(asked=Asked(answers=answers, received_bytes=10**6, seconds=2.0, cpu_s=0.4), cpu_s=0.1)]

    fast, cpu = list_rows(served(40_000), served(80_000), 812)
    assert (fast.value, fast.met, fast.ratio) == (20_000, True, 0.5)
    assert cpu.value == pytest.approx(2.5)
    assert media_rows(served(10), served(10))[1].value == pytest.approx(100)

    def phase(carried: int, digest: str) -> Phase:
        return Phase(
            committed={digest: 10.0},
            acknowledged_s=(0.2,),
            carried_bytes=carried,
            seconds=2.0,
            nginx_cpu_s=0.2,
            site_cpu_s=0.02,
        )

    seen = Seen(first={"b": 10.5}, all={"b": 13.0}, total={"b": 24.0}, fetched=Seen().fetched)
    seen.fetched["b"] = 2
    day = Day(alone=(phase(1000, "a"), phase(1000, "c")), crowd=phase(1100, "b"), seen=seen)
    uplink, _, behind, _ = crowd_rows(day)
    assert (uplink.value, uplink.met) == (1.1, False)
    assert behind.value == 2.0
