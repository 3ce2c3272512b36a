"""A camera is started, watched and started again; each end of an encode stands behind its last picture."""

import threading

import pytest

from appliance.capture.bridge import Break, Bridge, Item
from appliance.capture.camera import HANGING, AccessUnit, Sink
from appliance.capture.keeper import HANGING_NS, LONGEST_WAIT_S, PATIENCE_NS, Keeper
from base.errors import OperatorError
from evidence.words import Mode
from tests.fakes.clock import FakeClock


class Waits(FakeClock):
    """Time passes at once, and what was waited for is remembered. ``limit`` waits later the keeper is told to stop."""

    def __init__(self, limit: int) -> None:
        super().__init__(boot_ns=10**9)
        self.waits: list[float] = []
        self.over = threading.Event()
        self._limit = limit

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        if len(self.waits) >= self._limit:
            self.over.set()
            event.wait()
        return super().wait(event, seconds)


class Moody:
    """A camera that does what ``moods`` say, one start each, and then delivers nothing."""

    def __init__(self, moods: list[str], clock: FakeClock) -> None:
        self._moods = moods
        self._clock = clock
        self._mood = "silent"
        self.starts = self.stops = 0
        self.released = threading.Event()

    @property
    def source(self) -> str:
        return "moody"

    def start(self, sink: Sink) -> None:
        self.starts += 1
        self._mood = self._moods.pop(0) if self._moods else "silent"
        match self._mood:
            case "missing":
                raise OperatorError("The camera is not there.", hint="Plug it in.")
            case "bug":
                raise RuntimeError("no such mode")
            case "given up":
                raise OperatorError("The camera driver no longer answers.")
            case "hangs":
                self.released.wait()
        if self._mood != "silent":
            sink(AccessUnit(b"picture", self._clock.boot_ns(), True, Mode.TEST))

    def stop(self) -> None:
        self.stops += 1

    def set_mode(self, mode: Mode) -> None:
        pass

    def set_bitrate(self, bitrate: int) -> bool:
        return True

    def failure(self) -> str | None:
        return {"dies": "the cable fell out", "given up": HANGING}.get(self._mood)


def _kept(moods: list[str], limit: int) -> tuple[list[Item], Waits, Moody]:
    clock = Waits(limit)
    camera = Moody(moods, clock)
    bridge = Bridge(limit_bytes=1_000, limit_ns=10**12, arrived=threading.Event())
    keeper = Keeper(camera, bridge, clock)
    keeper.start()
    assert clock.over.wait(20)
    assert keeper.stop()
    return bridge.drain(), clock, camera


def test_the_end_of_an_encode_stands_behind_its_last_picture() -> None:
    items, _, camera = _kept(["dies"], 2)
    assert isinstance(items[0], AccessUnit)
    assert items[1] == Break(reason="the cable fell out")
    assert camera.stops == 1


def test_a_camera_that_cannot_be_opened_is_tried_again_after_ever_longer_waits() -> None:
    items, clock, camera = _kept(["missing"] * 9, 8)
    assert clock.waits[:8] == [2, 4, 8, 16, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]
    assert items[0] == Break(reason="The camera is not there. Plug it in.")
    assert camera.starts == 8


def test_pictures_that_came_make_the_next_wait_short_again() -> None:
    _, clock, _ = _kept(["missing", "missing", "dies", "missing"], 5)
    waited = [seconds for seconds in clock.waits if seconds >= 1]
    assert waited == [2, 4, 1, 2]


def test_a_camera_that_falls_silent_is_taken_for_dead_after_five_seconds() -> None:
    items, clock, camera = _kept(["delivers"], 60)
    silent = [item for item in items if isinstance(item, Break)]
    assert silent[0].reason == "no picture for 5 s"
    assert camera.stops >= 1
    assert sum(clock.waits[:21]) == pytest.approx(PATIENCE_NS / 1e9 + 0.25)


def test_a_bug_in_a_camera_is_a_break_and_not_the_end_of_its_keeper() -> None:
    items, _, camera = _kept(["bug", "dies"], 4)
    assert items[0] == Break(reason="RuntimeError: no such mode")
    assert camera.starts >= 2


