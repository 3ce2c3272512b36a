"""A recorder in the hands of a test: everything behind the camera is real, time and pictures are given to it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.capture.bridge import Bridge
from appliance.capture.camera import AccessUnit, Camera, Picture, Sink
from appliance.capture.mask import Mask
from appliance.config import StationConfig, load_config
from appliance.lane import BRIDGE_BYTES, BRIDGE_NS, Lane
from appliance.pipeline import Pipeline
from appliance.recorder import load_device_key
from appliance.segment.output import Opening
from appliance.segment.segmenter import Segmenter
from appliance.session import Session, Unit, open_session
from appliance.store.layout import Layout
from appliance.store.prepare import DiskIdentity, prepare
from base.clock import Clock
from base.durable import Disk
from base.service import Service
from base.version import SOFTWARE
from evidence import jws
from evidence.identity import Identity, write_identity
from evidence.keys import SoftwareSigner
from evidence.lines import Event, Line, Stamp, read_payload
from evidence.profile import profile_digest
from evidence.words import Mode
from tests.fakes.clock import FakeClock
from unbroken.demo_station import DemoStation, make_station

BOOT_ID = "0123456789abcdef0123456789abcdef"
NO_MASK = Mask.parse([])
VIRTUAL_BOOT_NS = 345_600_000_000_000
"""Four days after power-on: times as long as they become in practice."""


class Coded(Protocol):
    """A coded picture, in Annex B."""

    @property
    def data(self) -> bytes: ...
    @property
    def keyframe(self) -> bool: ...


class FedCamera:
    """The place of a camera that somebody else feeds."""

    @property
    def source(self) -> str:
        return "replay-raw"

    def start(self, sink: Sink) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""

    def set_mode(self, mode: Mode) -> None:
        """The feeder stamps the mode."""

    def set_bitrate(self, bitrate: int) -> bool:
        return True

    def failure(self) -> str | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A session that records: real segmenter, storage, ledger and keys."""

    pipeline: Pipeline
    session: Session
    layout: Layout
    station: DemoStation
    arrived: threading.Event

    def put(self, unit: AccessUnit) -> None:
        """The same picture from every camera."""
        for lane in self.pipeline.lanes:
            lane.bridge.put(unit)

    def lines(self) -> Iterator[Line]:
        """What the ledger on the disk holds, oldest first."""
        with self.layout.ledger.open("rb") as file:
            for text in file:
                yield read_payload(jws.unseal(text.removesuffix(b"\n")).payload)

    def close(self) -> None:
        """An orderly end."""
        self.pipeline.finish()
        self.session.storage.close()


def virtual_clock() -> FakeClock:
    """A synced clock that only moves when told. It begins now: the station's certificates do."""
    return FakeClock(boot_ns=VIRTUAL_BOOT_NS, utc_us=time.time_ns() // 1000, error_us=12_345)


def open_rig(
    folder: Path,
    picture: Picture,
    *,
    clock: Clock,
    cameras: int = 1,
    camera: Camera | None = None,
    mask: Mask = NO_MASK,
    disk: Disk | None = None,
    mode: Mode = Mode.TEST,
    before_window: Callable[[], bool] = lambda: False,
) -> Rig:
    """A fresh station in ``folder``, prepared, its session open; armed for TEST unless ``mode`` is UNARMED.

    ``camera`` is told the mode and names the source; without one, pictures are fed by hand.
    """
    station = make_station(folder, ["replay-raw:none"] * cameras)
    config = load_config(station.config)
    layout = Layout(config.data)
    identity = DiskIdentity(election=config.election, station=config.station, unit=config.unit)
    prepare(Disk(), layout, identity, config.reserve_mib << 20)
    config.run.mkdir()
    assert config.profile is not None
    profile = config.profile.read_text()
    disk = disk or Disk()
    session = open_session(
        unit=_unit(config),
        layout=layout,
        disk=disk,
        stamp=lambda: stamp_of(clock),
        boot_id=BOOT_ID,
        session=SoftwareSigner.generate(),
        cameras=[each.id for each in config.cameras],
        masks={each.id: (mask.text, mask.sha256) for each in config.cameras},
        profile=profile,
        head_path=config.run / "head.json",
        reserve_bytes=config.reserve_mib << 20,
    )
    arrived = threading.Event()
    pipeline = Pipeline(
        clock=clock,
        disk=disk,
        layout=layout,
        storage=session.storage,
        state=session.state,
        lanes=[
            _lane(config, each.id, camera or FedCamera(), mask, picture, session, clock, arrived)
            for each in config.cameras
        ],
        status_path=config.run / "status.json",
        service=Service(),
        arrived=arrived,
        before_window=before_window,
    )
    if mode is not Mode.UNARMED:
        pipeline.enqueue(Event(event="armed", data={"mode": mode, "profile_sha256": profile_digest(profile)}))
        pipeline.commit()
        pipeline.set_mode(mode)
    return Rig(pipeline=pipeline, session=session, layout=layout, station=station, arrived=arrived)


def feed(rig: Rig, clock: FakeClock, units: Sequence[Coded], fps: int, pictures: int) -> None:
    """``pictures`` of ``units``, over and over, from every camera, in the steps that real time would take."""
    for number in range(pictures):
        clock.advance(1_000_000_000 // fps)
        unit = units[number % len(units)]
        rig.put(AccessUnit(unit.data, clock.boot_ns(), unit.keyframe, rig.pipeline.mode))
        rig.pipeline.step()


def _unit(config: StationConfig) -> Unit:
    certificates = x509.load_pem_x509_certificates(config.certificate.read_bytes())
    return Unit(
        election=config.election,
        station=config.station,
        unit=config.unit,
        device=load_device_key(config.key),
        certs=tuple(certificate.public_bytes(Encoding.DER) for certificate in certificates),
        software=SOFTWARE,
    )


def stamp_of(clock: Clock) -> Stamp:
    """What a line made now says of the clocks."""
    reading = clock.read()
    return Stamp(boot_ns=reading.boot_ns, utc_us=reading.utc_us, error_us=reading.error_us)


def _lane(
    config: StationConfig,
    name: str,
    camera: Camera,
    mask: Mask,
    picture: Picture,
    session: Session,
    clock: Clock,
    arrived: threading.Event,
) -> Lane:
    def describe(opening: Opening) -> bytes:
        stamp = stamp_of(clock)
        return write_identity(
            Identity(
                v=1,
                election=config.election,
                station=config.station,
                unit=config.unit,
                camera=name,
                boot_id=BOOT_ID,
                session=session.name,
                run=opening.run,
                index=opening.index,
                mode=opening.mode,
                boot_ns=opening.boot_ns,
                utc_us=stamp.utc_us,
                error_us=stamp.error_us,
                width=opening.track.width,
                height=opening.track.height,
                timescale=opening.track.timescale,
                avcc=opening.track.avcc,
            )
        )

    return Lane(
        id=name,
        camera=camera,
        picture=picture,
        mask_sha256=mask.sha256,
        bridge=Bridge(limit_bytes=BRIDGE_BYTES, limit_ns=BRIDGE_NS, arrived=arrived),
        segmenter=Segmenter(fps=picture.fps, begin_ns=session.begin_ns(name), describe=describe),
        alive_ns=clock.boot_ns(),
        bitrate=picture.bitrate,
    )
