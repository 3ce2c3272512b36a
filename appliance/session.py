"""Opening a session: what the disk holds, what the last session left, and the first lines of the new one."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from appliance.ending import Traces, how_it_ended
from appliance.ledger.replay import replay
from appliance.ledger.snapshot import MAX_BYTES, read_snapshot
from appliance.ledger.state import CameraState, LedgerState
from appliance.ledger.writer import ChainWriter
from appliance.store.layout import Layout
from appliance.store.prepare import DiskIdentity, read_disk_identity
from appliance.store.recovery import SetAside, Standing, move_aside, recover, set_aside_unknown
from appliance.store.reserve import Reserve
from appliance.store.storage import Storage
from appliance.upkeep.hardware import LastReset
from base.durable import Disk
from base.errors import OperatorError
from evidence.keys import Signer
from evidence.lines import Config, Event, Gap, Recovered, Stamp, Start
from evidence.profile import profile_digest
from evidence.words import Cause

NO_TRACES = Traces(dying=None, result=None, last_reset=LastReset(by_watchdog=False, by_panic=False))
"""Nothing is known of the session before but what the ledger says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Who records: names, device key and certificates (DER, the unit's first)."""

    election: str
    station: str
    unit: str
    device: Signer
    certs: tuple[bytes, ...]
    software: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session whose ``start`` line is durable. ``state`` holds all lines so far, those of the start included."""

    name: str
    unit: str
    state: LedgerState
    storage: Storage

    def begin_ns(self, camera: str) -> int:
        """Where the camera's record stands, in this boot."""
        return self.state.cameras[camera].covered_ns


def open_session(
    *,
    unit: Unit,
    layout: Layout,
    disk: Disk,
    stamp: Callable[[], Stamp],
    boot_id: str,
    session: Signer,
    cameras: Sequence[str],
    masks: dict[str, tuple[str, str]],
    profile: str | None,
    head_path: Path,
    reserve_bytes: int,
    traces: Traces = NO_TRACES,
    notes: Sequence[Event] = (),
) -> Session:
    """Continue the record of this disk: recover, sign ``start``, close the hole, commit.

    ``masks`` gives the canonical text and its digest by camera, ``notes`` are put on record with the ``start``. Raises
    OperatorError where the disk is another unit's, not prepared, or its record is closed. May be repeated after a crash
    at any point.
    """
    _check_owner(read_disk_identity(layout), unit, layout)
    state = _load(layout, disk)
    if state.start is not None:
        first = state.start
        _check_owner(DiskIdentity(election=first.election, station=first.station, unit=first.unit), unit, layout)
    if state.closed:
        raise OperatorError("The record on this disk is closed.", hint="Take it to the archive; nothing more is added.")
    missing = set(state.cameras) - set(cameras)
    if missing:
        raise OperatorError(
            f"The record has a camera {min(missing)} that the configuration does not name.",
            hint="Keep every camera until the record is closed; one that is broken is a gap.",
        )
    torn = _cut_torn_tail(layout, disk, state, Reserve(disk, layout, reserve_bytes))
    recovered, aside = _recover(layout, disk, state)
    before = {name: (camera.boot_id, camera.covered_ns) for name, camera in state.cameras.items()}

    chain = ChainWriter(next_seq=state.next_seq, prev=state.prev, size_bytes=state.size_bytes, stamp=stamp)
    ending = how_it_ended(state, boot_id, traces)
    start = Start(
        election=unit.election,
        station=unit.station,
        unit=unit.unit,
        boot_id=boot_id,
        session=session.public_point,
        certs=unit.certs,
        cameras=tuple(cameras),
        software=unit.software,
        ended=ending.ended,
        evidence=ending.evidence,
    )
    chain.begin(start, unit.device, session)
    begin_ns = chain.last_boot_ns
    storage = Storage(
        disk=disk, layout=layout, session=start.kid, chain=chain, head_path=head_path, reserve_bytes=reserve_bytes
    )
    for line in recovered:
        storage.enqueue(line)
        before[line.camera] = (before[line.camera][0], line.to_ns)
    for item in [*torn, *aside]:
        storage.enqueue(_set_aside_event(item))
    for camera, (boot, covered_ns) in before.items():
        gap = _gap(camera, boot, covered_ns, boot_id, begin_ns, ending.cause)
        if gap is not None:
            storage.enqueue(gap)
    for note in notes:
        storage.enqueue(note)
    _enqueue_configuration(storage, state, masks, profile)
    for committed in storage.commit():
        state.apply(committed)
    state.reached(storage.head)
    for item in aside:
        storage.reserve.create(lambda item=item: move_aside(disk, layout, item))  # type: ignore[misc]
    return Session(name=start.kid, unit=unit.unit, state=state, storage=storage)


def _check_owner(found: DiskIdentity, unit: Unit, layout: Layout) -> None:
    if found.differs(DiskIdentity(election=unit.election, station=unit.station, unit=unit.unit)):
        raise OperatorError(
            f"{layout.root} belongs to unit {found.unit} of station {found.station}, election {found.election}.",
            hint=f"Put in the disk of unit {unit.unit} of station {unit.station}.",
        )


def _load(layout: Layout, disk: Disk) -> LedgerState:
    """The state of the ledger, as the disk itself holds it; of what a snapshot knows, only its last line is read."""
    try:
        with disk.reread(layout.ledger) as ledger:
            return replay(ledger, _snapshot(layout, ledger))
    except FileNotFoundError as error:
        raise OperatorError(
            f"{layout.ledger} is missing.", hint="The disk was prepared and its ledger is gone; have it examined."
        ) from error


def _snapshot(layout: Layout, ledger: BinaryIO) -> LedgerState | None:
    try:
        with layout.snapshot.open("rb") as file:
            return read_snapshot(file.read(MAX_BYTES), ledger)
    except OSError:
        return None


def _cut_torn_tail(layout: Layout, disk: Disk, state: LedgerState, reserve: Reserve) -> list[SetAside]:
    """Shorten the ledger to its last good line. What is cut off is kept aside first, out of the reserve if need be."""
    if not state.torn_bytes:
        return []
    with disk.reread(layout.ledger) as file:
        file.seek(state.size_bytes)
        torn = file.read()
    item = SetAside(
        path=layout.ledger.name,
        size_bytes=len(torn),
        sha256=hashlib.sha256(torn).hexdigest(),
        reason="unfinished commit at the end of the ledger",
    )
    reserve.create(lambda: disk.make_directory(layout.aside))
    reserve.create(lambda: disk.put(layout.aside / f"ledger-tail-{item.sha256}", torn))
    # Power fails here: the tail is there still, and is kept under the same name again.
    file_ = disk.append(layout.ledger)
    file_.cut(state.size_bytes)
    file_.sync()
    file_.close()
    return [item]


def _recover(layout: Layout, disk: Disk, state: LedgerState) -> tuple[list[Recovered], list[SetAside]]:
    recovered: list[Recovered] = []
    # A damaged ledger may have lost the start line of a session whose media are good.
    aside = [] if state.damages else set_aside_unknown(layout, state.sessions)
    for name, camera in state.cameras.items():
        lines, refused = recover(disk, layout, _standing(name, camera))
        recovered += lines
        aside += refused
    return recovered, aside


def _standing(name: str, camera: CameraState) -> Standing:
    return Standing(
        session=camera.session,
        camera=name,
        covered_ns=camera.covered_ns,
        run=camera.run,
        index=camera.index,
        fps_by_run=camera.fps_by_run,
    )


def _gap(camera: str, boot: str, covered_ns: int, boot_id: str, now_ns: int, cause: Cause) -> Gap | None:
    if boot == boot_id:
        if covered_ns >= now_ns:
            return None
        return Gap(camera=camera, from_ns=covered_ns, to_ns=now_ns, cause=cause)
    if cause is Cause.CRASH:
        # The session that crashed had not yet written down how the machine went off before it.
        cause = Cause.POWER
    return Gap(camera=camera, from_ns=covered_ns, to_ns=now_ns, cause=cause, from_boot=boot)


def _set_aside_event(item: SetAside) -> Event:
    # A file's name can be any bytes; a line holds text.
    path = item.path.encode("utf-8", "replace").decode()
    return Event(
        event="set-aside",
        data={"path": path, "size": item.size_bytes, "sha256": item.sha256, "reason": item.reason},
    )


def _enqueue_configuration(
    storage: Storage, state: LedgerState, masks: dict[str, tuple[str, str]], profile: str | None
) -> None:
    """Lines for what has changed since the last session."""
    for camera, (text, digest) in masks.items():
        if state.masks.get(camera) != digest:
            storage.enqueue(Config(what="mask", camera=camera, mask=text, sha256=digest))
    known = profile_digest(state.profile) if state.profile else None
    if profile is not None and known != profile_digest(profile):
        storage.enqueue(Config(what="profile", profile=profile))
