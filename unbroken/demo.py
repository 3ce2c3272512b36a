"""One command that records, delivers and proves: a throwaway election with one station and an archive."""

import contextlib
import json
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from appliance.control.server import ask
from base.errors import OperatorError
from evidence import jws
from evidence.lines import Config, Event, Gap, Line, Recovered, Run, Segment, Start, read_payload
from provisioning.authority import Authority
from unbroken.demo_archive import Plug, connect, make_archive
from unbroken.demo_station import CHAIR_PIN, ELECTION, INSTALLER_PIN, STATION, DemoStation, make_station

POLL_S = 0.2
START_S = 30
END_S = 30
DELIVERY_S = 120
_PINS = {"installer": INSTALLER_PIN, "chair": CHAIR_PIN}


def run_demo(
    *, folder: Path, cameras: list[str], duration_s: float | None, unplugged: tuple[float, float] | None = None
) -> DemoStation:
    """Record into ``folder`` and deliver until ``duration_s`` or Ctrl-C, printing each committed line; close the
    record and wait until the archive has it.

    ``unplugged`` is when the archive is out of reach, in seconds from the beginning; on a terminal the Enter key pulls
    the plug and puts it back. Raises OperatorError where the recorder cannot start or dies.
    """
    authority = Authority.generate(ELECTION)
    station = make_station(folder, cameras, authority=authority)
    archive = make_archive(folder, authority)
    connect(folder, authority, archive)
    _station_verb("init", station).wait()
    print(f"Station {STATION} of a throwaway election records in {folder}, in mode TEST once armed, and delivers to")
    print(f"an archive on this machine, {archive.url}. Each line below is one signed line of its ledger.")
    if duration_s is None:
        print("Ctrl-C ends." + (" Enter pulls the plug of the archive and puts it back." if sys.stdin.isatty() else ""))
    print()
    stop, tail, plug = threading.Event(), _Tail(station), Plug(archive)
    with _signals(stop):
        plug.plug_in()
        recorder = _station_verb("record", station)
        uplink = _station_verb("uplink", station)
        try:
            _arm(station, recorder, stop)
            _watch(station, recorder, stop, tail, duration_s, _Hand(plug, unplugged))
            ask(station.run / "control.sock", {"verb": "close", "pins": _PINS})
            recorder.wait(END_S)
            for line in tail.read():
                _show(line)
            plug.plug_in()
            print()
            print(_delivered(station))
        finally:
            for process in (recorder, uplink):
                if process.poll() is None:
                    process.terminate()
                    process.wait(END_S)
            plug.pull()
    return station


class _Hand:
    """Who pulls the plug: the clock, or somebody at a terminal."""

    def __init__(self, plug: Plug, unplugged: tuple[float, float] | None) -> None:
        self._plug = plug
        self._times = list(unplugged or ())
        self._began = time.monotonic()

    def move(self) -> None:
        """Pull the plug, or put it back, if it is time or the Enter key was pressed."""
        if (self._times and time.monotonic() - self._began >= self._times[0]) or _enter():
            if self._times:
                self._times.pop(0)
            if self._plug.plugged:
                self._plug.pull()
                print("--:--:--         the archive's plug is pulled; the station records on", flush=True)
            else:
                self._plug.plug_in()
                print("--:--:--         the plug is back; first the ledger goes up, then what is missing", flush=True)


def _enter() -> bool:
    """Whether a line was typed."""
    if not sys.stdin.isatty() or not select.select([sys.stdin], [], [], 0)[0]:
        return False
    return sys.stdin.readline() != ""


def _delivered(station: DemoStation) -> str:
    """Wait until the archive has everything and the station holds its receipts, and say so; or say what is missing."""
    path, deadline = station.run / "uplink.json", time.monotonic() + DELIVERY_S
    status: dict[str, object] = {}
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            status = json.loads(path.read_bytes())
            head = json.loads((station.run / "head.json").read_bytes())
            if status["sent_seq"] == head["seq"] and not status["media_waiting"] and not status["media_held"]:
                return (
                    f"Complete: the archive holds all {int(head['seq']) + 1} lines and the {status['media_receipted']}"
                    " armed segments, and has signed for them."
                )
        time.sleep(POLL_S)
    return f"Not complete: {status.get('media_waiting', 'all')} segments wait. {status.get('why_not') or ''}".rstrip()


def new_folder(parent: Path) -> Path:
    """A folder below ``parent`` that does not exist yet, named after the time."""
    return parent / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


class _Tail:
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


def _station_verb(verb: str, station: DemoStation) -> subprocess.Popen[bytes]:
    """One of our own programs, in a session of its own so that Ctrl-C reaches it only through us."""
    command = [sys.executable, "-m", "unbroken", "station", verb, "--config", str(station.config)]
    with (station.config.parent / "recorder.log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def _arm(station: DemoStation, recorder: "subprocess.Popen[bytes]", stop: threading.Event) -> None:
    """Two people's PINs, as soon as the recorder listens."""
    socket = station.run / "control.sock"
    deadline = time.monotonic() + START_S
    while not socket.exists() and not stop.is_set():
        _require_alive(station, recorder)
        if time.monotonic() > deadline:
            raise OperatorError("The recorder did not start in time.", hint=f"See {_log(station)}.")
        stop.wait(POLL_S)
    if not stop.is_set():
        ask(socket, {"verb": "arm", "pins": _PINS})


def _watch(
    station: DemoStation,
    recorder: "subprocess.Popen[bytes]",
    stop: threading.Event,
    tail: _Tail,
    duration_s: float | None,
    hand: "_Hand",
) -> None:
    deadline = None if duration_s is None else time.monotonic() + duration_s
    while not stop.wait(POLL_S) and (deadline is None or time.monotonic() < deadline):
        _require_alive(station, recorder)
        hand.move()
        for line in tail.read():
            _show(line)


def _require_alive(station: DemoStation, recorder: "subprocess.Popen[bytes]") -> None:
    if recorder.poll() is not None:
        last = _log(station).read_text().strip().splitlines()[-1:]
        raise OperatorError(f"The recorder ended: {''.join(last)}", hint=f"See {_log(station)}.")


def _log(station: DemoStation) -> Path:
    return station.config.parent / "recorder.log"


def _show(line: Line) -> None:
    at = "--:--:--" if line.stamp.utc_us is None else f"{datetime.fromtimestamp(line.stamp.utc_us / 1e6, UTC):%H:%M:%S}"
    print(f"{at}  {line.seq:>5}  {_tell(line)}", flush=True)


def _tell(line: Line) -> str:
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


@contextlib.contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the recording, not the program: the proof is still to come."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
