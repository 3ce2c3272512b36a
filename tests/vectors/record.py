"""Writes a record as a recorder would, or as one would that lies: every member of every line can be bent."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from evidence import base64url, jws
from evidence.identity import Identity
from evidence.keys import SoftwareSigner, thumbprint
from evidence.lines import (
    Body,
    ClockLine,
    Close,
    Config,
    Event,
    Gap,
    Line,
    Recovered,
    Run,
    Segment,
    Stamp,
    Start,
    genesis,
    line_hash,
    write_line,
)
from evidence.profile import profile_digest
from evidence.words import Cause, ClockChange, Mode
from provisioning.authority import Authority
from tests.vectors import world
from tests.vectors.media import Take
from tests.vectors.world import MS

LINE_DELAY_NS = 100 * MS
"""How long after its last picture a segment's line is made."""

Edit = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The wall clock of a boot: UTC minus boot time, and the kernel's bound of its error."""

    offset_us: int | None = world.FIRST_BOOT_US
    error_us: int | None = 4_000

    def stamp(self, boot_ns: int) -> Stamp:
        """What a line made at ``boot_ns`` carries."""
        utc_us = None if self.offset_us is None else self.offset_us + boot_ns // 1000
        return Stamp(boot_ns=boot_ns, utc_us=utc_us, error_us=None if utc_us is None else self.error_us)

    def moved(self, by_us: int) -> "Clock":
        """The clock after a step."""
        assert self.offset_us is not None
        return replace(self, offset_us=self.offset_us + by_us)


UNSET = Clock(offset_us=None, error_us=None)


