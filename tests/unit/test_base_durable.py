"""Writes that last: one step at a time, each of which a test can see."""

import os
import stat
from pathlib import Path

import pytest

from base.durable import BYTES_A_FILE, Disk, publish
from tests.fakes.faultydisk import FaultyDisk


@pytest.fixture
def disk(tmp_path: Path) -> FaultyDisk:
    return FaultyDisk(tmp_path)


def _names(disk: FaultyDisk) -> list[str]:
    return [name for name, _ in disk.steps]


def test_a_new_file_is_written_at_its_end_and_is_private(disk: FaultyDisk, tmp_path: Path) -> None:
    file = disk.create(tmp_path / "a")
    file.write(b"one ")
    file.write(b"two")
    file.sync()
    file.close()
    file.close()
    assert (tmp_path / "a").read_bytes() == b"one two"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert _names(disk) == ["create", "write", "write", "sync"]


def test_a_new_file_takes_no_name_that_is_there(disk: FaultyDisk, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        disk.create(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"old"


def test_appending_needs_a_file_and_goes_on_at_its_end(disk: FaultyDisk, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        disk.append(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"one ")
    file = disk.append(tmp_path / "a")
    file.write(b"two")
    file.cut(5)
    file.write(b"!")
    file.close()
    assert (tmp_path / "a").read_bytes() == b"one t!"


def test_a_rename_never_replaces(disk: FaultyDisk, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        disk.rename(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"old"


def test_removing_twice_is_no_error(disk: FaultyDisk, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    disk.remove(tmp_path / "a")
    disk.remove(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_each_new_folder_is_durable_in_the_one_above(disk: FaultyDisk, tmp_path: Path) -> None:
    disk.make_directory(tmp_path / "a" / "b")
    assert disk.steps == [
        ("mkdir", tmp_path / "a"),
        ("sync-directory", tmp_path),
        ("mkdir", tmp_path / "a" / "b"),
        ("sync-directory", tmp_path / "a"),
    ]
    disk.make_directory(tmp_path / "a" / "b")
    assert len(disk.steps) == 4


def test_a_folder_that_a_dead_process_made_is_made_durable_once(tmp_path: Path) -> None:
    dead = FaultyDisk(tmp_path, fail_at=1)
    with pytest.raises(OSError, match="step 1"):
        dead.make_directory(tmp_path / "a")
    disk = dead.restarted()
    disk.make_directory(tmp_path / "a")
    disk.make_directory(tmp_path / "a")
    assert disk.steps == [("sync-directory", tmp_path)]
    disk.lose_unsynced()
    assert (tmp_path / "a").is_dir()


def test_a_small_file_is_the_old_or_the_new_one_whichever_step_fails(tmp_path: Path) -> None:
    for number in range(7):
        root = tmp_path / str(number)
        root.mkdir()
        Disk().put(root / "a", b"old")
        disk = FaultyDisk(root, fail_at=number)
        try:
            disk.put(root / "a", b"new")
        except OSError:
            assert (root / "a").read_bytes() in (b"old", b"new")
            disk.lose_unsynced()
            assert (root / "a").read_bytes() == b"old"
            # The disk of the process before knows nothing of what this one does.
            disk = disk.restarted()
            disk.put(root / "a", b"new")
        disk.lose_unsynced()
        assert (root / "a").read_bytes() == b"new"


def test_the_reserve_occupies_its_bytes(disk: FaultyDisk, tmp_path: Path) -> None:
    disk.set_aside_bytes(tmp_path / "reserve", 100_000)
    held = (tmp_path / "reserve").stat()
    assert held.st_size == 100_000
    assert held.st_blocks * 512 >= 100_000


def test_a_short_write_is_completed(disk: FaultyDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = disk.create(tmp_path / "a")
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data[:3])))
    file.write(b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_rereading_keeps_what_is_durable_and_shows_what_a_failed_sync_lost(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"durable")
    disk = FaultyDisk(tmp_path, fail_at=2)
    file = disk.append(tmp_path / "a")
    file.write(b" lost")
    with pytest.raises(OSError, match="step 2"):
        file.sync()
    assert (tmp_path / "a").read_bytes() == b"durable lost"
    disk.restarted().reread(tmp_path / "a")
    assert (tmp_path / "a").read_bytes().rstrip(b"\0") == b"durable"


def test_rereading_a_real_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    Disk().reread(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"x" * 100_000


def test_a_status_file_is_replaced_as_a_whole_and_readable_by_all(tmp_path: Path) -> None:
    publish(tmp_path / "status.json", b"one")
    publish(tmp_path / "status.json", b"two")
    assert (tmp_path / "status.json").read_bytes() == b"two"
    assert stat.S_IMODE((tmp_path / "status.json").stat().st_mode) == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_a_file_system_that_runs_out_of_inodes_runs_out_of_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        f_frsize, f_bavail, f_files, f_favail = 4096, 1 << 30, 1000, 3

        def __init__(self, path: Path) -> None:
            pass

    monkeypatch.setattr(os, "statvfs", Usage)
    assert Disk().free_bytes(tmp_path) == 3 * BYTES_A_FILE
    # A btrfs counts none.
    monkeypatch.setattr(Usage, "f_files", 0)
    assert Disk().free_bytes(tmp_path) == 4096 << 30
