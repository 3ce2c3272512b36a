"""Twenty hours of two cameras in virtual time, with everything that an election day does to a unit.

The test keeps its own list of what it did and what that must have cost, by plain arithmetic: pictures come every
200 ms and on whole steps, and reach the disk in pairs. The verifier must come to the same, to the second.
"""

import base64
import json
import random
import tempfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from appliance.capture.camera import AccessUnit
from audit.verify import verify
from evidence.certificate import Trust
from evidence.keys import from_jwk, thumbprint
from tests.fakes.checker import Json
from tests.fakes.station import NOON_US, SECOND
from tests.fakes.stepped import QuickDisk, SteppedStation, memory_folder
from tests.fakes.tinyh264 import TinyEncoder

CAMERAS = ("cam1", "cam2")
DAY_NS = 20 * 3600 * SECOND
FRAME_NS, GOP_NS, STEP_NS = SECOND // 5, 2 * SECOND, SECOND
OFF_S = (3, 40, 300, 900, 1800)
"""How long each power cut lasts."""
INCIDENTS = ["camera"] * 9 + ["both cameras"] * 3 + ["disk"] * 6 + ["crash"] * 8 + ["stop"] * 4 + ["power"] * len(OFF_S)
BOOTING_NS = 15 * SECOND
"""From the kernel's start to the recorder's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What a camera must lack, in nanoseconds of UTC since the day began."""

    cause: str
    from_ns: int
    to_ns: int


