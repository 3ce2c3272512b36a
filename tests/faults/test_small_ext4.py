"""A real recorder on small ext4 file systems that fill up, fail, turn read-only, hang, or belong to somebody else."""

import contextlib
import json
import os
import random
import signal
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from appliance.store.layout import Layout
from appliance.store.prepare import DiskIdentity, prepare
from base.durable import Disk
from tests.fakes.checker import check_record
from tests.fakes.loopdisk import ext4, failing, fill, fill_to_the_last_block, mounted, run
from tests.fakes.process import (
    BOTH,
    CHAIR,
    NotifySocket,
    Recorder,
    Supervisor,
    boot_ns,
    codes,
    elsewhere,
    needs_notifications,
)
from unbroken.demo_station import ELECTION, STATION, UNIT, make_station

pytestmark = pytest.mark.faults

CALM = {"open-end", "media-unnamed"}
RESERVE_BYTES = 16 << 20


@contextlib.contextmanager
def unit(folder: Path, at: Path) -> Iterator[Recorder]:
    """A prepared unit whose record lies on the file system at ``at``."""
    made = make_station(folder / "made", ["pattern"], size=(320, 180))
    recorder = Recorder(elsewhere(made, folder / "unit", at / "record"))
    prepared = recorder.verb("init")
    assert prepared.returncode == 0, prepared.stderr
    try:
        yield recorder
    finally:
        recorder.stop()


@contextlib.contextmanager
def supervised(recorder: Recorder) -> Iterator[tuple[Supervisor, NotifySocket]]:
    """From now on a service manager starts it, listens to it and starts it again."""
    notifications = NotifySocket(recorder.station.run / "notify.sock")
    supervisor = Supervisor(Recorder(recorder.station, notify=notifications.path))
    try:
        yield supervisor, notifications
    finally:
        supervisor.close(signal.SIGKILL)
        notifications.close()


def stands_by(supervisor: Supervisor, notifications: NotifySocket, code: int) -> None:
    """It says why, to everybody, and does nothing else: one process, which waits and is not taken for dead."""
    recorder = supervisor.recorder
    supervisor.until(lambda: recorder.published().get("fault") == code, f"fault {code} is shown")
    seen_ns = boot_ns()
    supervisor.until(lambda: boot_ns() > seen_ns + 3_000_000_000, "three seconds")
    assert supervisor.starts == len(supervisor.exits) + 1 == 1
    said = notifications.texts()
    assert any(text.startswith(f"STATUS=fault {code}: ") for text in said)
    assert any("WATCHDOG_USEC=" in text and "EXTEND_TIMEOUT_USEC=" in text for text in said)
    assert not {"WATCHDOG=1", "READY=1"} & set(said)
    shown = recorder.verb("status")
    assert (shown.returncode, json.loads(shown.stdout)["fault"]) == (0, code)
    assert json.loads(shown.stdout)["recording"] is False


def records_again(supervisor: Supervisor) -> None:
    """It has ended to begin anew, once, and what it now commits is video."""
    supervisor.until(lambda: supervisor.recorder.recorded_to_ns() > 0, "a segment")
    assert supervisor.exits == [75]
    assert supervisor.close() == 0


