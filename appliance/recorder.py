"""The recorder: cameras, segments, ledger and disk joined into one program. It opens no network.

camera ─ bridge ─▶ segmenter ─▶ storage ═ COMMIT ─▶ head and status in /run
"""

import asyncio
import contextlib
import json
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from appliance.capture.camera import Camera
from appliance.capture.keeper import Keeper
from appliance.capture.mask import Mask
from appliance.capture.source import open_camera
from appliance.commands import Commands
from appliance.config import CameraConfig, StationConfig
from appliance.control.pins import PinBook
from appliance.control.server import ControlServer
from appliance.ending import clear_traces, leave_trace, take_traces
from appliance.guest import open_guest
from appliance.lane import build_lane, picture_of, stamp
from appliance.pipeline import Pipeline
from appliance.session import Session, Unit, open_session
from appliance.standby import ENOUGH_BYTES, fault_of, stand_by
from appliance.status import standing_by
from appliance.store.layout import Layout
from appliance.store.lock import BeyondSignalsError, locked
from appliance.store.prepare import DiskIdentity, NoRecordError, NoRoomError, read_disk_identity
from appliance.store.receipted import ReceiptedMedia
from appliance.upkeep.faults import DISK_FULL, DISK_HANGS, DISK_MISSING, DISK_OF_ANOTHER, Fault
from appliance.upkeep.hardware import Hardware
from appliance.upkeep.health import HealthWatch
from appliance.upkeep.ladder import REBOOT_UPTIME_NS, Ladder, Rung
from appliance.window import Window, load_profile
from base.clock import Clock, SystemClock, kernel_boot_id
from base.durable import Disk, publish
from base.errors import OperatorError
from base.service import Service
from base.version import SOFTWARE
from evidence.certificate import Trust
from evidence.keys import Signer, SoftwareSigner
from evidence.lines import Event
from evidence.profile import Profile, profile_digest
from evidence.words import Cause

log = logging.getLogger("unbroken.recorder")

POLL_S = 1.0
MAX_CERTIFICATES = 4
EXIT_AGAIN = 75
"""The service manager is to start the recorder again (EX_TEMPFAIL of sysexits.h)."""
EXIT_REBOOT = 77
"""The service manager is to reboot the machine."""


def record(config: StationConfig, hardware: Hardware | None = None) -> int:
    """Record until SIGTERM, SIGINT or the close of the record, and return the exit code.

    Raises OperatorError where a person must act before anything can be recorded. Where the disk takes no writes, waits
    and shows why.
    """
    clock, service = SystemClock(), Service()
    hardware = hardware or Hardware()
    # What lies there is for others; recording does not stop because they cannot be told.
    with contextlib.suppress(OSError):
        config.run.mkdir(parents=True, exist_ok=True)

    def wait(fault: Fault, enough_bytes: int = ENOUGH_BYTES) -> int:
        log.error("standing by", extra={"fields": {"fault": fault.code, "what": fault.what}})
        reboot = stand_by(
            fault, data=config.data, run=config.run, clock=clock, service=service, enough_bytes=enough_bytes
        )
        return EXIT_REBOOT if reboot else EXIT_AGAIN

    try:
        with locked(Layout(config.data), config.run / "recorder.pid"):
            return _continue_record(config, clock, service, hardware)
    except BeyondSignalsError as error:
        if not service.supervised:
            raise
        if clock.boot_ns() < REBOOT_UPTIME_NS:
            return wait(DISK_HANGS)
        log.error("asking for a reboot", extra={"fields": {"reason": str(error)}})
        with contextlib.suppress(OSError):
            publish(config.run / "status.json", json.dumps(standing_by(DISK_HANGS, clock.read())).encode())
        return EXIT_REBOOT
    except (NoRecordError, NoRoomError) as error:
        if not service.supervised:
            raise
        if isinstance(error, NoRecordError):
            return wait(DISK_MISSING)
        return wait(DISK_FULL, ENOUGH_BYTES + (config.reserve_mib << 20))
    except _CannotStartError as error:
        return wait(fault_of(error.reason))
    except OSError as error:
        if not service.supervised:
            raise
        return wait(fault_of(error))