class Repeating(TinyEncoder):
    """Each group of pictures as the one before: to encode a day of them anew takes a third of the time there is."""

    def __init__(self) -> None:
        super().__init__(32, 32)
        once = TinyEncoder(32, 32)
        self._group = [once.idr(), *(once.p() for _ in range(GOP_NS // FRAME_NS - 1))]
        self._at = 0

    def idr(self, level: int | Sequence[int] = 128) -> bytes:
        self._at = 0
        return self._group[0]

    def p(self, *, macroblock: int | None = None, level: int = 128) -> bytes:
        self._at += 1
        return self._group[self._at]


class Day:
    """The unit, and the list. ``now_ns`` is UTC since the recorder first started; a unit without power ages too."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.chance = chance
        self.station = SteppedStation(folder, cameras=CAMERAS, fps=5, gop_seconds=2, disk=QuickDisk)
        self.now_ns = 0
        self.missing: dict[str, list[Missing]] = {name: [] for name in CAMERAS}
        self.first_ns = dict.fromkeys(CAMERAS, 0)
        """When each camera's encode began."""
        self.booted_ns = {self.station.boot: -self.station.clock.boot_ns()}
        self.delivered: dict[str, list[int]] = {name: [] for name in CAMERAS}
        for name, camera in self.station.cameras.items():
            camera.edit = self._noting(name)
            camera._encoder = Repeating()
        self._start()
        self.station.arm()

    def live(self, seconds: int) -> None:
        """All that should record does."""
        self._run(seconds * SECOND, STEP_NS)

    def one_camera_dies(self) -> None:
        name = self.chance.choice(CAMERAS)
        since_ns = self._dies(name)
        self.live(self.chance.randint(10, 1200))
        self._comes_back(name, since_ns)

    def both_cameras_die(self) -> None:
        """One after the other, and they come back in the same order."""
        one, two = self.chance.sample(CAMERAS, 2)
        one_ns = self._dies(one)
        self.live(self.chance.randint(5, 400))
        two_ns = self._dies(two)
        self.live(self.chance.randint(10, 400))
        self._comes_back(one, one_ns)
        self.live(self.chance.randint(5, 400))
        self._comes_back(two, two_ns)

    def the_disk_fills_up(self) -> None:
        """Media stop at once, and go on at the first keyframe behind the instant at which there is room."""
        since_ns = self.now_ns + FRAME_NS
        self.station.disk.room_bytes = 0
        self.live(self.chance.randint(10, 600))
        self.station.disk.room_bytes = None
        for name, first_ns in self.first_ns.items():
            keyframes = (self.now_ns - first_ns) // GOP_NS + 1
            self._lacks(name, "disk-full", since_ns, first_ns + keyframes * GOP_NS)

    def the_process_dies(self) -> None:
        """What it has written is there, synced or not."""
        self._run(self.chance.randrange(5) * FRAME_NS, FRAME_NS)
        since_ns = {name: self._written_ns(name, self.now_ns) for name in CAMERAS}
        self.station.kill()
        self.now_ns += SECOND
        self._wait(self.chance.randint(0, 60))
        for name in CAMERAS:
            self._lacks(name, "crash", since_ns[name], self.now_ns)
        self._start()

    def it_is_told_to_stop(self) -> None:
        since_ns = self.now_ns + FRAME_NS
        self.station.stop()
        self._wait(self.chance.randint(1, 300))
        for name in CAMERAS:
            self._lacks(name, "stopped", since_ns, self.now_ns)
        self._start()

    def the_power_fails(self) -> None:
        """What was written since the last commit, which was less than a second ago, is gone."""
        committed_ns = self.now_ns
        self._run(self.chance.randrange(5) * FRAME_NS, FRAME_NS)
        since_ns = {name: self._written_ns(name, committed_ns) for name in CAMERAS}
        self.station.lose_power()
        self.now_ns += OFF_S[self.station.boots - 1] * SECOND
        self.booted_ns[self.station.boot] = self.now_ns
        self.now_ns += BOOTING_NS
        self.station.clock.set_utc(NOON_US + self.now_ns // 1000)
        for name in CAMERAS:
            self._lacks(name, "power", since_ns[name], self.now_ns)
        self._start()

    def close(self) -> None:
        """The last picture lasts as long as any other."""
        self.station.close()
        self.now_ns += FRAME_NS

    def _start(self) -> None:
        self.station.start()
        for name in CAMERAS:
            self.first_ns[name] = self.now_ns + STEP_NS
            self._lacks(name, "starting", self.now_ns, self.now_ns + STEP_NS)

    def _dies(self, name: str) -> int:
        self.station.cameras[name].failing = "cable"
        return self.now_ns + FRAME_NS

    def _comes_back(self, name: str, since_ns: int) -> None:
        """Behind a break, as a new encode, as its keeper brings it back."""
        camera = self.station.cameras[name]
        (lane,) = [lane for lane in self.station.pipeline.lanes if lane.id == name]
        camera.failing = None
        lane.bridge.put_break("cable")
        camera.start(lane.bridge.put)
        self.first_ns[name] = self.now_ns + STEP_NS
        self._lacks(name, "camera", since_ns, self.first_ns[name])

    def _written_ns(self, name: str, now_ns: int) -> int:
        """Until when the pictures up to ``now_ns`` are in files: in pairs, once the picture behind a pair has come."""
        pictures = (now_ns - self.first_ns[name]) // FRAME_NS + 1
        return self.first_ns[name] + (pictures - 1) // 2 * 2 * FRAME_NS

    def _lacks(self, name: str, cause: str, from_ns: int, to_ns: int) -> None:
        self.missing[name].append(Missing(cause=cause, from_ns=from_ns, to_ns=to_ns))

    def _run(self, span_ns: int, step_ns: int) -> None:
        self.station.run(span_ns / SECOND, step_ns=step_ns)
        self.now_ns += span_ns

    def _wait(self, seconds: int) -> None:
        self.station.clock.advance(seconds * SECOND)
        self.now_ns += seconds * SECOND

    def _noting(self, name: str) -> "Noting":
        return Noting(self, self.delivered[name])


@dataclass(frozen=True, slots=True)
class Noting:
    """Puts down when each picture was delivered to its bridge."""

    day: Day
    taken_ns: list[int]

    def __call__(self, unit: AccessUnit) -> AccessUnit:
        self.taken_ns.append(unit.boot_ns + self.day.booted_ns[self.day.station.boot])
        return unit


def _live_through(day: Day) -> None:
    """Thirty outages and five reboots, one in each part of the day, at no particular moment of it."""
    incidents = day.chance.sample(INCIDENTS, len(INCIDENTS))
    for number, incident in enumerate(incidents, 1):
        day.live(day.chance.randint(30, 700))
        match incident:
            case "camera":
                day.one_camera_dies()
            case "both cameras":
                day.both_cameras_die()
            case "disk":
                day.the_disk_fills_up()
            case "crash":
                day.the_process_dies()
            case "stop":
                day.it_is_told_to_stop()
            case "power":
                day.the_power_fails()
        day.live(max(10, (number * DAY_NS // len(incidents) - day.now_ns) // SECOND + 1))
    day.close()


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """In memory: a day is 70,000 files."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        yield Path(folder)


@pytest.mark.faults
@pytest.mark.timeout(300)  # a minute on a core of its own; a machine that is shared is given more
def test_of_twenty_hours_with_thirty_outages_and_five_reboots_every_second_is_accounted_for(quick_path: Path) -> None:
    day = Day(quick_path / "unit", random.Random(2026))
    _live_through(day)
    assert day.now_ns >= DAY_NS
    assert len(day.booted_ns) == 1 + len(OFF_S)
    answer = verify([day.station.config.data], trust=Trust.from_pem(day.station.root))
    assert answer["verdict"] == "verified"
    (record,) = cast("list[Json]", answer["records"])
    assert record["findings"] == []
    for camera in cast("list[Json]", record["cameras"]):
        _compare(day, str(camera["camera"]), camera)
    _find_every_picture(day)


def _compare(day: Day, name: str, camera: Json) -> None:
    """The verifier's answer and the list: each gap with its cause, its ends and its length, and the sums."""
    missing = day.missing[name]
    gaps = cast("list[Json]", camera["gaps"])
    assert [gap["cause"] for gap in gaps] == [each.cause for each in missing]
    told = Counter[str]()
    for gap, expected in zip(gaps, missing, strict=True):
        begin, end = cast("Json", gap["from"]), cast("Json", gap["to"])
        assert day.booted_ns[str(begin["boot_id"])] + cast("int", begin["boot_ns"]) == expected.from_ns, expected
        assert day.booted_ns[str(end["boot_id"])] + cast("int", end["boot_ns"]) == expected.to_ns, expected
        for moment, true_ns in ((begin, expected.from_ns), (end, expected.to_ns)):
            _holds(cast("list[int]", moment["utc_us"]), NOON_US + true_ns // 1000, within=100_000)
        bounds = cast("list[int]", gap["duration_ms"])
        # Only what crosses a boot is known by UTC alone.
        length_ms = (expected.to_ns - expected.from_ns) // 10**6
        _holds(bounds, length_ms, within=100 if expected.cause == "power" else 0)
        told[expected.cause] += bounds[0]
    for cause, told_ms in told.items():
        lacking_ns = sum(each.to_ns - each.from_ns for each in missing if each.cause == cause)
        assert abs(told_ms - lacking_ns // 10**6) < 1_000, cause
    lacking_ms = sum(each.to_ns - each.from_ns for each in missing) // 10**6
    _holds(cast("list[int]", camera["missing_ms"]), lacking_ms, within=1_000)
    covered_ms = day.now_ns // 10**6 - lacking_ms
    _holds(cast("list[int]", camera["covered_ms"]), covered_ms, within=0)
    assert camera["frames"] == covered_ms * 10**6 // FRAME_NS
    assert camera["dropped_frames"] == 0


def _holds(bounds: list[int], true: int, *, within: int) -> None:
    assert bounds[0] <= true <= bounds[1] <= bounds[0] + within, (bounds, true)


def _find_every_picture(day: Day) -> None:
    """Each picture that a bridge took is in the one segment of its time, unless the list says that it is gone."""
    found = Counter[str]()
    boots: dict[str, str] = {}
    session = ""
    for text in day.station.layout.ledger.read_bytes().splitlines():
        payload = text.split(b".")[1]
        line = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        if line["kind"] == "start":
            session = thumbprint(from_jwk(line["session"]))
            boots[session] = line["boot_id"]
        elif line["kind"] in ("segment", "recovered"):
            taken, booted_ns = day.delivered[line["camera"]], day.booted_ns[boots[line.get("session", session)]]
            begin, end = (bisect_left(taken, booted_ns + line[name]) for name in ("from_ns", "to_ns"))
            assert end - begin == line["frames"], line
            found[line["camera"]] += line["frames"]
    for name, taken in day.delivered.items():
        gone = sum(bisect_left(taken, each.to_ns) - bisect_left(taken, each.from_ns) for each in day.missing[name])
        assert found[name] == len(taken) - gone
