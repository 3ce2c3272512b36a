"""What the benchmarks of delivery send, how they load a server, and what they make of the answers."""

import hashlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.backfill import Seen, percentile, rows, speed
from bench.client import Client, Wire
from bench.fleet import Ack, Run, _run
from bench.heavy import HeavyStation, filler
from bench.ingest import Taken
from bench.ingest import rows as ingest_rows
from bench.ingest import speed as ingest_speed
from bench.program import Program, cpu_s, free_port
from bench.stations import FIRST_MB_S, MOST_STEPS, STATIONS, Step, climb, dues, most_segments, segments
from bench.stations import rows as station_rows
from cmaf.content import ContentReader
from evidence import jws
from evidence.lines import Segment, read_payload
from evidence.verify.content import read_facts
from evidence.verify.media import Expected, judge
from tests.fakes.archive import RunningArchive, timeless_authority


class NoWire(Wire):
    """Answers nothing and connects to nobody."""

    def __init__(self) -> None:
        pass


class Told(Client):
    """A client whose segments take no network."""

    def lines(self, texts: Sequence[bytes]) -> None:
        raise AssertionError("no lines are due")


def step(mb_s: float, p99_s: float) -> Step:
    return Step(
        mb_s=mb_s,
        median_s=p99_s / 2,
        p99_s=p99_s,
        cpu_ms=10,
        resident_mib=400,
        processes=3,
        generator=0.1,
        waits=0,
    )


@pytest.mark.parametrize("size_bytes", [0, 1, 500, 40_000])
def test_a_heavy_segment_is_as_long_as_asked_and_verifies_against_its_line(size_bytes: int) -> None:
    station = HeavyStation(timeless_authority(), size_bytes, station="s1", unit="u1")
    light = HeavyStation(timeless_authority(), 0, station="s1", unit="u1").heavy()
    first, second = station.heavy(), station.heavy()
    assert first.size_bytes == light.size_bytes + len(filler(size_bytes))
    assert (first.tail is second.tail, first.sha256 == second.sha256) == (True, False)
    segment = read_payload(jws.unseal(second.line).payload).body
    assert isinstance(segment, Segment)
    data = second.head + second.tail
    assert hashlib.sha256(data).hexdigest() == second.sha256
    expected = Expected(
        election=station.election,
        station="s1",
        unit="u1",
        boot_id=station.boot,
        session=station.kid,
        segment=segment,
        stream=(16, 16, 90_000, 5),
        init_sha256=station.cameras["cam1"].init_sha256,
    )
    assert judge(expected, read_facts(data, ContentReader())) == ()


def test_a_client_delivers_to_a_real_archive_each_line_before_its_segment_and_asks_for_receipts(tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path, timeless_authority())
    archive.start()
    try:
        uplink = archive.uplink("s1")  # writes key and certificate
        certificate = next(path for path in (tmp_path / "keys").glob("*.pem") if path.stem.isdigit())
        station = HeavyStation(archive.by, 20_000, station="s1", unit="u1")
        opening = list(station.lines)
        wire = Wire(
            uplink._port, root=archive.config.trust, certificate=certificate, key=certificate.with_suffix(".key")
        )
        client = Client(wire=wire, uploads=[station.heavy() for _ in range(4)], receipt_every=2, with_lines=True)
        client.lines(opening)
        sent = _run({7: client}, time.monotonic(), {7: [0.0] * 4})
        client.uploads, client.with_lines = [HeavyStation(archive.by, 0, station="s2", unit="u1").heavy()], False
        with pytest.raises(RuntimeError, match="404"):
            client.segment()
        wire.close()
    finally:
        archive.stop()
    assert [(ack.client, ack.due_s, ack.size_bytes > 20_000) for ack in sent.acks] == [(7, 0, True)] * 4
    assert (sent.waits, client.uploads, client._unproven) == (0, [], [])
    assert archive.ledger(station="s1") == station.ledger


def test_a_latency_counts_from_when_a_segment_was_due_not_from_when_it_was_sent() -> None:
    assert Ack(client=0, due_s=1.5, done_s=4.0, size_bytes=1).latency_s == 2.5


def test_a_clients_failure_ends_the_run() -> None:
    with pytest.raises(IndexError):
        _run({1: Told(wire=NoWire(), uploads=[])}, time.monotonic(), {1: [0.0]})


def test_where_nothing_is_due_nothing_is_acknowledged() -> None:
    assert _run({1: Told(wire=NoWire(), uploads=[])}, time.monotonic(), {}) == Run(acks=(), cpu_s=0, waits=0)


def test_the_bytes_of_the_first_acknowledgement_are_not_in_the_speed() -> None:
    assert speed([(10.0, 500), (11.0, 700), (12.0, 900)]) == 200
    with pytest.raises(RuntimeError, match="hardly anything"):
        speed([(10.0, 500)])


