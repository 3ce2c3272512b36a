"""The lines of a ledger as typed values (spec/ledger.md, sections 3 and 4)."""

import hashlib
from dataclasses import dataclass, field

from evidence import base64url, jws
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.keys import Signer, from_jwk, thumbprint, to_jwk
from evidence.members import (
    BOOT_ID,
    DIGEST,
    HASH,
    NAME,
    WORD,
    binary,
    decode,
    encode,
    facts,
    integer,
    matching,
    member,
    natural,
    nullable,
    one_of,
    optional,
    positive,
    text,
    tuple_of,
)
from evidence.words import Cause, ClockChange, ClockState, Mode

MAX_SEGMENT_NS = 60 * 10**9
MAX_SEGMENT_BYTES = 64 << 20
Facts = dict[str, str | int | None]


def _session(value: object) -> bytes:
    if not isinstance(value, dict):
        raise ValueError("is not a JWK")
    return from_jwk(value)


_holes = tuple_of(natural, 2, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When a line was made (section 3)."""

    boot_ns: int = member(natural)
    utc_us: int | None = member(nullable(integer))
    error_us: int | None = member(nullable(natural))

    @property
    def state(self) -> ClockState:
        """Synced, unsynced or unset."""
        if self.utc_us is None:
            return ClockState.UNSET
        return ClockState.UNSYNCED if self.error_us is None else ClockState.SYNCED


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Section 4.1. ``session`` is the public point; ``certs`` are DER, the unit's first."""

    election: str = member(NAME)
    station: str = member(NAME)
    unit: str = member(NAME)
    boot_id: str = member(BOOT_ID)
    session: bytes = member(_session)
    certs: tuple[bytes, ...] = member(tuple_of(binary, 1, 4))
    cameras: tuple[str, ...] = member(tuple_of(NAME, 1, 4))
    software: str = member(text(100))
    ended: str = member(WORD)
    evidence: Facts = member(facts)

    @property
    def kid(self) -> str:
        """The session's name: the thumbprint of its key."""
        return thumbprint(self.session)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Section 4.2."""

    camera: str = member(NAME)
    run: int = member(natural)
    source: str = member(text(100))
    init_sha256: str = member(DIGEST)
    mask_sha256: str = member(DIGEST)
    width: int = member(positive)
    height: int = member(positive)
    timescale: int = member(positive)
    fps: int = member(positive)
    codec: str = member(text(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Section 4.3."""

    camera: str = member(NAME)
    run: int = member(natural)
    index: int = member(natural)
    mode: Mode = member(one_of(Mode))
    sha256: str = member(DIGEST)
    size: int = member(positive)
    from_ns: int = member(natural)
    to_ns: int = member(natural)
    frames: int = member(positive)
    holes: tuple[int, ...] = optional(_holes, (0, 0))
    """Dropped pictures and the longest hole in milliseconds; left out where there is none."""

    @property
    def dropped_frames(self) -> int:
        """Pictures that should have come in between."""
        return self.holes[0]

    @property
    def max_hole_ms(self) -> int:
        """The longest time that a picture lasts, where it is longer than one and a half frame times; else 0."""
        return self.holes[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(Segment):
    """Section 4.4. ``session`` recorded it; the times are of that session's boot."""

    session: str = member(HASH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Section 4.5."""

    camera: str = member(NAME)
    from_ns: int = member(natural)
    to_ns: int = member(natural)
    cause: Cause = member(one_of(Cause))
    evidence: Facts = field(default_factory=dict, metadata={"check": facts})
    from_boot: str | None = optional(nullable(BOOT_ID), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Section 4.6."""

    event: str = member(WORD)
    camera: str | None = optional(nullable(NAME), None)
    data: Facts = field(default_factory=dict, metadata={"check": facts})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLine:
    """Section 4.7."""

    change: ClockChange = member(one_of(ClockChange))
    step_us: int | None = member(nullable(integer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Section 4.8."""

    what: str = member(WORD)
    profile: str | None = optional(nullable(text(16_384)), None)
    camera: str | None = optional(nullable(NAME), None)
    mask: str | None = optional(nullable(text(16_384)), None)
    sha256: str | None = optional(nullable(DIGEST), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """Section 4.9."""

    camera: str = member(NAME)
    session: str = member(HASH)
    run: int = member(natural)
    from_index: int = member(natural)
    to_index: int = member(natural)
    reason: str = member(WORD)
    receipt: str | None = optional(nullable(text(16_384)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Section 4.10."""

    to_ns: int = member(natural)
    by: str = member(matching("persons|window", "persons or window"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A line of a kind that this version does not know. It counts in the chain and nowhere else."""

    kind: str


Body = Start | Run | Segment | Recovered | Gap | Event | ClockLine | Config | Pruned | Close | Unknown

_KINDS: dict[str, type[Body]] = {
    "start": Start,
    "run": Run,
    "segment": Segment,
    "recovered": Recovered,
    "gap": Gap,
    "event": Event,
    "clock": ClockLine,
    "config": Config,
    "pruned": Pruned,
    "close": Close,
}
_NAMES = {cls: kind for kind, cls in _KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, parsed. Nothing is said of its signature or its place in a chain."""

    seq: int
    prev: str
    stamp: Stamp
    body: Body


def genesis(election: str, station: str, unit: str) -> str:
    """``prev`` of line 0 (section 3)."""
    return line_hash(f"unbroken-1 {election} {station} {unit}".encode())


def line_hash(line: bytes) -> str:
    """What the next line calls ``prev``: base64url of the SHA-256 of a line without its LF."""
    return base64url.encode(hashlib.sha256(line).digest())


def write_line(line: Line, signer: Signer) -> bytes:
    """``line`` as signed bytes, without LF."""
    members: dict[str, object] = {"seq": line.seq, "prev": line.prev, "kind": kind_of(line.body), **encode(line.stamp)}
    return jws.seal(jws.compose(members | body_members(line.body)), signer)


def kind_of(body: Body) -> str:
    """The word for a line of this body (section 4)."""
    return body.kind if isinstance(body, Unknown) else _NAMES[type(body)]


def body_members(body: Body) -> dict[str, object]:
    """What a line of this body carries beside seq, prev, kind and stamp, as JSON values."""
    if isinstance(body, Unknown):
        return {}
    members = encode(body)
    if isinstance(body, Start):
        members["session"] = to_jwk(body.session)
        members["certs"] = [base64url.encode(der) for der in body.certs]
    return members


def read_payload(payload: bytes) -> Line:
    """The line that a payload holds. Raises EvidenceError with ``payload-malformed``."""
    members = jws.parse(payload)
    try:
        seq, prev, kind = natural(members.get("seq")), HASH(members.get("prev")), WORD(members.get("kind"))
        stamp = decode(Stamp, members)
        cls = _KINDS.get(kind)
        body = Unknown(kind=kind) if cls is None else decode(cls, members)
        _check(body)
    except ValueError as error:
        raise EvidenceError(Code.PAYLOAD_MALFORMED, str(error)) from error
    if stamp.utc_us is None and stamp.error_us is not None:
        raise EvidenceError(Code.PAYLOAD_MALFORMED, "error_us without utc_us")
    return Line(seq=seq, prev=prev, stamp=stamp, body=body)


def _check(body: Body) -> None:
    """What one member alone cannot say."""
    match body:
        case Segment():
            if not 0 < body.to_ns - body.from_ns <= MAX_SEGMENT_NS:
                raise ValueError("to_ns is not after from_ns, or more than a minute after it")
            if body.size > MAX_SEGMENT_BYTES:
                raise ValueError("size is more than 64 MiB")
        case Gap():
            if body.from_boot is None and body.from_ns >= body.to_ns:
                raise ValueError("to_ns is not after from_ns")
        case Pruned():
            if body.from_index >= body.to_index:
                raise ValueError("to_index is not after from_index")
        case Start():
            if len(set(body.cameras)) != len(body.cameras):
                raise ValueError("cameras names one camera twice")
        case Config():
            needed = {"profile": (body.profile,), "mask": (body.camera, body.mask, body.sha256)}.get(body.what, ())
            if None in needed:
                raise ValueError(f"a config line on {body.what} lacks a member")
        case _:
            pass
