"""A unit that keeps its record in memory: real keys, lines and media; time in the hands of the test.

Everything follows from the seeds and the calls, byte for byte, so the same builder writes the test vectors.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cmaf.annexb import sample, split
from cmaf.fragment import Sample, fragment, segment_type, ticks
from cmaf.identity import identity_box
from cmaf.track import Track, init_segment, track_of
from evidence import lines
from evidence.identity import Identity, write_identity
from evidence.keys import Signer, SoftwareSigner, thumbprint
from evidence.lines import Body, Line, Stamp, genesis, line_hash, write_line
from evidence.profile import profile_digest
from evidence.words import Cause, ClockChange, Mode
from provisioning.authority import Authority
from tests.fakes.tinyh264 import TinyEncoder

SECOND = 10**9
NOON_US = int(datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()) * 10**6
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def private_key(seed: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key that ``seed`` names."""
    return ec.derive_private_key(
        int.from_bytes(hashlib.sha256(seed.encode()).digest()) % (_ORDER - 1) + 1, ec.SECP256R1()
    )


def signer(seed: str) -> SoftwareSigner:
    """A signer whose signatures follow from ``seed`` and the message."""
    return SoftwareSigner(private_key(seed), deterministic=True)


def boot_id(number: int, seed: str = "boot") -> str:
    """The id of a unit's ``number``-th kernel boot."""
    return hashlib.sha256(f"{seed}-{number}".encode()).hexdigest()[:32]


def authority(election: str = "az-2026", seed: str = "authority", valid_from: datetime | None = None) -> Authority:
    """An election authority whose certificates follow from the arguments and the order of calls."""
    begin = valid_from or datetime(2026, 4, 1, tzinfo=UTC)
    return Authority(
        election,
        root_key=private_key(f"{seed}-root"),
        authority_key=private_key(f"{seed}-signer"),
        valid_from=begin,
        valid_to=begin + timedelta(days=400),
        deterministic=True,
    )


@dataclass(slots=True)
class CameraState:
    """Where a camera's record stands."""

    end_ns: int
    run: int = -1
    index: int = 0
    sequence: int = 1
    init_sha256: str = ""


