"""Random days: whatever happens at the station and on the way, page and auditor say the same."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archive.account.accounts import Accounts
from archive.account.incidents import Incidents, Kind
from archive.account.news import News
from evidence.words import Cause, ClockChange, Mode
from tests.fakes.account_day import NAME, Day

SEEDS = range(3)
STEPS = 24


class RandomDay:
    """One step after the other; each leaves the unit as a real one could be."""

    def __init__(self, day: Day, seed: int) -> None:
        self.day, self.dice = day, random.Random(seed)
        self.forks = 0

    def step(self) -> None:
        acts: list[Callable[[], None]] = [
            self.record,
            self.record,
            self.lines,
            self.lines,
            self.some_media,
            self.all_media,
            self.gap,
            self.event,
            self.reboot,
            self.lost_tail,
            self.clock,
            self.arm,
        ]
        self.dice.choice(acts)()

    def record(self) -> None:
        self.day.record(self.dice.randrange(1, 6))

    def lines(self) -> None:
        self.day.lines()

    def some_media(self) -> None:
        self.day.lines()
        self.day.media(only=lambda _: self.dice.random() < 0.4)

    def all_media(self) -> None:
        self.day.lines()
        self.day.media()

    def gap(self) -> None:
        pieces, cause = self.dice.randrange(1, 4), self.dice.choice([Cause.CAMERA, Cause.OVERLOAD, Cause.PAUSED])
        for camera in self.day.station.camera_ids:
            for _ in range(pieces):
                self.day.station.gap(camera, seconds=10, cause=cause)

    def event(self) -> None:
        self.day.station.event(self.dice.choice(["opened", "pin-refused", "counting"]))

    def reboot(self) -> None:
        self.day.restart(self.day.station.reboot(off_seconds=self.dice.randrange(5, 600)))

    def lost_tail(self) -> None:
        """The archive has lines that the power took from the unit."""
        if self.forks == 2:
            return
        self.forks += 1
        station = self.day.station
        self.day.lines()
        common = len(station.lines)
        stood = {name: replace(state) for name, state in station.cameras.items()}
        self.day.record(self.dice.randrange(1, 3))
        self.day.lines()
        if self.dice.random() < 0.5:
            self.day.media()
        del station.lines[common:]
        station.cameras = stood
        self.day.restart(station.reboot())
        self.day.lines(branch=common)

    def clock(self) -> None:
        """The kernel's clock is lost, or found again."""
        station = self.day.station
        lost = station.error_us is not None
        station.error_us = None if lost else 5_000
        station.clock(ClockChange.LOST if lost else ClockChange.GAINED, 0)

    def arm(self) -> None:
        if self.day.station.mode is Mode.UNARMED:
            self.day.station.arm(self.dice.choice([Mode.LIVE, Mode.TEST]))


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_random_day_all_who_account_for_it_agree(seed: int, tmp_path: Path) -> None:
    day = Day(tmp_path / "archive")
    try:
        chance = RandomDay(day, seed)
        day.station.begin()
        listed = Incidents(day.reader)
        news = News(day.reader, listed)
        for _ in range(STEPS):
            chance.step()
            day.lines()
            news.refresh()
            day.agree()
        record = day.agree()
        late = Incidents(day.reader)
        News(day.reader, late).refresh()
        entries, _ = listed.page(None, 0, 999)
        assert late.page(None, 0, 999)[0] == entries
        # A branch's gaps are listed each for itself; an account takes branches together.
        for camera in record.cameras if not chance.forks else ():
            gaps = [each for each in entries if (each.kind, each.camera) == (Kind.GAP, camera.camera)]
            assert sorted((gap.start.boot_ns, gap.what) for gap in gaps if gap.start) == sorted(
                (gap.start.boot_ns, gap.cause) for gap in camera.gaps
            )
        assert Accounts(day.reader, None, trust=day.archive.trust).of(NAME) == record
    finally:
        day.close()