def digests(data: Path) -> dict[str, str]:
    """Of every file of a record, guests left out."""
    files = [path for path in data.rglob("*") if path.is_file() and Layout(data).guests not in path.parents]
    return {str(path.relative_to(data)): sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_disk_that_others_fill_again_and_again_costs_only_gaps_that_say_so(tmp_path: Path) -> None:
    chance = random.Random(2030)
    with ext4(tmp_path, size_mib=384) as disk, unit(tmp_path, disk.at) as recorder:
        ballast = disk.at / "ballast"
        recorder.start()
        recorder.record(1)
        assert recorder.verb("arm", pins=BOTH).returncode == 0
        for _ in range(4):
            recorder.stay(chance.uniform(0, 2))
            fill(ballast)
            recorder.until(lambda: recorder.published()["disk_full"] is True, "the recorder sees the full disk")
            assert recorder.verb("mark", "counting", pins=CHAIR).returncode == 0
            ballast.unlink()
            recorder.until(lambda: recorder.published()["disk_full"] is False, "the recorder sees the room")
            recorder.record(1)
        assert recorder.verb("close", pins=BOTH).returncode == 0
        checked = recorder.check()
        assert len(checked.kinds("start")) == 1
        assert set(checked.gaps()) <= {"starting", "stopping", "disk-full"}
        assert codes(recorder.verdict()) <= {"media-unnamed"}


def test_without_a_byte_even_for_its_first_line_it_waits_and_begins_by_itself_when_there_is_room(
    tmp_path: Path,
) -> None:
    needs_notifications()
    # Blocks smaller than the first lines: they do not fit into what is left of the ledger's last one.
    with ext4(tmp_path, size_mib=256, block=1024) as disk, unit(tmp_path, disk.at) as recorder:
        recorder.start()
        recorder.record(1)
        assert recorder.verb("arm", pins=BOTH).returncode == 0
        assert recorder.end(signal.SIGKILL) == -signal.SIGKILL
        Layout(recorder.station.data).reserve.unlink()
        fill_to_the_last_block(disk.at / "ballast")
        with supervised(recorder) as (supervisor, notifications):
            stands_by(supervisor, notifications, 1003)
            (disk.at / "ballast").unlink()
            records_again(supervisor)
        assert recorder.check().gaps() == ["starting", "crash", "starting"]
        assert codes(recorder.verdict()) <= CALM


def test_after_a_failed_sync_nothing_counts_that_is_not_read_from_the_disk_itself(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        medium = stack.enter_context(failing(tmp_path, size_mib=384, options="errors=continue"))
        recorder = stack.enter_context(unit(tmp_path, medium.disk.at))
        recorder.start()
        # On return a commit has just been made; the next thing that the disk is asked for is a sync of media.
        recorder.record(2)
        medium.fail()
        assert recorder.wait() == 75
        assert json.loads((recorder.station.run / "dying.json").read_bytes()) == {"cause": "disk-error"}
        # In this boot the kernel still shows what the disk has refused.
        medium.cure()
        recorder.start()
        recorder.record(1)
        assert recorder.end(signal.SIGTERM) == 0
        medium.disk.unmount()
        medium.disk.mount()
        checked = recorder.check()
        second = checked.kinds("start")[1]
        assert isinstance(second["evidence"], dict)
        assert (second["ended"], second["evidence"]["left_word"]) == ("crash", "disk-error")
        assert "disk-error" in checked.gaps()
        assert "crash" not in checked.gaps()
        assert codes(recorder.verdict()) <= CALM


def test_a_card_that_turned_read_only_is_a_code_and_not_a_restart_loop(tmp_path: Path) -> None:
    needs_notifications()
    with contextlib.ExitStack() as stack:
        medium = stack.enter_context(failing(tmp_path, size_mib=384, options="errors=remount-ro"))
        recorder = stack.enter_context(unit(tmp_path, medium.disk.at))
        recorder.start()
        recorder.record(1)
        medium.fail()
        assert recorder.wait() == 75
        with contextlib.suppress(OSError):
            run("sync", "--file-system", medium.disk.at)
        # As after a reboot, which has not helped: else it would ask for one.
        (recorder.station.run / "head.json").unlink()
        with supervised(recorder) as (supervisor, notifications):
            stands_by(supervisor, notifications, 1001)
            # It holds nothing open, so that the file system can be repaired under it.
            medium.disk.unmount()
            medium.cure()
            medium.disk.mount("ro")
            seen_ns = boot_ns()
            supervisor.until(lambda: boot_ns() > seen_ns + 2_000_000_000, "two seconds")
            assert supervisor.starts == 1
            medium.disk.remount("rw")
            records_again(supervisor)
        assert recorder.check().gaps().count("disk-error") == 1
        assert codes(recorder.verdict()) <= CALM


def test_a_disk_that_is_not_there_is_a_code_and_nothing_is_begun_in_its_place(tmp_path: Path) -> None:
    needs_notifications()
    with ext4(tmp_path, size_mib=384) as disk, unit(tmp_path, disk.at) as recorder:
        disk.unmount()
        with supervised(recorder) as (supervisor, notifications):
            stands_by(supervisor, notifications, 1007)
        assert list(disk.at.iterdir()) == []


def test_a_disk_of_another_unit_keeps_every_byte_and_takes_a_guest(tmp_path: Path) -> None:
    with ext4(tmp_path, size_mib=384) as disk, unit(tmp_path, disk.at) as owner:
        owner.start()
        owner.record(1)
        assert owner.end(signal.SIGTERM) == 0
        before, data = digests(owner.station.data), owner.station.data
        stranger = make_station(tmp_path / "stranger", ["pattern"], size=(320, 180))
        guest = Recorder(elsewhere(stranger, tmp_path / "guest", data, unit="u-0002"))
        assert_guest(guest, data)
        assert digests(data) == before
        # A verifier that is given the disk finds both records, and blames the owner's for nothing.
        verdict = owner.verdict()
        records = verdict["records"]
        assert isinstance(records, list)
        own = [record for record in records if record["unit"] == UNIT]
        assert codes({"records": own}) <= CALM
        assert len(own) == 1


def test_the_second_of_two_copies_of_a_card_keeps_every_byte_and_takes_a_guest(tmp_path: Path) -> None:
    with ext4(tmp_path, size_mib=384) as card:
        made = make_station(tmp_path / "made", ["pattern"], size=(320, 180))
        identity = DiskIdentity(election=ELECTION, station=STATION, unit=UNIT, board="1000", card="cid-1")
        (card.at / "record").mkdir()
        prepare(Disk(), Layout(card.at / "record"), identity, RESERVE_BYTES)
        first = Recorder(
            elsewhere(made, tmp_path / "first", card.at / "record"), program=board(tmp_path / "b1", card.at, "cid-1")
        )
        try:
            first.start()
            first.record(1)
            assert first.end(signal.SIGTERM) == 0
        finally:
            first.stop()
        card.unmount()
        run("cp", "--sparse=always", card.image, tmp_path / "copy.img")
        card.mount()
        with mounted(tmp_path / "copy.img", tmp_path / "copy") as copy:
            data = copy.at / "record"
            before = digests(data)
            second = elsewhere(made, tmp_path / "second", data)
            assert_guest(Recorder(second, program=board(tmp_path / "b2", copy.at, "cid-2")), data)
            assert digests(data) == before == digests(first.station.data)
        assert not Layout(first.station.data).guests.exists()


def board(folder: Path, at: Path, cid: str) -> tuple[str, ...]:
    """A recorder on a board that says that ``at`` lies on the card ``cid``."""
    number = os.stat(at).st_dev
    device = folder / f"sys/dev/block/{os.major(number)}:{os.minor(number)}/device"
    device.mkdir(parents=True)
    (device / "cid").write_text(f"{cid}\n")
    serial = folder / "proc/device-tree/serial-number"
    serial.parent.mkdir(parents=True)
    serial.write_text("1000\0")
    return ("-m", "tests.fakes.altered", "--board", str(folder))


def assert_guest(recorder: Recorder, data: Path) -> None:
    """Red, and recording into a record of its own, in one folder however often it is started."""
    try:
        for _ in range(2):
            recorder.start()
            recorder.record(1)
            status = recorder.published()
            assert (status["fault"], status["recording"]) == (1005, True)
            assert recorder.end(signal.SIGTERM) == 0
    finally:
        recorder.stop()
    (folder,) = Layout(data).guests.iterdir()
    checked = check_record(folder)
    assert [line["event"] for line in checked.kinds("event")].count("foreign-disk") == 2
    assert checked.kinds("segment")
    # Nobody has enrolled its key; apart from that its record is whole.
    assert codes(recorder.verdict(folder)) == {"cert-untrusted"}


def test_a_disk_that_no_longer_answers_holds_even_a_killed_process_and_is_a_reboot(tmp_path: Path) -> None:
    with ext4(tmp_path, size_mib=384) as disk, unit(tmp_path, disk.at) as recorder:
        recorder.start()
        recorder.record(1)
        assert recorder.process is not None
        tasks = Path("/proc", str(recorder.process.pid), "task")
        second = Recorder(recorder.station, notify=recorder.station.run / "nobody.sock")
        with disk.frozen():
            recorder.until(lambda: any(hangs(task) for task in tasks.iterdir()), "a write hangs")
            recorder.process.kill()
            second.launch()
            assert second.wait() == 77
            assert (second.published()["fault"], second.published()["recording"]) == (1006, False)
            alone = recorder.verb("record")
            assert alone.returncode == 2
            assert "hangs in the kernel and holds the disk" in alone.stderr
            assert tasks.exists()
        assert recorder.wait() == -signal.SIGKILL
        recorder.start()
        recorder.record(1)
        assert recorder.end(signal.SIGTERM) == 0
        assert set(recorder.check().gaps()) <= {"starting", "crash", "stopped"}
        assert codes(recorder.verdict()) <= CALM


def hangs(task: Path) -> bool:
    """Whether a thread sleeps uninterruptibly."""
    with contextlib.suppress(OSError):
        return "\nState:\tD" in (task / "status").read_text()
    return False
