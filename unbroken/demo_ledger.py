"""Reading a demo's ledger while it grows, and telling its lines to a person."""

import json
from datetime import UTC, datetime

from evidence import jws
from evidence.lines import Config, Event, Gap, Line, Recovered, Run, Segment, Start, read_payload
from unbroken.demo_station import DemoStation


class Tail:
    """Reads a ledger up to its durable head, each line once."""

    def __init__(self, station: DemoStation) -> None:
        self._ledger = station.data / "ledger.jws"
        self._head = station.run / "head.json"
        self._offset = 0

    def read(self) -> list[Line]:
        """The lines that have become durable since the last call."""
        if not self._head.exists():
            return []
        end = json.loads(self._head.read_text())["size_bytes"]
        with self._ledger.open("rb") as file:
            file.seek(self._offset)
            data = file.read(end - self._offset)
        self._offset = end
        return [read_payload(jws.unseal(text).payload) for text in data.splitlines()]


def wall_clock(line: Line) -> str:
    """When it was written, as far as the unit knew."""
    if line.stamp.utc_us is None:
        return "--:--:--"
    return f"{datetime.fromtimestamp(line.stamp.utc_us / 1e6, UTC):%H:%M:%S}"


def in_words(line: Line) -> str:
    """What a line says, in one line of text."""
    match line.body:
        case Start() as start:
            return f"start      unit {start.unit}, session {start.kid[:12]}…"
        case Run() as run:
            return f"run        {run.camera}: {run.source}, {run.width}x{run.height}, {run.codec}"
        case Recovered() as found:
            return f"recovered  {found.camera} {found.index:06d}  {_seconds(found)}"
        case Segment() as segment:
            size = f"{segment.size / 1000:>6.0f} kB"
            return (
                f"segment    {segment.camera} {segment.index:06d}  {_seconds(segment)}  {size}"
                f"  {segment.mode:<7}  sha256 {segment.sha256[:16]}…"
            )
        case Gap() as gap:
            return f"gap        {gap.camera}  {(gap.to_ns - gap.from_ns) / 1e9:.2f} s  {gap.cause}"
        case Event() as event:
            told = event.data.get("mode") or event.data.get("reason") or ""
            return f"event      {event.event}  {told}".rstrip()
        case Config() as config:
            return f"config     {config.what}"
        case body:
            return type(body).__name__.lower()


def _seconds(segment: Segment) -> str:
    return f"{(segment.to_ns - segment.from_ns) / 1e9:5.2f} s"
