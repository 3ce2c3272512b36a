"""What a demo shows while it runs: every line of one station; of several, at most a line for each a second."""

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from evidence.lines import Line, Segment
from unbroken.demo_ledger import Tail, in_words, wall_clock
from unbroken.demo_station import DemoStation

_ROUND_S = 1.0


class Screen(Protocol):
    """Shows what is new each time it is asked to."""

    def show(self, *, last: bool = False) -> None:
        """Print what has become durable; ``last`` leaves nothing out."""


class EveryLine:
    """One station: each line of its ledger."""

    def __init__(self, station: DemoStation) -> None:
        self._tail = Tail(station)

    def show(self, *, last: bool = False) -> None:
        for line in self._tail.read():
            print(f"{wall_clock(line)}  {line.seq:>5}  {in_words(line)}", flush=True)


class EverySecond:
    """Several stations: how each stands, a line for each that has changed."""

    def __init__(self, stations: Sequence[DemoStation], now_s: Callable[[], float]) -> None:
        self._tallies = [_Tally(station=station, tail=Tail(station)) for station in stations]
        self._now_s = now_s
        self._next_s = now_s() + _ROUND_S

    def show(self, *, last: bool = False) -> None:
        if self._now_s() < self._next_s and not last:
            return
        self._next_s = self._now_s() + _ROUND_S
        for tally in self._tallies:
            tally.read()
            if tally.newest is not None and str(tally) != tally.shown:
                tally.shown = str(tally)
                print(tally.shown, flush=True)


@dataclass(slots=True, kw_only=True)
class _Tally:
    station: DemoStation
    tail: Tail
    newest: Line | None = None
    mode: str = ""
    segments: int = 0
    recorded_ns: int = 0
    shown: str = ""

    def read(self) -> None:
        for line in self.tail.read():
            self.newest = line
            if isinstance(line.body, Segment):
                self.mode = line.body.mode
                self.segments += 1
                self.recorded_ns += line.body.to_ns - line.body.from_ns

    def __str__(self) -> str:
        assert self.newest is not None
        return (
            f"{wall_clock(self.newest)}  {self.station.name}  line {self.newest.seq:>4}"
            f"  {self.segments:>3} segments, {self.recorded_ns / 1e9:5.1f} s  {self.mode:<7}  {_delivery(self.station)}"
        )


def _delivery(station: DemoStation) -> str:
    """How far the archive is, as the station's uplink tells."""
    status: dict[str, object] = {}
    with contextlib.suppress(OSError, ValueError):
        status = json.loads((station.run / "uplink.json").read_bytes())
    if not status.get("connected"):
        return "the archive is out of reach"
    sent = status.get("sent_seq")
    has = "no line" if sent is None else f"line {sent}"
    return f"the archive has {has}, {status.get('media_waiting')} segments wait"