class Station:
    """Writes ``lines`` (bytes without LF) and ``files`` (path under the unit's folder to bytes).

    ``boot_ns`` is the unit's clock; methods that record move it. ``utc_us`` is the true UTC at boot time 0 of the
    boot, or None while the clock is unset; ``error_us`` is None while it is unsynced. Without ``media`` the digests
    of segments are made up and ``files`` stays empty.
    """

    def __init__(
        self,
        by: Authority,
        *,
        station: str = "57-002",
        unit: str = "u1",
        cameras: Sequence[str] = ("cam-0",),
        seed: str = "unit",
        boot_ns: int = 20 * SECOND,
        utc_us: int | None = NOON_US,
        error_us: int | None = 5_000,
        fps: int = 5,
        media: bool = True,
    ) -> None:
        self.authority = by
        self.election, self.station, self.unit = by.election, station, unit
        self.camera_ids = tuple(cameras)
        self.seed = seed
        self.device = signer(f"{seed}-device")
        self.certificate = by.certify_unit(private_key(f"{seed}-device").public_key(), station, unit)
        self.certs: tuple[bytes, ...] = (self.certificate.public_bytes(Encoding.DER),)
        self.boots = 0
        self.boot = boot_id(0, seed)
        self.boot_ns, self.utc_us, self.error_us = boot_ns, utc_us, error_us
        self.fps, self.media = fps, media
        self.mode = Mode.UNARMED
        self.sessions = 0
        self.session: Signer = signer(f"{seed}-session-none")
        self.cameras: dict[str, CameraState] = {}
        self.lines: list[bytes] = []
        self.files: dict[str, bytes] = {}
        self._encoder = TinyEncoder(16, 16)
        self.track: Track = track_of(self._encoder.sps, (self._encoder.pps,))

    @property
    def ledger(self) -> bytes:
        """The ledger file."""
        return b"".join(line + b"\n" for line in self.lines)

    @property
    def kid(self) -> str:
        """The name of the running session."""
        return thumbprint(self.session.public_point)

    def write(self, folder: Path) -> Path:
        """Put the unit's folder on disk and return it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ledger.jws").write_bytes(self.ledger)
        for name, data in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder

    def stamp(self, boot_ns: int | None = None) -> Stamp:
        """What the unit's clocks say at ``boot_ns``, or now."""
        at = self.boot_ns if boot_ns is None else boot_ns
        utc_us = None if self.utc_us is None else self.utc_us + at // 1000
        return Stamp(boot_ns=at, utc_us=utc_us, error_us=None if utc_us is None else self.error_us)

    def append(
        self,
        body: Body,
        *,
        by: Signer | None = None,
        seq: int | None = None,
        prev: str | None = None,
        stamp: Stamp | None = None,
    ) -> bytes:
        """Sign ``body`` as the next line, right or as wrong as asked, and keep it."""
        first = genesis(self.election, self.station, self.unit)
        line = Line(
            seq=len(self.lines) if seq is None else seq,
            prev=prev or (line_hash(self.lines[-1]) if self.lines else first),
            stamp=stamp or self.stamp(),
            body=body,
        )
        self.lines.append(write_line(line, by or self.session))
        return self.lines[-1]

    def start(self, ended: str = "none", *, certs: tuple[bytes, ...] | None = None, **changes: object) -> None:
        """A recorder process begins: a new session key, and a ``start`` line signed by the device key."""
        self.session = signer(f"{self.seed}-session-{self.sessions}")
        self.sessions += 1
        body = lines.Start(
            election=self.election,
            station=self.station,
            unit=self.unit,
            boot_id=self.boot,
            session=self.session.public_point,
            certs=self.certs if certs is None else certs,
            cameras=self.camera_ids,
            software="unbroken 0.1.0",
            ended=ended,
            evidence={},
        )
        self.append(replace(body, **changes), by=self.device)  # type: ignore[arg-type]
        for camera in self.camera_ids:
            if camera in self.cameras:
                self.cameras[camera].run = -1
            else:
                self.cameras[camera] = CameraState(end_ns=self.boot_ns)

    def run(self, camera: str = "cam-0", **changes: object) -> None:
        """A camera's next run begins, with its init segment."""
        state = self.cameras[camera]
        state.run, state.index, state.sequence = state.run + 1, 0, 1
        init = init_segment(self.track)
        state.init_sha256 = hashlib.sha256(init).hexdigest()
        body = lines.Run(
            camera=camera,
            run=state.run,
            source="pattern",
            init_sha256=state.init_sha256,
            mask_sha256=hashlib.sha256(b"").hexdigest(),
            width=self.track.width,
            height=self.track.height,
            timescale=self.track.timescale,
            fps=self.fps,
            codec="avc1.64000a",
        )
        self.append(replace(body, **changes))  # type: ignore[arg-type]
        if self.media:
            self.files[f"media/{self.kid}/{camera}/{state.run}/init.mp4"] = init

    def record(self, camera: str = "cam-0", seconds: int = 2, *, mode: Mode | None = None) -> lines.Segment:
        """The camera's next segment, durable; its line is not written. Moves the clock to its end and a bit."""
        state = self.cameras[camera]
        from_ns, to_ns = state.end_ns, state.end_ns + seconds * SECOND
        held = self.mode if mode is None else mode
        data = self.encode(camera, state, from_ns, to_ns, held)
        segment = lines.Segment(
            camera=camera,
            run=state.run,
            index=state.index,
            mode=held,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            from_ns=from_ns,
            to_ns=to_ns,
            frames=seconds * self.fps,
        )
        if self.media:
            self.files[f"media/{self.kid}/{camera}/{state.run}/{state.index:06d}.m4s"] = data
        state.end_ns, state.index = to_ns, state.index + 1
        self.boot_ns = max(self.boot_ns, to_ns + 50_000_000)
        return segment

    def segment(self, camera: str = "cam-0", seconds: int = 2, **changes: object) -> None:
        """Record and sign one segment; ``changes`` falsify its line."""
        self.append(replace(self.record(camera, seconds), **changes))  # type: ignore[arg-type]

    def segments(self, count: int, camera: str = "cam-0", seconds: int = 2) -> None:
        """Several segments in a row."""
        for _ in range(count):
            self.segment(camera, seconds)

    def recovered(self, segment: lines.Segment, session: str, **changes: object) -> None:
        """A ``recovered`` line for what ``record`` left behind."""
        members = {name: getattr(segment, name) for name in lines.Segment.__dataclass_fields__}
        self.append(lines.Recovered(session=session, **(members | changes)))

    def gap(
        self,
        camera: str = "cam-0",
        *,
        seconds: float | None = None,
        to_ns: int | None = None,
        cause: Cause = Cause.CAMERA,
        from_boot: str | None = None,
        **changes: object,
    ) -> None:
        """A gap from where the camera stands, ``seconds`` long or to ``to_ns`` or to now; it moves the clock there."""
        state = self.cameras[camera]
        if to_ns is None:
            to_ns = self.boot_ns if seconds is None else state.end_ns + int(seconds * SECOND)
        self.boot_ns = max(self.boot_ns, to_ns)
        body = lines.Gap(camera=camera, from_ns=state.end_ns, to_ns=to_ns, cause=cause, from_boot=from_boot)
        self.append(replace(body, **changes))  # type: ignore[arg-type]
        state.end_ns = to_ns

    def begin(self, *, seconds: float = 1) -> None:
        """The usual opening: ``start``, and for each camera a gap to its first picture and a run."""
        self.start()
        for camera in self.camera_ids:
            self.gap(camera, seconds=seconds, cause=Cause.STARTING)
            self.run(camera)

    def reboot(self, *, off_seconds: int = 60, boot_ns: int = 20 * SECOND) -> str:
        """The power fails and comes back. Returns the name of the boot that ended."""
        ended, now_ns = self.boot, self.boot_ns
        self.boots += 1
        self.boot, self.boot_ns = boot_id(self.boots, self.seed), boot_ns
        if self.utc_us is not None:
            self.utc_us += (now_ns - boot_ns) // 1000 + off_seconds * 10**6
        return ended

    def profile(self, mode: Mode = Mode.LIVE, **changes: object) -> str:
        """A signed profile of the election; its ``config`` line is written too."""
        members: dict[str, object] = {
            "title": "Election",
            "mode": mode,
            "from_us": NOON_US - 6 * 3600 * 10**6,
            "to_us": NOON_US + 14 * 3600 * 10**6,
            "margin_s": 3600,
            "time_zone": "Asia/Baku",
            "witnesses": 0,
        }
        signed = self.authority.sign_profile(**(members | changes))
        self.append(lines.Config(what="profile", profile=signed))
        return signed

    def arm(self, mode: Mode = Mode.LIVE, *, signed: str | None = None) -> None:
        """Profile and ``armed`` event; recording goes on in ``mode``."""
        digest = profile_digest(signed or self.profile(mode))
        self.event("armed", mode=mode.value, profile_sha256=digest)
        self.mode = mode

    def event(self, event: str, camera: str | None = None, **data: str | int | None) -> None:
        """An ``event`` line."""
        self.append(lines.Event(event=event, camera=camera, data=data))

    def clock(self, change: ClockChange, step_us: int | None) -> None:
        """A ``clock`` line; set ``utc_us`` and ``error_us`` first."""
        self.append(lines.ClockLine(change=change, step_us=step_us))

    def pruned(
        self,
        camera: str,
        from_index: int,
        to_index: int,
        *,
        run: int = 0,
        drop: bool = True,
        receipt: str | None = None,
    ) -> None:
        """A ``pruned`` line for segments of the running session; ``drop`` deletes them, too."""
        body = lines.Pruned(
            camera=camera,
            session=self.kid,
            run=run,
            from_index=from_index,
            to_index=to_index,
            reason="unarmed-expired" if receipt is None else "receipted",
            receipt=receipt,
        )
        self.append(body)
        for index in range(from_index, to_index) if drop else ():
            del self.files[f"media/{self.kid}/{camera}/{run}/{index:06d}.m4s"]

    def close(self, by: str = "persons") -> None:
        """The record ends where the furthest camera stands; the others get a gap up to there."""
        to_ns = max(state.end_ns for state in self.cameras.values())
        for camera, state in self.cameras.items():
            if state.end_ns < to_ns:
                self.gap(camera, to_ns=to_ns, cause=Cause.STOPPING)
        self.append(lines.Close(to_ns=to_ns, by=by))

    def encode(self, camera: str, state: CameraState, from_ns: int, to_ns: int, mode: Mode) -> bytes:
        """The bytes of a segment; without ``media`` a few bytes that nobody looks into."""
        if not self.media:
            return f"{self.seed} {camera} {from_ns}".encode()
        stamp = self.stamp(from_ns)
        identity = Identity(
            v=1,
            election=self.election,
            station=self.station,
            unit=self.unit,
            camera=camera,
            boot_id=self.boot,
            session=self.kid,
            run=state.run,
            index=state.index,
            mode=mode,
            boot_ns=from_ns,
            utc_us=stamp.utc_us,
            error_us=stamp.error_us,
            width=self.track.width,
            height=self.track.height,
            timescale=self.track.timescale,
            avcc=self.track.avcc,
        )
        parts = [identity_box(write_identity(identity)), segment_type()]
        frame_ns = SECOND // self.fps
        starts = list(range(from_ns, to_ns, frame_ns))
        per_fragment = max(1, SECOND // 2 // frame_ns)
        for at in range(0, len(starts), per_fragment):
            group = starts[at : at + per_fragment]
            parts.append(
                fragment(
                    sequence=state.sequence,
                    decode_time=ticks(group[0]),
                    samples=[self._sample(begin, min(begin + frame_ns, to_ns), begin == from_ns) for begin in group],
                )
            )
            state.sequence += 1
        return b"".join(parts)

    def _sample(self, from_ns: int, to_ns: int, first: bool) -> Sample:
        picture = self._encoder.idr(from_ns // SECOND % 200) if first else self._encoder.p()
        return Sample(data=sample(split(picture)), duration=ticks(to_ns) - ticks(from_ns), keyframe=first)
