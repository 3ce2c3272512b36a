"""The recorder: cameras, segments, ledger and disk joined into one program. It opens no network.

camera ─ bridge ─▶ segmenter ─▶ storage ═ COMMIT ─▶ head and status in /run
"""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Callable
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
from appliance.lane import build_lane, picture_of, stamp
from appliance.pipeline import Pipeline
from appliance.session import Unit, open_session
from appliance.store.layout import Layout
from appliance.store.lock import locked
from appliance.store.unarmed import UnarmedMedia
from base.clock import Clock, SystemClock, kernel_boot_id
from base.durable import Disk
from base.errors import OperatorError
from base.service import Service
from base.version import SOFTWARE
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.keys import Signer, SoftwareSigner
from evidence.profile import Profile, profile_digest, read_profile
from evidence.words import Mode

log = logging.getLogger("unbroken.recorder")

WINDOW_POLL_S = 1.0
MAX_CERTIFICATES = 4
MAX_PROFILE_CHARACTERS = 16_384


def record(config: StationConfig) -> None:
    """Record until SIGTERM, SIGINT or the close of the record.

    Raises OperatorError where a person must act, and OSError where the outcome of a durable step is unknown.
    """
    layout = Layout(config.data)
    with locked(layout):
        _record(config, layout)


def _record(config: StationConfig, layout: Layout) -> None:
    clock, disk = SystemClock(), Disk()
    config.run.mkdir(parents=True, exist_ok=True)
    profile_text, profile = _profile(config)
    masks = {camera.id: Mask.parse(camera.mask) for camera in config.cameras}
    # Before the first line: what the configuration gets wrong leaves no trace in the ledger.
    cameras = {camera.id: _open(config, camera, masks[camera.id], clock) for camera in config.cameras}
    boot_id = kernel_boot_id()
    session = open_session(
        unit=_unit(config),
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
    )
    arrived = threading.Event()
    lanes = [
        build_lane(
            config=config,
            camera=camera,
            source=cameras[camera.id],
            mask_sha256=masks[camera.id].sha256,
            session=session.name,
            begin_ns=session.begin_ns(camera.id),
            boot_id=boot_id,
            clock=clock,
            arrived=arrived,
        )
        for camera in config.cameras
    ]
    pipeline = Pipeline(
        clock=clock,
        disk=disk,
        layout=layout,
        session=session.name,
        storage=session.storage,
        lanes=lanes,
        unarmed=UnarmedMedia(session.state.unarmed.values()),
        mode=session.state.mode,
        status_path=config.run / "status.json",
        service=Service(),
        arrived=arrived,
        before_window=lambda: _before_window(clock, profile),
    )
    for pruned in session.state.last_pruned:
        pipeline.delete(pruned)
    keepers = [Keeper(lane.camera, lane.bridge, clock) for lane in lanes]

    def stop_cameras() -> None:
        for keeper in keepers:
            keeper.stop()

    commands = Commands(
        pipeline=pipeline,
        pins=_pins(config),
        clock=clock,
        profile=profile,
        profile_sha256=profile_digest(profile_text) if profile_text else "",
        raw_cameras=any(camera.source.startswith("replay-raw:") for camera in config.cameras),
        stop_cameras=stop_cameras,
    )
    for keeper in keepers:
        keeper.start()
    log.info("recording", extra={"fields": {"session": session.name, "mode": pipeline.mode}})
    asyncio.run(_serve(config.socket, commands, pipeline, lambda: _past_window(clock, profile)))
    stop_cameras()
    if not pipeline.closed:
        pipeline.finish()
    session.storage.close()


async def _serve(socket: Path, commands: Commands, pipeline: Pipeline, past_window: Callable[[], bool]) -> None:
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
        while not (await asyncio.wait({work}, timeout=WINDOW_POLL_S))[0]:
            if pipeline.mode is not Mode.UNARMED and past_window():
                # Refused where the record is being closed or the recorder ends already.
                with contextlib.suppress(OperatorError):
                    await commands.close_by_window()
        await work


def _open(config: StationConfig, camera: CameraConfig, mask: Mask, clock: Clock) -> Camera:
    return open_camera(
        camera.source, station=config.station, camera=camera.id, picture=picture_of(camera), mask=mask, clock=clock
    )


def _unit(config: StationConfig) -> Unit:
    try:
        certificates = x509.load_pem_x509_certificates(config.certificate.read_bytes())
        device = load_device_key(config.key)
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
        unit=config.unit,
        device=device,
        certs=tuple(certificate.public_bytes(Encoding.DER) for certificate in certificates),
        software=SOFTWARE,
    )


def load_device_key(path: Path) -> Signer:
    """The unit's evidence key, a P-256 private key in PEM without a passphrase. Raises ValueError or OSError."""
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no P-256 key")
    return SoftwareSigner(key)


def _profile(config: StationConfig) -> tuple[str | None, Profile | None]:
    """The signed profile and what it says. Without a good one the unit still records, unarmed."""
    if config.profile is None:
        return None, None
    try:
        text = config.profile.read_text(encoding="ascii").strip()
        profile = read_profile(text, Trust.from_pem(config.trust.read_bytes()))
        if profile.election != config.election:
            raise ValueError(f"it is for election {profile.election}")
        if len(text) > MAX_PROFILE_CHARACTERS:
            raise ValueError(f"it has {len(text)} characters, at most {MAX_PROFILE_CHARACTERS} fit a line")
    except (OSError, ValueError, EvidenceError) as error:
        log.error("profile refused, recording unarmed", extra={"fields": {"reason": str(error)}})
        return None, None
    return text, profile


def _pins(config: StationConfig) -> PinBook:
    """The PINs. Without them nobody can arm, but the unit records."""
    try:
        return PinBook.load(config.pins)
    except OperatorError as error:
        log.error("PINs refused, nobody can arm", extra={"fields": {"reason": str(error)}})
        return PinBook({})


def _before_window(clock: Clock, profile: Profile | None) -> bool:
    """Whether the latest that UTC can be is before the window. False where nothing is proven."""
    reading = clock.read()
    if profile is None or reading.utc_us is None or reading.error_us is None:
        return False
    return reading.utc_us + reading.error_us < profile.from_us


def _past_window(clock: Clock, profile: Profile | None) -> bool:
    """Whether the earliest that UTC can be is past the window and its margin. False where nothing is proven."""
    reading = clock.read()
    if profile is None or reading.utc_us is None or reading.error_us is None:
        return False
    return reading.utc_us - reading.error_us > profile.to_us + profile.margin_s * 1_000_000