class Record:
    """One unit's ledger and media in memory. Positions and times are nanoseconds of boot time."""

    def __init__(
        self,
        *,
        election: str = world.ELECTION,
        station: str = world.STATION,
        unit: str = world.UNIT,
        by: Authority | None = None,
    ) -> None:
        self.election, self.station, self.unit = election, station, unit
        self.authority = by or world.authority(election)
        self.device = SoftwareSigner(world.device_key(station, unit, election), deterministic=True)
        self.certs = [world.der(self.authority.certify_unit(self.device_key, station, unit))]
        self.lines: list[bytes] = []
        self.media: dict[str, bytes] = {}
        self.seq, self.prev = 0, genesis(election, station, unit)
        self.now_ns = 0
        self.clock = Clock()
        self.boot = ""
        self.mode = Mode.UNARMED
        self.signer = self.device
        self.sessions = 0
        self.at: dict[str, int] = {}
        self.runs: dict[str, int] = {}
        self.indexes: dict[str, int] = {}
        self.takes: dict[str, Take] = {}

    @property
    def device_key(self) -> ec.EllipticCurvePublicKey:
        """The public device key, for certificates."""
        return world.device_key(self.station, self.unit, self.election).public_key()

    @property
    def session(self) -> str:
        """The running session's name."""
        return thumbprint(self.signer.public_point)

    def fork(self) -> "Record":
        """The same unit from here on once more. Of the two, at most one may go on with the running session's media."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict):
                setattr(other, name, value.copy())
        return other

    # --- lines ---------------------------------------------------------------------------------------

    def line(
        self,
        body: Body,
        *,
        at_ns: int | None = None,
        stamp: Stamp | None = None,
        signer: SoftwareSigner | None = None,
        seq: int | None = None,
        prev: str | None = None,
        edit: Edit | None = None,
        header: Edit | None = None,
        written: Edit | None = None,
    ) -> bytes:
        """Append a line. ``edit`` bends the payload and ``header`` the header before signing, ``written`` the line."""
        self.now_ns = max(self.now_ns, at_ns or 0)
        line = Line(
            seq=self.seq if seq is None else seq,
            prev=self.prev if prev is None else prev,
            stamp=stamp or self.clock.stamp(self.now_ns),
            body=body,
        )
        key = signer or self.signer
        text = write_line(line, key)
        if edit or header:
            text = seal(key, header_of(text), jws.unseal(text).payload, header=header, edit=edit)
        if written:
            text = written(text)
        self.lines.append(text)
        self.seq += 1
        self.prev = line_hash(text)
        return text

    def start(
        self,
        at_ns: int,
        *,
        boot: str = "first",
        clock: Clock | None = None,
        cameras: Sequence[str] = ("cam1",),
        ended: str = "none",
        evidence: dict[str, str | int | None] | None = None,
        **changes: Any,
    ) -> None:
        """A new session at ``at_ns`` of ``boot``. ``changes`` bend members of the ``start`` line."""
        self.boot = world.boot_id(f"{self.unit} {boot}")
        self.clock = clock or self.clock
        self.sessions += 1
        self.signer = world.signer(f"{self.election} {self.station} {self.unit} session {self.sessions} {boot}")
        self.runs, self.indexes, self.takes = {}, {}, {}
        self.now_ns = at_ns
        body = Start(
            election=self.election,
            station=self.station,
            unit=self.unit,
            boot_id=self.boot,
            session=self.signer.public_point,
            certs=tuple(self.certs),
            cameras=tuple(cameras),
            software="unbroken-vectors 1",
            ended=ended,
            evidence=evidence or {},
        )
        self.line(replace(body, **changes), signer=self.device)
        for camera in cameras:
            self.at.setdefault(camera, at_ns)

    def event(self, name: str, **bend: Any) -> bytes:
        """An event without data."""
        return self.line(Event(event=name), **bend)

    def arm(self, mode: Mode = Mode.LIVE, *, profile: str | None = None, armed: Mode | None = None) -> None:
        """A profile of ``mode`` and the event that arms; ``armed`` is what the event claims."""
        signed = world.sign_profile(self.authority, mode=mode) if profile is None else profile
        self.line(Config(what="profile", profile=signed))
        self.mode = armed or mode
        self.line(Event(event="armed", data={"mode": self.mode.value, "profile_sha256": profile_digest(signed)}))

    def clock_line(self, change: ClockChange, step_us: int | None) -> None:
        """The clock says what it did."""
        self.line(ClockLine(change=change, step_us=step_us))

    def close(self, to_ns: int | None = None, *, by: str = "persons") -> None:
        """The end of the record, where its last camera stands."""
        end_ns = max(self.at.values()) if to_ns is None else to_ns
        self.line(Close(to_ns=end_ns, by=by), at_ns=end_ns + 2 * LINE_DELAY_NS)

    # --- pictures ------------------------------------------------------------------------------------

    def run(
        self, camera: str = "cam1", *, take: Take | None = None, mask: str = "", fps: int = 5, **changes: Any
    ) -> None:
        """Begin the camera's next run. ``take`` brings its pictures."""
        self.runs[camera] = self.runs.get(camera, -1) + 1
        self.indexes[camera] = 0
        self.takes[camera] = taken = take or Take()
        self.media[f"{self.folder(camera)}/init.mp4"] = taken.init
        body = Run(
            camera=camera,
            run=self.runs[camera],
            source="pattern",
            init_sha256=sha256(taken.init),
            mask_sha256=sha256(mask.encode()),
            width=taken.track.width,
            height=taken.track.height,
            timescale=taken.track.timescale,
            fps=fps,
            codec=taken.codec,
        )
        self.line(replace(body, **changes))

    def folder(self, camera: str = "cam1") -> str:
        """Where the running run's files lie."""
        return f"media/{self.session}/{camera}/{self.runs[camera]}"

    def path(self, index: int, camera: str = "cam1") -> str:
        """The place of a segment of the running run."""
        return f"{self.folder(camera)}/{index:06}.m4s"

    def shoot(
        self,
        camera: str = "cam1",
        *,
        times_ns: Sequence[int] | None = None,
        frames: int = 10,
        spacing_ns: int = 200 * MS,
        end_ns: int | None = None,
        identity: dict[str, Any] | None = None,
        media: Edit | None = None,
        key_every: int = 0,
        store: bool = True,
    ) -> Segment:
        """Put the next segment on disk, without a line. ``media`` bends the file, ``identity`` what it says."""
        begin_ns = self.at[camera]
        times = [begin_ns + number * spacing_ns for number in range(frames)] if times_ns is None else list(times_ns)
        until_ns = times[-1] + spacing_ns if end_ns is None else end_ns
        run, index, take = self.runs[camera], self.indexes[camera], self.takes[camera]
        stamp = self.clock.stamp(times[0])
        claimed = Identity(
            v=1,
            election=self.election,
            station=self.station,
            unit=self.unit,
            camera=camera,
            boot_id=self.boot,
            session=self.session,
            run=run,
            index=index,
            mode=self.mode,
            boot_ns=stamp.boot_ns,
            utc_us=stamp.utc_us,
            error_us=stamp.error_us,
            width=take.track.width,
            height=take.track.height,
            timescale=take.track.timescale,
            avcc=take.track.avcc,
        )
        level = 32 + 40 * (index % 5) + int.from_bytes(camera[-1:].encode()) % 8
        claimed = replace(claimed, **(identity or {}))
        data = take.segment(claimed, times, until_ns, level=level, key_every=key_every)
        if media:
            data = media(data)
        if store:
            self.media[self.path(index, camera)] = data
        self.indexes[camera] = index + 1
        self.at[camera] = until_ns
        return Segment(
            camera=camera,
            run=run,
            index=index,
            mode=self.mode,
            sha256=sha256(data),
            size=len(data),
            from_ns=times[0],
            to_ns=until_ns,
            frames=len(times),
        )

    def record(self, camera: str = "cam1", count: int = 1, *, line: dict[str, Any] | None = None, **shoot: Any) -> None:
        """``count`` segments and their lines. ``line`` bends members of the lines, the rest is for ``shoot``."""
        for _ in range(count):
            segment = self.shoot(camera, **shoot)
            self.line(replace(segment, **(line or {})), at_ns=segment.to_ns + LINE_DELAY_NS)

    def recover(self, segment: Segment, session: str) -> None:
        """Name media found after a restart; the camera's position moves on to its end."""
        members = {name: getattr(segment, name) for name in Segment.__dataclass_fields__}
        self.line(Recovered(**members, session=session))
        self.at[segment.camera] = segment.to_ns

    def gap(
        self,
        to_ns: int,
        cause: Cause,
        camera: str = "cam1",
        *,
        from_boot: str | None = None,
        evidence: dict[str, str | int | None] | None = None,
        made_ns: int | None = None,
        from_ns: int | None = None,
    ) -> None:
        """A gap from where the camera stands to ``to_ns``. The line is made at its end, or later."""
        begin_ns = self.at[camera] if from_ns is None else from_ns
        body = Gap(
            camera=camera, from_ns=begin_ns, to_ns=to_ns, cause=cause, from_boot=from_boot, evidence=evidence or {}
        )
        self.line(body, at_ns=to_ns if made_ns is None else made_ns)
        self.at[camera] = to_ns


def seal(
    key: SoftwareSigner, head: bytes, payload: bytes, *, header: Edit | None = None, edit: Edit | None = None
) -> bytes:
    """A JWS whose header and payload may be anything."""
    parts = [header(head) if header else head, edit(payload) if edit else payload]
    signed = ".".join(base64url.encode(part) for part in parts).encode()
    return signed + b"." + base64url.encode(key.sign(signed)).encode()


def header_of(line: bytes) -> bytes:
    """The decoded header of a line."""
    return base64url.decode(line.split(b".")[0])


def replaced(old: bytes, new: bytes) -> Edit:
    """An edit that replaces the one occurrence of ``old``."""

    def edit(data: bytes) -> bytes:
        assert data.count(old) == 1, (old, data)
        return data.replace(old, new)

    return edit


def flipped(at: int) -> Edit:
    """An edit that changes one bit of the byte at ``at``, counted from the end where it is negative."""

    def edit(data: bytes) -> bytes:
        place = at % len(data)
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return edit


def sha256(data: bytes) -> str:
    """Hexadecimal, as ``sha256sum`` prints it."""
    return hashlib.sha256(data).hexdigest()
