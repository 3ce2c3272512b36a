"""A whole recorder in virtual time: real segments, storage and ledger; disk, clock and cameras belong to the test."""

import os
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from appliance.capture.mask import Mask
from appliance.config import CameraConfig, StationConfig
from appliance.lane import build_lane, picture_of, stamp
from appliance.pipeline import Command, Pipeline
from appliance.session import Session, Unit, open_session
from appliance.store.layout import Layout
from appliance.store.prepare import DiskIdentity, prepare
from appliance.store.receipted import ReceiptedMedia
from appliance.upkeep.ladder import Ladder
from audit.verify import verify
from base.durable import Disk
from base.service import Service
from base.version import SOFTWARE
from evidence.certificate import Trust
from evidence.lines import Event
from evidence.profile import profile_digest
from evidence.words import Mode
from provisioning.authority import Authority
from tests.fakes.camera import ScriptedCamera
from tests.fakes.clock import FakeClock
from tests.fakes.faultydisk import Failure, FaultyDisk, T
from tests.fakes.station import NOON_US, SECOND, authority, boot_id, private_key, signer

RESERVE_BYTES = 1 << 16
STEP_NS = 100_000_000


class SteppedStation:
    """Composed as ``appliance.recorder`` composes it. Time passes only in ``run``; ``start`` is one process's life.

    Every key follows from a seed, so a scenario gives the same steps each time. ``root`` is the trusted root in PEM.
    Another ``station`` has keys of its own, and ``by`` is the authority where several have one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cameras: Sequence[str] = ("cam1",),
        fps: int = 5,
        gop_seconds: int = 2,
        mode: Mode = Mode.TEST,
        utc_us: int | None = NOON_US,
        error_us: int | None = 5_000,
        disk: Callable[[Path], FaultyDisk] = FaultyDisk,
        station: str = "57-002",
        by: Authority | None = None,
    ) -> None:
        by = self.authority = by or authority("az-2026")
        self.root = by.root_pem
        self._seed = "" if station == "57-002" else f"{station}-"
        self.config = StationConfig(
            election="az-2026",
            station=station,
            unit="u1",
            trust=folder / "root.pem",
            key=folder / "unit.key",
            certificate=folder / "unit.pem",
            profile=None,
            pins=None,
            data=folder / "disk",
            run=folder / "run",
            reserve_mib=16,
            receipts=folder / "receipts",
            cameras=tuple(_camera(name, fps, gop_seconds) for name in cameras),
        )
        device = f"{self._seed}unit-device"
        certificate = by.certify_unit(private_key(device).public_key(), station, "u1")
        self._unit = Unit(
            election="az-2026",
            station=station,
            unit="u1",
            device=signer(device),
            certs=(certificate.public_bytes(Encoding.DER),),
            software=SOFTWARE,
        )
        self.profile = by.sign_profile(
            title="Election",
            mode=mode,
            from_us=NOON_US,
            to_us=NOON_US + 86_400_000_000,
            margin_s=3600,
            time_zone="Asia/Baku",
            witnesses=0,
        )
        self.clock = FakeClock(boot_ns=20 * SECOND, utc_us=utc_us, error_us=error_us)
        self.layout = Layout(self.config.data)
        self.cameras = {each.id: ScriptedCamera(picture_of(each)) for each in self.config.cameras}
        self.before_window = False
        self.service = Service()
        self.supervised = False
        """Whether somebody would start a new process where this one ends for that."""
        self.boots = self.sessions = 0
        self.name = "u1"
        """The unit that the next process takes itself for."""
        identity = DiskIdentity(election="az-2026", station=station, unit="u1")
        prepare(Disk(), self.layout, identity, RESERVE_BYTES)
        self.config.run.mkdir()
        self.disk = disk(self.config.data)
        self.session: Session
        self.pipeline: Pipeline

    @property
    def boot(self) -> str:
        """The id of the kernel boot."""
        return boot_id(self.boots, f"{self._seed}stepped")

    def start(self, *, fail_at: int | None = None, failure: Failure = Failure.NOT_DONE) -> None:
        """A recorder process begins: recovery, session, cameras. Step ``fail_at`` of its disk fails."""
        self.disk = self.disk.restarted(fail_at=fail_at, failure=failure)
        self.sessions += 1
        arrived = threading.Event()
        mask = Mask.parse([])
        self.session = open_session(
            unit=replace(self._unit, unit=self.name),
            layout=self.layout,
            disk=self.disk,
            stamp=lambda: stamp(self.clock),
            boot_id=self.boot,
            session=signer(f"{self._seed}session-{self.sessions}"),
            cameras=[camera.id for camera in self.config.cameras],
            masks={camera.id: (mask.text, mask.sha256) for camera in self.config.cameras},
            profile=self.profile,
            head_path=self.config.run / "head.json",
            reserve_bytes=RESERVE_BYTES,
        )
        restarts = self.session.state.restarts
        self.pipeline = Pipeline(
            clock=self.clock,
            disk=self.disk,
            layout=self.layout,
            storage=self.session.storage,
            state=self.session.state,
            lanes=[
                build_lane(
                    config=self.config,
                    camera=camera,
                    source=self.cameras[camera.id],
                    mask_sha256=mask.sha256,
                    unit=self.name,
                    session=self.session.name,
                    begin_ns=self.session.begin_ns(camera.id),
                    boot_id=self.boot,
                    clock=self.clock,
                    arrived=arrived,
                )
                for camera in self.config.cameras
            ],
            status_path=self.config.run / "status.json",
            service=self.service,
            arrived=arrived,
            before_window=self._is_before_window,
            ladder=Ladder(began_ns=self.clock.boot_ns(), restarts=restarts) if self.supervised else None,
            receipted=ReceiptedMedia(
                self.config.receipts,
                self.layout,
                trust=Trust.from_pem(self.root),
                election="az-2026",
                station=self.config.station,
                unit=self.name,
                boot_ns=self.clock.boot_ns,
            ),
        )
        for lane in self.pipeline.lanes:
            self.cameras[lane.id].start(lane.bridge.put)

    def run(self, seconds: float, *, step_ns: int = STEP_NS) -> None:
        """Let time pass step by step; cameras deliver, the pipeline does what is due."""
        for _ in range(round(seconds * SECOND / step_ns)):
            self.clock.advance(step_ns)
            self.shoot()
            self.pipeline.step()

    def shoot(self) -> None:
        """Cameras deliver what is due, into the bridges."""
        for camera in self.cameras.values():
            camera.shoot(self.clock.boot_ns())

    def command(self, command: Command) -> dict[str, object]:
        """Have the pipeline do something, as the control socket does."""
        future = self.pipeline.submit(command)
        self.pipeline.step()
        return future.result(timeout=0)

    def arm(self, mode: Mode = Mode.TEST) -> None:
        """What two people's PINs do."""

        def arm(pipeline: Pipeline) -> dict[str, object]:
            data: dict[str, str | int | None] = {"mode": mode, "profile_sha256": profile_digest(self.profile)}
            pipeline.enqueue(Event(event="armed", data=data))
            pipeline.commit()
            pipeline.set_mode(mode)
            return {}

        self.command(arm)

    def stop(self) -> None:
        """An orderly end of the process."""
        self._stop_cameras()
        self.pipeline.finish()
        self.session.storage.close()

    def close(self) -> None:
        """The end of the record."""
        self._stop_cameras()

        def close(pipeline: Pipeline) -> dict[str, object]:
            pipeline.close_record("persons")
            return {}

        self.command(close)
        self.session.storage.close()

    def kill(self) -> None:
        """The process is gone from one instruction to the next; the machine stays on."""
        self._stop_cameras()
        self.clock.advance(SECOND)

    def lose_power(self, keep: random.Random | None = None) -> None:
        """The machine is gone; another boot begins, whose clock starts anew."""
        self._stop_cameras()
        self.disk.lose_unsynced(keep)
        reading = self.clock.read()
        self.boots += 1
        utc_us = None if reading.utc_us is None else reading.utc_us + 60_000_000
        self.clock = FakeClock(boot_ns=15 * SECOND, utc_us=utc_us, error_us=reading.error_us)

    def _is_before_window(self) -> bool:
        return self.before_window

    def _stop_cameras(self) -> None:
        for camera in self.cameras.values():
            camera.stop()


