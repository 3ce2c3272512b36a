"""Vectors with something changed at random, from a seed: as a copy, and as a writer with the keys could write them.

A seed gives the same bytes on every machine. What must come out is not known; both verifiers must say the same.
"""

import base64
import hashlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from evidence import base64url
from evidence.errors import EvidenceError
from evidence.jws import unseal
from evidence.keys import SoftwareSigner, thumbprint
from tests.vectors import world
from tests.vectors.record import seal

Files = dict[str, bytes]
Lines = list[bytes]

_BOOTS = ("first", "second", "third", "fourth")
_NUMBERS = (0, 1, 2, 499, 500, 501, 999, 1_000, 10**6, 10**9, 2 * 10**9, 30 * 10**9, 60 * 10**9, 2**53 - 1)
_WORDS = ("LIVE", "TEST", "UNARMED", "cam1", "cam2", "receipted", "unarmed-expired", "armed", "closed", "step", "x")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """The files of a case, changed; ``told`` says how, ``arguments`` are those of the case."""

    name: str
    told: tuple[str, ...]
    files: Files
    arguments: Mapping[str, Any]


def mutate(folder: Path, seed: int) -> Mutant:
    """One to three changes to a case: in the copy's bytes, or of what is signed, or both."""
    chance = random.Random(f"{folder.name} {seed}")
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    arguments = json.loads(files.pop("case.json"))["arguments"]
    told: list[str] = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        change = chance.choice((_change_lines, _change_lines, _sign_anew, _sign_anew, _sign_anew, _change_media))
        told.append(change(files, chance))
    return Mutant(name=f"{folder.name} {seed}", told=tuple(told), files=files, arguments=arguments)


# --- what somebody can do to a copy ----------------------------------------------------------------------


def _change_lines(files: Files, chance: random.Random) -> str:
    path = _a_ledger(files, chance)
    if path is None:
        return "no ledger"
    lines = files[path].splitlines(keepends=True)
    if not lines:
        return "an empty ledger"
    change = chance.choice((_cut_out, _repeat, _move, _swap, _flip_text, _shorten, _insert, _truncate, _flip_payload))
    at = chance.randrange(len(lines))
    change(lines, at, chance)
    files[path] = b"".join(lines)
    return f"{path}: {change.__name__} at {at}"


def _cut_out(lines: Lines, at: int, chance: random.Random) -> None:
    del lines[at : at + chance.choice((1, 1, 2))]


def _repeat(lines: Lines, at: int, chance: random.Random) -> None:
    lines.insert(chance.randrange(at, len(lines) + 1), lines[at])


def _move(lines: Lines, at: int, chance: random.Random) -> None:
    line = lines.pop(at)
    lines.insert(chance.randrange(len(lines) + 1), line)


def _swap(lines: Lines, at: int, chance: random.Random) -> None:
    other = chance.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def _flip_text(lines: Lines, at: int, chance: random.Random) -> None:
    lines[at] = _flipped(lines[at], chance)


def _shorten(lines: Lines, at: int, chance: random.Random) -> None:
    lines[at] = lines[at][: chance.randrange(len(lines[at]))] + b"\n"


def _insert(lines: Lines, at: int, chance: random.Random) -> None:
    lines.insert(at, chance.choice((b"x\n", b"\n", b"e30.e30.AA\n", b"\xff\xfe\n", b"y" * 70_000 + b"\n")))


def _truncate(lines: Lines, at: int, chance: random.Random) -> None:
    del lines[at + 1 :]
    lines[at] = lines[at][: chance.choice((len(lines[at]), chance.randrange(len(lines[at]) + 1)))]


def _flip_payload(lines: Lines, at: int, chance: random.Random) -> None:
    parts = lines[at].strip().split(b".")
    if len(parts) == 3:
        data = _flipped(base64.urlsafe_b64decode(parts[1] + b"=="), chance)
        lines[at] = b".".join((parts[0], base64url.encode(data).encode(), parts[2])) + b"\n"


def _change_media(files: Files, chance: random.Random) -> str:
    paths = [path for path in files if path.endswith((".m4s", ".mp4"))]
    if not paths:
        return "no media"
    path, other = chance.choice(paths), chance.choice(paths)
    match chance.randrange(6):
        case 0:
            del files[path]
        case 1:
            files[path] = _flipped(files[path], chance)
        case 2:
            files[path] = files[path][: chance.randrange(len(files[path]) + 1)]
        case 3:
            files[path], files[other] = files[other], files[path]
        case 4:
            files[chance.choice(("moved.m4s", "other/moved.mp4", "moved.txt"))] = files.pop(path)
        case _:
            files[path] = files[other]
    return f"{path} changed, with {other}"


