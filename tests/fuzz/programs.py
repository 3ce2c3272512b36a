"""What programs read from outside: configuration, PINs, requests, whole records."""

import asyncio
import functools
import json
import tempfile
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import cast

from appliance.commands import Commands
from appliance.config import load_config
from appliance.control.pins import PinBook
from appliance.control.server import ControlServer
from appliance.pipeline import Pipeline
from audit.report.page import render_report
from audit.verify import verify
from base.errors import OperatorError
from evidence import base64url, jws
from evidence.certificate import Trust
from evidence.keys import to_jwk
from evidence.lines import genesis, line_hash
from tests.fakes.clock import FakeClock
from tests.fakes.station import Station, authority, signer

REPOSITORY = Path(__file__).parents[2]
CASES = REPOSITORY / "tests/vectors/cases"
STATION = "57-002"
UNIT = "u1"


@functools.cache
def _folder() -> Path:
    """One folder for the life of the process; every input replaces the one before."""
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def config(data: bytes) -> None:
    """The station's configuration."""
    path = _folder() / "station.toml"
    path.write_bytes(data)
    with suppress(OperatorError):
        load_config(path)


def pins(data: bytes) -> None:
    """The file of kept PINs."""
    path = _folder() / "pins.toml"
    path.write_bytes(data)
    with suppress(OperatorError):
        PinBook.load(path)


class _Idle:
    """Stands where the storage thread would be: takes every command and does nothing."""

    mode = "UNARMED"

    def status(self) -> dict[str, object]:
        return {}

    def submit(self, command: object) -> "Future[dict[str, object]]":
        future: Future[dict[str, object]] = Future()
        future.set_result({})
        return future


@functools.cache
def _server() -> tuple[asyncio.AbstractEventLoop, ControlServer]:
    commands = Commands(
        pipeline=cast(Pipeline, _Idle()),
        pins=PinBook({}),
        clock=FakeClock(),
        profile=None,
        profile_sha256="",
        raw_cameras=False,
        stop_cameras=lambda: None,
    )
    return asyncio.new_event_loop(), ControlServer(_folder() / "control.sock", commands.answer)


def request(data: bytes) -> None:
    """A line on the control socket: whatever it is, the answer is one line of JSON."""
    loop, server = _server()
    reply = loop.run_until_complete(server._reply(data))
    assert isinstance(reply["ok"], bool)
    assert b"\n" not in json.dumps(reply, ensure_ascii=False).encode()


@functools.cache
def _trust() -> Trust:
    return Trust.from_pem(authority().root_pem)


def record(data: bytes) -> None:
    """A ledger as found on a disk, verified and reported."""
    folder = _folder() / "unit"
    folder.mkdir(exist_ok=True)
    (folder / "ledger.jws").write_bytes(data)
    _verify(folder)


def verify_file(name: str, data: bytes) -> None:
    """A single file of that name, verified and reported."""
    path = _folder() / name
    path.write_bytes(data)
    _verify(path)


def signed_record(data: bytes) -> None:
    """A ledger whose signer is hostile."""
    folder = _folder() / "unit"
    folder.mkdir(exist_ok=True)
    (folder / "ledger.jws").write_bytes(b"".join(line + b"\n" for line in chained(data)))
    _verify(folder)


def chained(data: bytes, **names: str) -> list[bytes]:
    """Each line of ``data`` as a payload, chained and signed as it should be. ``names`` are what a ``start`` names."""
    device, session = signer("fuzz-device"), signer("fuzz-session")
    prev = genesis("az-2026", STATION, UNIT)
    lines: list[bytes] = []
    for seq, text in enumerate(data.split(b"\n")[:64]):
        payload, starts = _chained(text, seq, prev, names)
        lines.append(jws.seal(payload, device if starts else session))
        prev = line_hash(lines[-1])
    return lines


def _chained(text: bytes, seq: int, prev: str, names: Mapping[str, str]) -> tuple[bytes, bool]:
    """The payload with its right place in the chain, and whether it is a ``start``, which then enrols our key."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return text, False
    if not isinstance(members, dict):
        return text, False
    members |= {"seq": seq, "prev": prev}
    if members.get("kind") == "start":
        members["session"] = to_jwk(signer("fuzz-session").public_point)
        members["certs"] = [base64url.encode(der) for der in _station().certs]
        members |= names
    try:
        return json.dumps(members, separators=(",", ":")).encode(), members.get("kind") == "start"
    except ValueError:
        return text, False


@functools.cache
def _station() -> Station:
    return Station(authority(), station=STATION, unit=UNIT, seed="fuzz")


def _verify(folder: Path) -> None:
    answer = verify([folder], trust=_trust())
    json.dumps(answer)
    render_report(dict(answer))


def configurations() -> list[bytes]:
    """A whole configuration, and values that TOML readers stumble over."""
    whole = b"""[station]
election = "sample-2027"
station = "57-002"
unit = "u-0001"
[keys]
trust = "root.pem"
key = "unit.key"
certificate = "unit.pem"
profile = "profile.jws"
pins = "pins.toml"
[disk]
data = "disk"
run = "run"
reserve_mib = 16
[[camera]]
id = "cam1"
source = "pattern"
mask = [[[0, 0], [10, 0], [10, 10]]]
"""
    return [whole, b"a = " + b"[" * 2000, b"a = " + b"9" * 5000, b"a" + b".a" * 2000 + b" = 1", b"a = 1979-05-27"]


def pin_files() -> list[bytes]:
    """Kept PINs."""
    kept = b'"scrypt:' + b"0" * 32 + b":" + b"0" * 64 + b'"'
    return [b"installer = " + kept + b"\nchair = " + kept + b"\n", b"installer = " + b"[" * 2000]


def requests() -> list[bytes]:
    """One of each."""
    return [
        b'{"verb":"status"}',
        b'{"verb":"arm","pins":{"installer":"1111","chair":"2222"}}',
        b'{"verb":"mark","phase":"opened","pins":{"chair":"2222"}}',
        b'{"verb":"close","pins":{"installer":"1111","chair":"2222"}}',
        b'{"verb":"\\ud800"}',
    ]


def ledgers() -> list[bytes]:
    """Ledgers of the test vectors."""
    return [path.read_bytes() for path in sorted(CASES.glob("*/ledger.jws"))]


def payload_lists() -> list[bytes]:
    """The same as payloads, one a line."""
    found: list[bytes] = []
    for ledger in ledgers():
        lines = [line for line in ledger.splitlines() if line.count(b".") == 2]
        with suppress(ValueError):
            found.append(b"\n".join(base64url.decode(line.split(b".")[1]) for line in lines))
    return [payloads for payloads in found if len(payloads) < 20_000]