def memory_folder() -> str | None:
    """Where temporary files cost no disk, for tests that write many; None where there is no such place."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class QuickDisk(FaultyDisk):
    """For long days: no step fails, and a power cut takes no more than the ends of files that were not synced."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._unsynced: dict[Path, int] = {}
        """Files that were written to since their last sync, and their length then."""

    def restarted(self, *, fail_at: int | None = None, failure: Failure = Failure.NOT_DONE) -> "QuickDisk":
        assert fail_at is None, "this disk does not fail"
        self._known.clear()
        return self

    def lose_unsynced(self, keep: random.Random | None = None) -> None:
        for path, durable_bytes in self._unsynced.items():
            size_bytes = path.stat().st_size
            os.truncate(path, keep.randint(durable_bytes, size_bytes) if keep else durable_bytes)
        self._unsynced = {}

    def _do(self, step: str, path: Path, action: Callable[[], T]) -> T:
        if step == "write":
            self._unsynced.setdefault(path, path.stat().st_size)
        result = action()
        if step in ("sync", "remove"):
            self._unsynced.pop(path, None)
        return result


def _camera(name: str, fps: int, gop_seconds: int) -> CameraConfig:
    return CameraConfig(
        id=name, source="pattern", width=32, height=32, fps=fps, bitrate=10_000, gop_seconds=gop_seconds, mask=[]
    )


def verdict_codes(station: SteppedStation) -> set[str]:
    """The codes of all that the verifier finds in the station's record."""
    answer = verify([station.config.data], trust=Trust.from_pem(station.root))
    records = answer["records"]
    assert isinstance(records, list)
    return {finding["code"] for record in records for finding in record["findings"]}