def _flipped(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]


# --- what a writer that lies can sign --------------------------------------------------------------------


def _sign_anew(files: Files, chance: random.Random) -> str:
    """Changes what one line says, and signs it and all behind it again, so that the chain holds."""
    path = _a_ledger(files, chance)
    lines = files[path].splitlines() if path else []
    try:
        tokens = [unseal(line) for line in lines]
        payloads = [json.loads(token.payload) for token in tokens]
    except (EvidenceError, ValueError, RecursionError):
        return "not signed anew"
    unknown = any(token.kid not in _signers() for token in tokens) or not all(
        isinstance(each, dict) for each in payloads
    )
    if path is None or not lines or unknown:
        return "not signed anew"
    kids = [token.kid for token in tokens]
    what = _bend(payloads, kids, chance)
    if not payloads:
        return f"{path}: {what}, no other is there"
    prev = payloads[0].get("prev")
    written = []
    for number, (payload, kid) in enumerate(zip(payloads, kids, strict=True)):
        payload |= {"seq": number + (payloads[0].get("seq") or 0) if number else payload.get("seq"), "prev": prev}
        header = f'{{"alg":"ES256","kid":"{kid}","typ":"unbroken-1"}}'.encode()
        line = seal(_signers()[kid], header, json.dumps(payload, separators=(",", ":")).encode())
        written.append(line)
        prev = base64url.encode(hashlib.sha256(line).digest())
    files[path] = b"".join(line + b"\n" for line in written)
    return f"{path}: {what}, signed anew"


def _bend(payloads: list[dict[str, Any]], kids: list[str], chance: random.Random) -> str:
    at = chance.randrange(len(payloads))
    other = chance.randrange(len(payloads))
    match chance.randrange(8):
        case 0:
            del payloads[at], kids[at]
            return f"line {at} left out"
        case 1:
            payloads.insert(other, dict(payloads[at]))
            kids.insert(other, kids[at])
            return f"line {at} once more at {other}"
        case 2:
            payloads[at], payloads[other] = payloads[other], payloads[at]
            kids[at], kids[other] = kids[other], kids[at]
            return f"lines {at} and {other} exchanged"
        case _:
            members = [name for name in payloads[at] if name not in ("seq", "prev")]
            name = chance.choice(members) if members else "x"
            payloads[at][name] = _other_value(payloads, payloads[at].get(name), name, chance)
            return f"line {at}: {name} is {str(payloads[at][name])[:60]}"


def _other_value(payloads: list[dict[str, Any]], value: Any, name: str, chance: random.Random) -> Any:
    others = [payload[name] for payload in payloads if name in payload]
    if others and chance.random() < 0.3:
        return chance.choice(others)
    if type(value) is int and chance.random() < 0.9:
        return max(0, value + chance.choice((-1, 1)) * chance.choice(_NUMBERS))
    if isinstance(value, str) and chance.random() < 0.7:
        return chance.choice(_WORDS)
    if isinstance(value, dict) and value and chance.random() < 0.7:
        inner = chance.choice(sorted(value))
        return value | {inner: _other_value(payloads, value[inner], inner, chance)}
    return chance.choice((None, True, -1, 0, "", "x", [], {}, [0, 0], [1, 400], 2**53))


@cache
def _signers() -> Mapping[str, SoftwareSigner]:
    """The keys of the vectors' units and sessions, by thumbprint."""
    seeds = []
    for election in (world.ELECTION, "other-2027"):
        for station in (world.STATION, world.OTHER_STATION):
            for unit in (world.UNIT, world.OTHER_UNIT):
                seeds.append(f"{election} {station} {unit} device")
                seeds += [f"{election} {station} {unit} session {n} {boot}" for n in range(1, 6) for boot in _BOOTS]
    signers = [world.signer(seed) for seed in seeds]
    return {thumbprint(signer.public_point): signer for signer in signers}


def _a_ledger(files: Files, chance: random.Random) -> str | None:
    paths = [path for path in files if path.endswith(".jws")]
    return chance.choice(paths) if paths else None


Change = Callable[[Lines, int, random.Random], None]