@pytest.mark.parametrize(("percent", "least"), [(1, 1), (50, 2), (75, 3), (76, 4), (95, 4), (100, 4)])
def test_a_percentile_is_one_of_the_values(percent: int, least: int) -> None:
    assert percentile([4, 1, 3, 2], percent) == least


def test_the_rows_of_backfill_hold_share_and_delay_to_their_targets() -> None:
    alone = Seen(latencies_s=(1.0, 1.0, 2.0), marks=(), carried_bytes=0, seconds=16)
    loaded = Seen(
        latencies_s=(1.25, 1.25, 2.75), marks=((0.0, 0), (10.0, 1_200_000)), carried_bytes=1_225_000, seconds=10
    )
    share, middle, slowest = rows(1_000_000, 500_000, alone, loaded)
    assert (share.value, share.met) == (0.96, True)
    assert "backfill 0.920 of the rest" in share.note
    assert (middle.value, middle.met) == (0.25, True)
    assert (slowest.value, slowest.met) == (0.75, False)


def test_the_speed_of_ingest_is_counted_while_all_are_busy() -> None:
    acks = [(0, 1.0), (0, 2.0), (1, 1.5), (1, 2.5), (1, 9.0)]
    made = tuple(Ack(client=client, due_s=0, done_s=done_s, size_bytes=1_000_000) for client, done_s in acks)
    assert ingest_speed(made) == 1.5


def test_the_archive_is_held_to_a_share_of_the_bare_server() -> None:
    def runs(mb_s: float) -> list[Taken]:
        return [Taken(mb_s=mb_s, server_ms=6, generator_ms=1)]

    found = ingest_rows({"one": runs(120), "two": runs(180), "bare": runs(240), "nginx": runs(900)})
    assert [(row.value, row.met) for row in found[:2]] == [(0.5, False), (0.75, True)]
    assert found[-1].reference_value == 120


def test_rates_climb_until_one_fails_and_then_in_smaller_steps() -> None:
    def held(most: float) -> list[float]:
        return [each.mb_s for each in climb(lambda mb_s, _: step(mb_s, 0.1 if mb_s <= most else 5))]

    assert held(60) == pytest.approx([30, 45, 67.5, 54, 64.8])
    assert held(1) == [FIRST_MB_S]
    assert len(held(10_000)) == MOST_STEPS


def test_each_step_goes_on_where_the_one_before_has_ended() -> None:
    told: list[tuple[float, int]] = []

    def take(mb_s: float, first: int) -> Step:
        told.append((mb_s, first))
        return step(mb_s, 0.1)

    climb(take)
    assert told[1][1] == segments(FIRST_MB_S)
    assert [first for _, first in told] == sorted(first for _, first in told)
    needed = [0] * STATIONS
    for mb_s, first in told:
        for station, times in dues(mb_s, first).items():
            needed[station] += len(times)
    assert max(needed) <= most_segments()


def test_what_is_due_is_spread_evenly_over_time_and_stations() -> None:
    times = dues(30, 990)
    assert (len(times), set(times)) == (480, {*range(990, 1_000), *range(470)})
    ordered = sorted(each for due in times.values() for each in due)
    assert ordered[:3] == pytest.approx([0, 1 / 60, 2 / 60])


def test_the_highest_rate_that_held_is_told_and_none_where_none_did() -> None:
    best, *others = station_rows([step(30, 0.1), step(45, 4), step(36, 0.5)], 300)
    assert (best.value, len(others)) == (36, 2)
    assert "0.10 s at 30; 0.50 s at 36; 4.00 s at 45" in best.note
    (none,) = station_rows([step(30, 4)], 300)
    assert none.value == 0


def test_a_program_is_measured_with_its_children_and_ended(tmp_path: Path) -> None:
    busy = (
        "import os, time\nparent = os.getpid()\nos.fork()\nwhile time.process_time() < 0.2: pass\n"
        "while parent in (os.getpid(), os.getppid()): time.sleep(0.01)"
    )
    with Program([sys.executable, "-c", busy], tmp_path / "log") as program:
        deadline = time.monotonic() + 30
        while program.cpu_s() < 0.4:
            program.require_alive()
            assert time.monotonic() < deadline
        assert program.processes() == 2
        assert program.resident_mib() > 1
    with pytest.raises(RuntimeError, match="ended with"):
        program.require_alive()


def test_a_program_that_ends_before_it_listens_is_an_error_that_shows_its_log(tmp_path: Path) -> None:
    with (
        Program(["sh", "-c", "echo what it said"], tmp_path / "log") as program,
        pytest.raises(RuntimeError, match="ended with 0: what it said"),
    ):
        program.listen(free_port())


def test_the_processor_time_of_a_process_is_its_own() -> None:
    assert cpu_s(os.getpid()) == pytest.approx(time.process_time(), abs=0.5)
    assert cpu_s(2**22 + 1) == 0
