"""What a real recorder tells the service manager: only what is true, and nothing by a timer."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.loopdisk import Mounted, ext4
from tests.fakes.process import NotifySocket, Recorder, boot_ns, codes, elsewhere, needs_notifications
from unbroken.demo_station import make_station

pytestmark = pytest.mark.faults

SECOND = 1_000_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Mounted]:
    needs_notifications()
    with ext4(tmp_path, size_mib=384) as disk:
        yield disk


@pytest.fixture
def notifications(tmp_path: Path) -> Iterator[NotifySocket]:
    notifications = NotifySocket(tmp_path / "notify.sock")
    yield notifications
    notifications.close()


@pytest.fixture
def recorder(tmp_path: Path, disk: Mounted, notifications: NotifySocket) -> Iterator[Recorder]:
    made = make_station(tmp_path / "made", ["pattern", "pattern"], size=(320, 180))
    recorder = Recorder(elsewhere(made, tmp_path / "unit", disk.at / "record"), notify=notifications.path)
    prepared = recorder.verb("init")
    assert prepared.returncode == 0, prepared.stderr
    yield recorder
    recorder.stop()


def test_it_is_ready_once_video_is_committed_and_stops_in_good_order(
    recorder: Recorder, notifications: NotifySocket
) -> None:
    began_ns = boot_ns()
    recorder.start()
    recorder.until(lambda: "WATCHDOG=1" in notifications.texts(), "the watchdog is fed")
    recorder.record(2)
    assert recorder.end(signal.SIGTERM) == 0
    said = notifications.texts(began_ns)
    assert said.count("READY=1") == 1
    # Fed for the first time by the very commit that made it ready.
    assert said[said.index("READY=1") + 1] == "WATCHDOG=1"
    assert "WATCHDOG=1" not in said[: said.index("READY=1")]
    assert any(text.startswith("STATUS=UNARMED, 2 of 2 cameras deliver, ") for text in said)
    assert "STOPPING=1" in said
    assert "WATCHDOG=trigger" not in said
    # Each line is fed for at most once.
    assert said.count("WATCHDOG=1") <= len(recorder.check().lines)
    assert codes(recorder.verdict()) == {"open-end"}


def test_while_the_disk_does_not_answer_the_watchdog_goes_hungry(
    recorder: Recorder, notifications: NotifySocket, disk: Mounted
) -> None:
    recorder.start()
    recorder.until(lambda: "WATCHDOG=1" in notifications.texts(), "the watchdog is fed")
    recorder.record(1)
    with disk.frozen():
        # What had been committed before may still be on its way here.
        frozen_ns = boot_ns() + SECOND // 2
        recorder.stay(8.5)
        thawing_ns = boot_ns()
    assert notifications.texts(frozen_ns, thawing_ns) == []
    recorder.until(lambda: "WATCHDOG=1" in notifications.texts(thawing_ns), "the watchdog is fed again")
    recorder.record(1)
    assert recorder.end(signal.SIGTERM) == 0
    # The cameras went on meanwhile, and nothing of it is lost.
    checked = recorder.check()
    assert set(checked.gaps()) == {"starting"}
    assert len(checked.kinds("start")) == 1
