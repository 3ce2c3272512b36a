"""How many lines a second become durable at the archive when many stations come back at once, and what each costs."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.centre import Centre
from bench.client import Client, Wire
from bench.ingest import CORES
from bench.row import Row
from bench.verify_lines import raw_per_second
from tests.fakes.station import Station

STATIONS = 6
SEGMENTS = 10_800
"""Six hours of one camera."""


def measure(folder: Path) -> list[Row]:
    """All stations at the same time, each in batches of 1,024 lines, with one worker and with one for each core."""
    centre = Centre(folder / "centre")
    ledgers = {name: record(centre, name) for name in (f"s{number}" for number in range(STATIONS))}
    raw = raw_per_second(time.process_time)
    found: list[Row] = []
    for workers in sorted({1, CORES}):
        per_second, cpu_ms = _deliver(centre, ledgers, workers)
        found += [
            Row(
                name=f"lines, workers = {workers}",
                value=per_second,
                unit="a second",
                reference="bare ES256 verification on one core",
                reference_value=raw,
                note=f"{STATIONS} stations with {SEGMENTS:,} each; verified, durable, indexed, each batch receipted",
            ),
            Row(
                name=f"lines, CPU, workers = {workers}",
                value=cpu_ms,
                unit="ms per 1,000",
                reference="bare ES256 verification",
                reference_value=1e6 / raw,
            ),
        ]
    return found


def record(centre: Centre, name: str) -> list[bytes]:
    """The ledger of a unit whose media nobody has."""
    station = Station(centre.authority, station=name, unit="u1", cameras=("cam1",), seed=name, media=False)
    station.begin()
    station.arm()
    station.segments(SEGMENTS, "cam1")
    return station.lines


def _deliver(centre: Centre, ledgers: dict[str, list[bytes]], workers: int) -> tuple[float, float]:
    """Lines a second, and milliseconds of the archive's CPU for a thousand."""
    archive = centre.archive(workers=workers, data=f"data{workers}")
    with archive.program as program:
        program.listen(archive.port)
        clients: list[Client] = []
        for name in ledgers:
            certificate = centre.certificate(name, "u1")
            wire = Wire(archive.port, root=centre.root, certificate=certificate, key=centre.uplink_key)
            clients.append(Client(wire=wire, uploads=[]))
        before_s, began = program.cpu_s(), time.monotonic()
        with ThreadPoolExecutor(len(clients)) as threads:
            for _ in threads.map(Client.lines, clients, ledgers.values()):
                pass
        seconds, cpu_s = time.monotonic() - began, program.cpu_s() - before_s
        for client in clients:
            client.wire.close()
    count = sum(map(len, ledgers.values()))
    return count / seconds, cpu_s * 1e6 / count
