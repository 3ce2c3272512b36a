"""Step 8 of spec/verify.md: a media file against the line that names it. Facts in, faults out."""

from dataclasses import dataclass

from evidence.codes import Code
from evidence.identity import Identity
from evidence.lines import Segment
from evidence.words import Mode

_NS_PER_SECOND = 1_000_000_000
MAX_SPACING_MS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the ledger says of a segment file. ``stream`` is (width, height, timescale, fps) of the run, and
    ``init_sha256`` its init segment's digest; both None where the run's line is not there.
    """

    election: str
    station: str
    unit: str
    boot_id: str
    session: str
    segment: Segment
    stream: tuple[int, int, int, int] | None
    init_sha256: str | None

    @property
    def path(self) -> str:
        """Where the file is to be looked for first (spec/segment.md, section 2)."""
        segment = self.segment
        return f"media/{self.session}/{segment.camera}/{segment.run}/{segment.index:06d}.m4s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedInit:
    """What the ledger says of a run's init segment."""

    session: str
    camera: str
    run: int
    sha256: str

    @property
    def path(self) -> str:
        """Where the file is to be looked for first."""
        return f"media/{self.session}/{self.camera}/{self.run}/init.mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a segment file holds. ``identity`` is None where it cannot be read. ``malformed`` says what breaks the
    format of the whole file; where it is None, the facts below it hold, in ticks of the identity's timescale.
    ``spacing`` is the longest time from one picture to the next, ``init_sha256`` the digest of the init segment
    rebuilt from the identity.
    """

    size: int
    sha256: str
    identity: Identity | None
    malformed: str | None
    decode_time: int = 0
    duration: int = 0
    pictures: int = 0
    spacing: int = 0
    init_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that does not check."""

    code: Code
    detail: str


def judge(expected: Expected, facts: Facts) -> tuple[Fault, ...]:
    """What is wrong with a file that lies in the place of a named segment; empty where nothing is."""
    segment, identity = expected.segment, facts.identity
    if facts.sha256 != segment.sha256 or facts.size != segment.size:
        if facts.sha256 == segment.sha256:
            return (Fault(code=Code.MEDIA_MISMATCH, detail=f"{facts.size} bytes, the line says {segment.size}"),)
        if identity is not None and not names_same(expected, identity):
            return (Fault(code=Code.MEDIA_SWAPPED, detail=f"it says that it is {describe(identity)}"),)
        return (Fault(code=Code.MEDIA_CHANGED, detail=expected.path),)
    if identity is None or facts.malformed is not None:
        return (Fault(code=Code.MEDIA_MALFORMED, detail=facts.malformed or "no identity"),)
    same_init = expected.init_sha256 in (None, facts.init_sha256)
    faults = _identity_faults(expected, identity, judge_stream=same_init)
    faults += _time_faults(expected, facts, identity.timescale)
    if not same_init:
        faults.append(Fault(code=Code.INIT_MISMATCH, detail=expected.path))
    return tuple(faults)


def names_same(expected: Expected, identity: Identity) -> bool:
    """Whether a file says that it is the segment that the ledger names."""
    return _names(identity) == _named(expected)


def describe(identity: Identity) -> str:
    """What a file claims to be, for people."""
    where = f"election {identity.election}, station {identity.station}, unit {identity.unit}"
    return f"{where}, {identity.camera}, run {identity.run}, segment {identity.index}, {identity.mode}"


def _names(identity: Identity) -> tuple[str | int, ...]:
    return (
        identity.election,
        identity.station,
        identity.unit,
        identity.session,
        identity.camera,
        identity.run,
        identity.index,
    )


def _named(expected: Expected) -> tuple[str | int, ...]:
    segment = expected.segment
    return (
        expected.election,
        expected.station,
        expected.unit,
        expected.session,
        segment.camera,
        segment.run,
        segment.index,
    )


def _identity_faults(expected: Expected, identity: Identity, *, judge_stream: bool) -> list[Fault]:
    segment = expected.segment
    faults: list[Fault] = []
    if identity.mode is not segment.mode:
        passed_off = segment.mode is Mode.LIVE
        code = Code.TEST_AS_LIVE if passed_off else Code.IDENTITY_MISMATCH
        faults.append(Fault(code=code, detail=f"the segment says {identity.mode}, the line {segment.mode}"))
    stream = (identity.width, identity.height, identity.timescale)
    same_stream = not judge_stream or expected.stream is None or expected.stream[:3] == stream
    same_time = (identity.boot_id, identity.boot_ns) == (expected.boot_id, segment.from_ns)
    if not names_same(expected, identity) or not same_time or not same_stream:
        faults.append(Fault(code=Code.IDENTITY_MISMATCH, detail=f"it says that it is {describe(identity)}"))
    return faults


def _time_faults(expected: Expected, facts: Facts, timescale: int) -> list[Fault]:
    segment = expected.segment
    from_ticks, to_ticks = _ticks(segment.from_ns, timescale), _ticks(segment.to_ns, timescale)
    wrong: list[str] = []
    if facts.decode_time != from_ticks:
        wrong.append(f"begins at {facts.decode_time} ticks, not {from_ticks}")
    if facts.decode_time + facts.duration != to_ticks:
        wrong.append(f"ends at {facts.decode_time + facts.duration} ticks, not {to_ticks}")
    if facts.pictures != segment.frames:
        wrong.append(f"holds {facts.pictures} pictures, not {segment.frames}")
    # Two roundings to ticks and one to milliseconds lie between the camera's clock and these numbers.
    slack = timescale // 1_000 + 2
    if facts.spacing > MAX_SPACING_MS * timescale // 1_000 + slack:
        wrong.append(f"two pictures are {facts.spacing * 1_000 // timescale} ms apart")
    told = segment.max_hole_ms * timescale // 1_000
    if told and abs(facts.spacing - told) > slack:
        wrong.append(f"its longest hole is {facts.spacing * 1_000 // timescale} ms, not {segment.max_hole_ms} ms")
    elif not told and expected.stream and 2 * facts.spacing * expected.stream[3] > 3 * (timescale + slack):
        wrong.append(f"a hole of {facts.spacing * 1_000 // timescale} ms is not told")
    if bool(segment.dropped_frames) != bool(segment.max_hole_ms):
        wrong.append("of the two numbers of holes one stands alone")
    return [Fault(code=Code.MEDIA_MISMATCH, detail="; ".join(wrong))] if wrong else []


def _ticks(boot_ns: int, timescale: int) -> int:
    """spec/segment.md, section 3."""
    return boot_ns * timescale // _NS_PER_SECOND