def _continue_record(config: StationConfig, clock: Clock, service: Service, hardware: Hardware) -> int:
    """Record on a disk that is this process's alone. What the process before left as its status is true no longer when
    this one ends in good order or cannot begin.
    """
    status_path = config.run / "status.json"
    try:
        opened = _open_record(config, clock, hardware)
    except (NoRecordError, NoRoomError):
        raise
    except OperatorError:
        _remove(status_path)
        raise
    try:
        code = _record(config, opened, clock, service, hardware)
    except OSError as error:
        # What was being made durable may or may not be: the next start finds out (invariant 9).
        cause = Cause.DISK_FULL if fault_of(error) is DISK_FULL else Cause.DISK_ERROR
        log.error("the disk fails", extra={"fields": {"reason": str(error)}})
        with contextlib.suppress(OSError):
            leave_trace(config.run, cause)
        return EXIT_AGAIN
    if code == 0:
        _remove(status_path)
    return code


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """The record that this process continues."""

    layout: Layout
    disk: Disk
    session: Session
    boot_id: str
    cameras: dict[str, Camera]
    masks: dict[str, Mask]
    profile_text: str | None
    profile: Profile | None
    faults: Sequence[Fault]


class _CannotStartError(Exception):
    """The disk takes no writes, and nothing has been recorded."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _open_record(config: StationConfig, clock: Clock, hardware: Hardware) -> _Opened:
    layout, disk = Layout(config.data), Disk()
    profile_text, profile = load_profile(config)
    masks = {camera.id: Mask.parse(camera.mask) for camera in config.cameras}
    # Before the first line: what the configuration gets wrong leaves no trace in the ledger.
    cameras = {camera.id: _open(config, camera, masks[camera.id], clock) for camera in config.cameras}
    here = DiskIdentity(
        election=config.election,
        station=config.station,
        unit=config.unit,
        board=hardware.board_serial(),
        card=hardware.card_serial(config.data),
    )
    boot_id = kernel_boot_id()
    traces = take_traces(config.run, hardware.last_reset())
    unit, notes, faults = _unit(config, config.unit, config.key, config.certificate), [], list[Fault]()
    try:
        found = read_disk_identity(layout)
        if found.differs(here):
            guest = open_guest(disk, layout, found=found, here=here, reserve_bytes=config.reserve_mib << 20)
            log.error("the disk belongs to another unit", extra={"fields": dict(guest.note.data)})
            layout, notes, faults = guest.layout, [guest.note], [DISK_OF_ANOTHER]
            unit = _unit(config, guest.name, guest.key, guest.certificate)
        session = open_session(
            unit=unit,
            layout=layout,
            disk=disk,
            stamp=lambda: stamp(clock),
            boot_id=boot_id,
            session=SoftwareSigner.generate(),
            cameras=[camera.id for camera in config.cameras],
            masks={name: (mask.text, mask.sha256) for name, mask in masks.items()},
            profile=profile_text,
            head_path=config.run / "head.json",
            reserve_bytes=config.reserve_mib << 20,
            traces=traces,
            notes=notes,
        )
    except OSError as error:
        raise _CannotStartError(error) from error
    with contextlib.suppress(OSError):
        clear_traces(config.run)
    return _Opened(
        layout=layout,
        disk=disk,
        session=session,
        boot_id=boot_id,
        cameras=cameras,
        masks=masks,
        profile_text=profile_text,
        profile=profile,
        faults=faults,
    )


def _record(config: StationConfig, opened: _Opened, clock: Clock, service: Service, hardware: Hardware) -> int:
    session, window = opened.session, Window(clock, opened.profile)
    arrived = threading.Event()
    lanes = [
        build_lane(
            config=config,
            camera=camera,
            source=opened.cameras[camera.id],
            mask_sha256=opened.masks[camera.id].sha256,
            unit=session.unit,
            session=session.name,
            begin_ns=session.begin_ns(camera.id),
            boot_id=opened.boot_id,
            clock=clock,
            arrived=arrived,
        )
        for camera in config.cameras
    ]
    keepers = [Keeper(lane.camera, lane.bridge, clock) for lane in lanes]
    for lane, keeper in zip(lanes, keepers, strict=True):
        lane.hangs = keeper.hangs
    ladder = Ladder(began_ns=clock.boot_ns(), restarts=session.state.restarts) if service.supervised else None
    pipeline = Pipeline(
        clock=clock,
        disk=opened.disk,
        layout=opened.layout,
        storage=session.storage,
        state=session.state,
        lanes=lanes,
        status_path=config.run / "status.json",
        service=service,
        arrived=arrived,
        before_window=window.is_ahead,
        ladder=ladder,
        faults=opened.faults,
        receipted=ReceiptedMedia(
            config.receipts,
            opened.layout,
            trust=_trust(config),
            election=config.election,
            station=config.station,
            unit=session.unit,
            boot_ns=clock.boot_ns,
        ),
    )

    def stop_cameras() -> bool:
        """Whether all have stopped; each is told."""
        hanging = [keeper for keeper in keepers if not keeper.stop()]
        return not hanging

    commands = Commands(
        pipeline=pipeline,
        pins=_pins(config),
        clock=clock,
        profile=opened.profile,
        profile_sha256=profile_digest(opened.profile_text) if opened.profile_text else "",
        raw_cameras=any(camera.source.startswith("replay-raw:") for camera in config.cameras),
        stop_cameras=stop_cameras,
    )
    for keeper in keepers:
        keeper.start()
    log.info("recording", extra={"fields": {"session": session.name, "mode": pipeline.mode}})
    threading.Thread(target=_watch_health, args=(pipeline, hardware, clock), name="health", daemon=True).start()
    asyncio.run(_serve(config.socket, commands, pipeline, window))
    service.stopping()
    stopped = stop_cameras()
    if not pipeline.closed:
        pipeline.finish()
    session.storage.close()
    if not stopped:
        service.give_up()
    return {None: 0, Rung.PROCESS: EXIT_AGAIN, Rung.REBOOT: EXIT_REBOOT}[pipeline.rung]


async def _serve(socket: Path, commands: Commands, pipeline: Pipeline, window: Window) -> None:
    """Answer the control socket while the storage thread works; return when it has ended."""
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    work = asyncio.create_task(asyncio.to_thread(pipeline.run, stop))
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(ControlServer(socket, commands.answer).listening())
        except OSError as error:
            # A unit that nobody can speak to still records.
            log.error("no control socket", extra={"fields": {"reason": str(error)}})
        while not (await asyncio.wait({work}, timeout=POLL_S))[0]:
            if commands.armed and window.is_over():
                # Refused where the record is being closed or the recorder ends already.
                with contextlib.suppress(OperatorError):
                    await commands.close_by_window()
        await work


def _watch_health(pipeline: Pipeline, hardware: Hardware, clock: Clock) -> None:
    """In a thread that nobody waits for: the firmware may not answer."""
    health, never = HealthWatch(), threading.Event()
    while True:
        for event in health.changes(hardware.health(), clock.boot_ns()):
            pipeline.submit(_put_on_record(event))
        clock.wait(never, POLL_S)


def _put_on_record(event: Event) -> Callable[[Pipeline], dict[str, object]]:
    def put(pipeline: Pipeline) -> dict[str, object]:
        pipeline.enqueue(event)
        return {}

    return put


def _open(config: StationConfig, camera: CameraConfig, mask: Mask, clock: Clock) -> Camera:
    return open_camera(
        camera.source, station=config.station, camera=camera.id, picture=picture_of(camera), mask=mask, clock=clock
    )


def _unit(config: StationConfig, name: str, key: Path, certificate: Path) -> Unit:
    try:
        certificates = x509.load_pem_x509_certificates(certificate.read_bytes())
        device = load_device_key(key)
        if len(certificates) > MAX_CERTIFICATES:
            raise ValueError(f"{len(certificates)} certificates, at most {MAX_CERTIFICATES} fit a line")
    except (OSError, ValueError, TypeError) as error:
        raise OperatorError(
            f"The unit's key or certificate cannot be read: {error}.",
            hint="Provision the unit again, or mend keys.key and keys.certificate in the configuration.",
        ) from error
    return Unit(
        election=config.election,
        station=config.station,
        unit=name,
        device=device,
        certs=tuple(each.public_bytes(Encoding.DER) for each in certificates),
        software=SOFTWARE,
    )


def _trust(config: StationConfig) -> Trust:
    """The election root. Without it no receipt of the archive counts, and nothing is deleted on one."""
    try:
        return Trust.from_pem(config.trust.read_bytes())
    except (OSError, ValueError) as error:
        log.error("election root refused, no receipt counts", extra={"fields": {"reason": str(error)}})
        return Trust()


def load_device_key(path: Path) -> Signer:
    """The unit's evidence key, a P-256 private key in PEM without a passphrase. Raises ValueError or OSError."""
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no P-256 key")
    return SoftwareSigner(key)


def _pins(config: StationConfig) -> PinBook:
    """The PINs. Without them nobody can arm, but the unit records."""
    try:
        return PinBook.load(config.pins)
    except OperatorError as error:
        log.error("PINs refused, nobody can arm", extra={"fields": {"reason": str(error)}})
        return PinBook({})
