"""Everything that can happen to a unit, in an order that a seed decides: the record holds, two checkers say."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.capture.camera import AccessUnit
from appliance.pipeline import Pipeline
from appliance.upkeep.space import FLOOR_BYTES
from evidence.lines import Event, line_hash
from evidence.words import Mode
from tests.fakes.checker import check_record
from tests.fakes.station import NOON_US
from tests.fakes.stepped import SteppedStation, verdict_codes

HARMLESS = {"open-end", "media-unnamed", "clock-step", "clock-contradiction", "cert-time-unknown"}
"""What an open record, a crash and a clock that is set or unset leave."""


class Day:
    """A station with two cameras, and what befalls it."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.chance = chance
        self.station = SteppedStation(folder, cameras=("cam1", "cam2"), gop_seconds=chance.choice([1, 2, 5]))
        self.armed = False
        self.station.start()

    def record(self) -> None:
        self.station.run(self.chance.uniform(0, 8))

    def camera_fails(self) -> None:
        lane = self.chance.choice(self.station.pipeline.lanes)
        camera = self.station.cameras[lane.id]
        camera.failing = "cable"
        self.station.run(self.chance.uniform(0, 16))
        camera.failing = None
        if self.chance.random() < 0.7:
            lane.bridge.put_break("cable")
            camera.start(lane.bridge.put)

    def pictures_are_bad(self) -> None:
        chance = random.Random(self.chance.random())

        def edit(unit: AccessUnit) -> AccessUnit | None:
            match chance.randrange(6):
                case 0:
                    return None
                case 1:
                    return AccessUnit(b"\0\0\1rubbish", unit.boot_ns, unit.keyframe, unit.mode)
                case 2:
                    shift = chance.randint(-400_000_000, 190_000_000)
                    return AccessUnit(unit.data, max(0, unit.boot_ns + shift), unit.keyframe, unit.mode)
            return unit

        camera = self.station.cameras[self.chance.choice(["cam1", "cam2"])]
        camera.edit = edit
        self.station.run(self.chance.uniform(0, 6))
        camera.edit = lambda unit: unit

    def disk_is_slow(self) -> None:
        for _ in range(self.chance.randrange(300)):
            self.station.clock.advance(100_000_000)
            self.station.shoot()

    def disk_fills_up(self) -> None:
        self.station.disk.room_bytes = self.chance.choice([0, FLOOR_BYTES - 1, 2 * FLOOR_BYTES - 1])
        self.station.run(self.chance.uniform(0, 15))
        self.station.disk.room_bytes = None

    def clock_is_set(self) -> None:
        self.station.clock.set_utc(self.chance.choice([None, NOON_US, NOON_US + self.chance.randrange(10**10)]))
        self.station.clock.error_us = self.chance.choice([None, 3_000])

    def somebody_asks(self) -> None:
        def mark(pipeline: Pipeline) -> dict[str, object]:
            pipeline.enqueue(Event(event="counting"))
            return {}

        self.station.command(mark)

    def two_people_arm(self) -> None:
        if not self.armed:
            self.armed = True
            self.station.arm(Mode.TEST)

    def restart(self) -> None:
        self.station.stop()
        self.station.start()

    def crash(self) -> None:
        self.station.kill()
        self.station.start()

    def power_cut(self) -> None:
        self.station.lose_power(self.chance if self.chance.random() < 0.7 else None)
        self.station.start()


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_the_record_holds(tmp_path: Path, seed: int) -> None:
    day = Day(tmp_path / "unit", random.Random(seed))
    happenings: list[Callable[[], None]] = [
        day.record,
        day.record,
        day.camera_fails,
        day.pictures_are_bad,
        day.disk_is_slow,
        day.disk_fills_up,
        day.clock_is_set,
        day.somebody_asks,
        day.two_people_arm,
        day.restart,
        day.crash,
        day.power_cut,
    ]
    head = ""
    for _ in range(20):
        day.chance.choice(happenings)()
        assert not head or head in map(line_hash, day.station.layout.ledger.read_bytes().splitlines())
        head = line_hash(day.station.layout.ledger.read_bytes().splitlines()[-1])
    day.station.run(3)
    if day.chance.random() < 0.5:
        day.station.close()
    else:
        day.station.stop()
    check_record(day.station.config.data)
    assert verdict_codes(day.station) <= HARMLESS
