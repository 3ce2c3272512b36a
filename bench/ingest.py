"""How fast the archive takes segments in, verified, durable, indexed and receipted, beside servers that do less."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.centre import Centre, Listener
from bench.client import Client, Wire
from bench.fleet import Ack, Fleet
from bench.heavy import Heavy, HeavyStation
from bench.row import Bound, Row, median

CLIENTS = 64
SEGMENTS = 16
"""Of each client: half a gigabyte in a run."""
SEGMENT_BYTES = 500_000
"""Two seconds at 2 Mbit/s."""
RECEIPT_EVERY = 16
REPEATS = 3
TARGET = 0.6
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the stations have recorded."""

    lines: dict[str, list[bytes]]
    uploads: dict[str, list[Heavy]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One run: megabytes a second while all clients are busy; milliseconds of CPU for each megabyte of the whole."""

    mb_s: float
    server_ms: float
    generator_ms: float


def measure(folder: Path) -> list[Row]:
    """The same segments to each server in turn, over the same TLS, by the same generator, in a closed loop."""
    centre = Centre(folder / "centre")
    load = record(centre)
    servers: dict[str, Callable[[str], Listener]] = {
        "one": lambda data: centre.archive(workers=1, data=data),
        "two": lambda data: centre.archive(workers=2, data=data),
        "bare": centre.bare,
        "nginx": centre.nginx,
    }
    taken: dict[str, list[Taken]] = {name: [] for name in servers}
    for number in range(REPEATS):
        for name, server in servers.items():
            taken[name].append(_run(centre, server(f"{name}{number}"), load))
    return rows(taken)


def record(centre: Centre) -> Load:
    """A unit for each client, with all its segments recorded before anything is measured."""
    load = Load(lines={}, uploads={})
    for number in range(CLIENTS):
        station = HeavyStation(centre.authority, SEGMENT_BYTES, station=f"s{number}", unit="u1")
        load.uploads[station.station] = [station.heavy() for _ in range(SEGMENTS)]
        load.lines[station.station] = station.lines
    return load


def rows(taken: dict[str, list[Taken]]) -> list[Row]:
    """The archive with one and with two workers as a share of the bare server; the CPU of both; nginx."""
    speeds = {name: [each.mb_s for each in runs] for name, runs in taken.items()}
    bare = median(speeds["bare"])
    found: list[Row] = []
    for name, workers, target in (("one", "workers = 1", TARGET), ("two", "workers = 2", None)):
        found.append(
            Row(
                name=f"ingest, {workers}",
                value=median(speeds[name]) / bare,
                runs=tuple(speed / bare for speed in speeds[name]),
                unit="of the bare server",
                bound=Bound.AT_LEAST,
                target=target,
                note=f"{median(speeds[name]):,.0f} against {bare:,.0f} MB/s; {CLIENTS} connections; of {CORES} cores "
                f"the generator takes {_generator(taken[name]):.0%} and {_generator(taken['bare']):.0%}",
            )
        )
    found += [
        Row(
            name=f"ingest, CPU, {workers}",
            value=median([each.server_ms for each in taken[name]]),
            runs=tuple(each.server_ms for each in taken[name]),
            unit="ms per MB",
            reference="the bare server",
            reference_value=median([each.server_ms for each in taken["bare"]]),
            note=f"the generator takes {median([each.generator_ms for each in taken[name]]):.2f} more",
        )
        for name, workers in (("one", "workers = 1"), ("two", "workers = 2"))
    ]
    found.append(
        Row(
            name="ingest, nginx's WebDAV PUT, no hash, no sync, two workers",
            value=median(speeds["nginx"]),
            runs=tuple(speeds["nginx"]),
            unit="MB/s",
            reference="unbroken, workers = 1",
            reference_value=median(speeds["one"]),
            note=f"{median([each.server_ms for each in taken['nginx']]):.2f} ms CPU per MB",
        )
    )
    return found


def speed(acks: tuple[Ack, ...]) -> float:
    """Megabytes a second until the first client has nothing more to send."""
    last: dict[int, float] = {}
    for ack in acks:
        last[ack.client] = max(last.get(ack.client, 0), ack.done_s)
    until_s = min(last.values())
    return sum(ack.size_bytes for ack in acks if ack.done_s <= until_s) / until_s / 1e6


def _run(centre: Centre, server: Listener, load: Load) -> Taken:
    names = list(load.lines)

    def client(number: int) -> Client:
        name = names[number]
        wire = Wire(server.port, root=centre.root, certificate=centre.certificate(name, "u1"), key=centre.uplink_key)
        made = Client(wire=wire, uploads=list(load.uploads[name]), receipt_every=RECEIPT_EVERY if server.archive else 0)
        if server.archive:
            made.lines(load.lines[name])
        return made

    with server.program as program:
        program.listen(server.port)
        with Fleet(client, len(names)) as fleet:
            before_s = program.cpu_s()
            run = fleet.run({number: [0.0] * SEGMENTS for number in range(len(names))})
            cpu_s = program.cpu_s() - before_s
    size_mb = sum(ack.size_bytes for ack in run.acks) / 1e6
    return Taken(mb_s=speed(run.acks), server_ms=cpu_s * 1e3 / size_mb, generator_ms=run.cpu_s * 1e3 / size_mb)


def _generator(runs: list[Taken]) -> float:
    """Its share of the processor while it is measured."""
    return median([each.generator_ms * each.mb_s / 1e3 for each in runs]) / CORES
