"""The state of a ledger up to a line, kept beside it, so that a start reads only what came after.

A snapshot is never needed and never believed where the ledger says otherwise: it names the last line that it knows by
place and digest, and counts only if that line is there. Its own digest stands before it, because a failing card changes
a digit without a word.
"""

import hashlib
import json
from dataclasses import asdict
from typing import BinaryIO

from appliance.ledger.state import CameraState, KeptSegment, LedgerState
from evidence import jws
from evidence.lines import Pruned, Stamp, Start, body_members, line_hash
from evidence.members import decode
from evidence.words import Mode, Phase

VERSION = 2
MAX_BYTES = 64 << 20
_PLAIN = (
    "under_voltage",
    "too_hot",
    "closed",
    "size_bytes",
    "damages",
    "next_seq",
    "prev",
    "session",
    "ending",
    "restarts",
)


def write_snapshot(state: LedgerState) -> bytes:
    """All of ``state``, as bytes. ``torn_bytes`` is none of it: nothing is torn where a line has just been written."""
    runs: dict[tuple[str, str, int], int] = {}
    unarmed = [
        (runs.setdefault((kept.camera, kept.session, kept.run), len(runs)), kept.index, kept.length_ns)
        for kept in state.unarmed.values()
    ]
    members: dict[str, object] = {
        "version": VERSION,
        **{name: getattr(state, name) for name in _PLAIN},
        "mode": state.mode,
        "profile": state.profile,
        "masks": state.masks,
        "phases": state.phases,
        "restarted_for": state.restarted_for,
        "sessions": sorted(state.sessions),
        "start": None if state.start is None else body_members(state.start),
        "last_stamp": None if state.last_stamp is None else asdict(state.last_stamp),
        "cameras": {name: asdict(camera) for name, camera in state.cameras.items()},
        "unarmed_runs": list(runs),
        "unarmed": unarmed,
        "last_pruned": [asdict(pruned) for pruned in state.last_pruned],
    }
    return seal(json.dumps(members, separators=(",", ":")).encode())


def seal(members: bytes) -> bytes:
    """``members`` behind a line with their SHA-256."""
    return hashlib.sha256(members).hexdigest().encode() + b"\n" + members


def read_snapshot(data: bytes, ledger: BinaryIO) -> LedgerState | None:
    """The state that ``write_snapshot`` wrote, or None where it is none or ``ledger`` does not hold its last line."""
    _, _, body = data.partition(b"\n")
    if seal(body) != data:
        return None
    try:
        members = json.loads(body)
        if members["version"] != VERSION:
            return None
        state = _state(members)
        return state if _last_line(ledger, state.size_bytes) == state.prev else None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError):
        return None


def _state(members: dict[str, object]) -> LedgerState:
    held: dict = members  # type: ignore[type-arg]
    runs = [(str(camera), str(session), int(run)) for camera, session, run in held["unarmed_runs"]]
    blank = LedgerState()
    if any(type(held[name]) is not type(getattr(blank, name)) for name in _PLAIN):
        raise ValueError("a member is of another type")
    state = LedgerState(
        **{name: held[name] for name in _PLAIN},
        mode=Mode(held["mode"]),
        profile=held["profile"],
        masks=dict(held["masks"]),
        phases=[Phase(phase) for phase in held["phases"]],
        restarted_for=[str(camera) for camera in held["restarted_for"]],
        sessions=set(held["sessions"]),
        start=None if held["start"] is None else decode(Start, held["start"]),
        last_stamp=None if held["last_stamp"] is None else decode(Stamp, held["last_stamp"]),
        last_pruned=[decode(Pruned, each) for each in held["last_pruned"]],
    )
    for name, camera in held["cameras"].items():
        fps_by_run = {int(run): int(fps) for run, fps in camera.pop("fps_by_run").items()}
        state.cameras[name] = CameraState(**camera, fps_by_run=fps_by_run)
    for run, index, length_ns in held["unarmed"]:
        camera, session, number = runs[run]
        state.unarmed[camera, session, number, index] = KeptSegment(
            camera=camera, session=session, run=number, index=index, length_ns=length_ns
        )
    return state


def _last_line(ledger: BinaryIO, size_bytes: int) -> str | None:
    """The digest of the line that ends at ``size_bytes``; None where none does."""
    begin = max(0, size_bytes - jws.MAX_BYTES)
    ledger.seek(begin)
    held = ledger.read(size_bytes - begin)
    if len(held) != size_bytes - begin or not held.endswith(b"\n"):
        return None
    return line_hash(held[:-1].rpartition(b"\n")[2])