def test_stopping_puts_no_break_because_nothing_follows() -> None:
    items, _, camera = _kept(["delivers"], 1)
    assert [type(item) for item in items] == [AccessUnit]
    assert (camera.starts, camera.stops) == (1, 1)


def test_a_camera_that_hangs_does_not_hold_up_the_end() -> None:
    clock = Waits(100)
    camera = Moody(["hangs"], clock)
    keeper = Keeper(camera, Bridge(limit_bytes=1_000, limit_ns=10**12, arrived=threading.Event()), clock)
    keeper.start()
    assert not keeper.stop(timeout_s=0.05)
    camera.released.set()
    assert keeper.stop()


def test_a_break_is_taken_by_a_full_bridge_in_its_place() -> None:
    bridge = Bridge(limit_bytes=10, limit_ns=10**12, arrived=threading.Event())
    bridge.put(AccessUnit(b"0123456789", 1, True, Mode.TEST))
    bridge.put(AccessUnit(b"0123456789", 2, False, Mode.TEST))
    bridge.put_break("dead")
    bridge.put(AccessUnit(b"0123456789", 3, True, Mode.TEST))
    kinds = [type(item).__name__ for item in bridge.drain()]
    assert kinds == ["AccessUnit", "Dropped", "Break", "Dropped"]
    bridge.put(AccessUnit(b"0123456789", 4, True, Mode.TEST))
    assert [type(item).__name__ for item in bridge.drain()] == ["AccessUnit"]


def test_pictures_whose_time_does_not_advance_are_none() -> None:
    clock = Waits(60)
    camera = Moody(["delivers"], clock)
    bridge = Bridge(limit_bytes=1_000, limit_ns=10**12, arrived=threading.Event())
    keeper = Keeper(camera, bridge, clock)
    advance = clock.wait

    def wait(event: threading.Event, seconds: float) -> bool:
        bridge.put(AccessUnit(b"picture", 10**9, True, Mode.TEST))
        return advance(event, seconds)

    clock.wait = wait  # type: ignore[method-assign]
    keeper.start()
    assert clock.over.wait(20)
    assert keeper.stop()
    breaks = [item for item in bridge.drain() if isinstance(item, Break)]
    assert breaks[0] == Break(reason="no picture for 5 s")


def test_what_the_reader_could_not_use_starts_the_camera_anew() -> None:
    clock = Waits(20)
    camera = Moody(["delivers"], clock)
    bridge = Bridge(limit_bytes=1_000, limit_ns=10**12, arrived=threading.Event())
    keeper = Keeper(camera, bridge, clock)
    advance = clock.wait

    def wait(event: threading.Event, seconds: float) -> bool:
        bridge.refuse("none of its pictures can be used")
        return advance(event, seconds)

    clock.wait = wait  # type: ignore[method-assign]
    keeper.start()
    assert clock.over.wait(20)
    assert keeper.stop()
    assert Break(reason="none of its pictures can be used") in bridge.drain()
    assert camera.stops >= 2


def test_a_driver_that_does_not_come_back_is_told_from_one_that_does() -> None:
    clock = FakeClock(boot_ns=10**9)
    camera = Moody(["hangs"], clock)
    keeper = Keeper(camera, Bridge(limit_bytes=1_000, limit_ns=10**12, arrived=threading.Event()), clock)
    assert not keeper.hangs()
    keeper.start()
    while camera.starts == 0:
        threading.Event().wait(0.001)
    assert not keeper.hangs()
    clock.advance(HANGING_NS + 1)
    assert keeper.hangs()
    assert not keeper.stop(timeout_s=0.01)
    camera.released.set()
    assert keeper.stop()
    assert not keeper.hangs()


def test_a_driver_that_a_camera_has_given_up_hangs_however_often_it_is_tried() -> None:
    clock = Waits(30)
    camera = Moody(["given up"] * 30, clock)
    keeper = Keeper(camera, Bridge(limit_bytes=1_000, limit_ns=10**12, arrived=threading.Event()), clock)
    keeper.start()
    assert clock.over.wait(20)
    assert keeper.hangs()
    assert keeper.stop()
