"""The order in which a round becomes durable, and what happens when the disk is full."""

import errno
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.ledger.writer import ChainWriter
from appliance.store.layout import Layout
from appliance.store.storage import Storage
from evidence.lines import Event, Stamp, Start, line_hash
from tests.fakes.faultydisk import FaultyDisk
from tests.fakes.station import signer

RESERVE = 1 << 16
SESSION = signer("session")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "disk")
    layout.media.mkdir(parents=True)
    layout.ledger.touch()
    layout.reserve.write_bytes(bytes(RESERVE))
    return layout


@pytest.fixture
def disk(layout: Layout) -> FaultyDisk:
    return FaultyDisk(layout.root)


def _storage(disk: FaultyDisk, layout: Layout, ticks: Iterator[int] | None = None) -> Storage:
    start = Start(
        election="az-2026",
        station="57-002",
        unit="u1",
        boot_id="0" * 32,
        session=SESSION.public_point,
        certs=(b"certificate",),
        cameras=("cam1",),
        software="test",
        ended="none",
        evidence={},
    )
    chain = ChainWriter(next_seq=0, prev="", size_bytes=0, stamp=lambda: Stamp(boot_ns=1, utc_us=None, error_us=None))
    chain.begin(start, signer("device"), SESSION)
    ticks = ticks or itertools.repeat(0)
    return Storage(
        disk=disk,
        layout=layout,
        session="s" * 43,
        chain=chain,
        head_path=layout.root.parent / "head.json",
        reserve_bytes=RESERVE,
        monotonic_ns=lambda: next(ticks),
    )


def _steps(disk: FaultyDisk, since: int = 0) -> list[tuple[str, str]]:
    return [(name, str(path.relative_to(disk.root))) for name, path in disk.steps[since:]]


def test_media_are_durable_under_their_names_before_the_line_is_written_and_the_head_told_last(
    disk: FaultyDisk, layout: Layout
) -> None:
    storage = _storage(disk, layout)
    storage.media.begin_run("cam1", 0, b"init")
    storage.media.append("cam1", 0, 0, b"one ")
    storage.media.append("cam1", 0, 0, b"two")
    storage.media.finish("cam1")
    storage.media.append("cam1", 0, 1, b"open")
    storage.enqueue(Event(event="opened"))
    since = len(disk.steps)
    lines = storage.commit()
    run = f"media/{'s' * 43}/cam1/0"
    assert _steps(disk, since) == [
        ("sync", f"{run}/init.mp4.part"),
        ("rename", f"{run}/init.mp4"),
        ("sync", f"{run}/000000.m4s.part"),
        ("rename", f"{run}/000000.m4s"),
        ("sync", f"{run}/000001.m4s.part"),
        ("sync-directory", run),
        ("write", "ledger.jws"),
        ("sync", "ledger.jws"),
    ]
    assert len(lines) == 2
    text = layout.ledger.read_bytes()
    head = json.loads((layout.root.parent / "head.json").read_text())
    assert head == {"seq": 1, "sha256": line_hash(text.splitlines()[-1]), "size_bytes": len(text)}
    assert (layout.root / run / "000000.m4s").read_bytes() == b"one two"


def test_a_round_of_media_alone_writes_no_ledger_and_syncs_a_folder_only_for_new_names(
    disk: FaultyDisk, layout: Layout
) -> None:
    storage = _storage(disk, layout)
    storage.media.begin_run("cam1", 0, b"init")
    storage.commit()
    storage.media.append("cam1", 0, 0, b"one")
    storage.commit()
    storage.media.append("cam1", 0, 0, b"two")
    since = len(disk.steps)
    dirty = storage.dirty
    assert list(storage.commit()) == []
    assert [name for name, _ in _steps(disk, since)] == ["sync"]
    assert (dirty, storage.dirty) == (True, False)
    since = len(disk.steps)
    storage.commit()
    assert not _steps(disk, since)


def test_a_round_covers_both_cameras(disk: FaultyDisk, layout: Layout) -> None:
    storage = _storage(disk, layout)
    for camera in ("cam1", "cam2"):
        storage.media.begin_run(camera, 0, b"init")
        storage.media.append(camera, 0, 0, b"media")
        storage.media.finish(camera)
    since = len(disk.steps)
    storage.commit()
    names = [name for name, _ in _steps(disk, since)]
    assert (names.count("rename"), names.count("sync-directory"), names.count("write")) == (4, 2, 1)


def test_the_head_is_not_told_where_the_ledger_was_not_synced(disk: FaultyDisk, layout: Layout) -> None:
    failing = disk.restarted(fail_at=2)
    storage = _storage(failing, layout)
    storage.enqueue(Event(event="opened"))
    with pytest.raises(OSError, match="step 2"):
        storage.commit()
    assert failing.steps[-1] == ("sync", layout.ledger)
    assert not (layout.root.parent / "head.json").exists()


def test_recording_does_not_stop_because_the_head_cannot_be_told(disk: FaultyDisk, layout: Layout) -> None:
    storage = _storage(disk, layout)
    storage._head_path = layout.root / "no such folder" / "head.json"
    storage.enqueue(Event(event="opened"))
    assert len(storage.commit()) == 2


def test_how_long_a_round_took_is_known(disk: FaultyDisk, layout: Layout) -> None:
    storage = _storage(disk, layout, iter([100, 350]))
    storage.enqueue(Event(event="opened"))
    storage.commit()
    assert storage.sync_ns == 250


def test_a_full_disk_still_writes_its_lines_out_of_the_reserve(disk: FaultyDisk, layout: Layout) -> None:
    storage = _storage(disk, layout)
    storage.commit()
    before = layout.ledger.read_bytes()
    disk.full = True
    storage.enqueue(Event(event="opened"))
    storage.commit()
    text = layout.ledger.read_bytes()
    assert text.startswith(before)
    assert text.count(b"\n") == 2
    assert not layout.reserve.exists()


def test_what_a_full_disk_took_of_the_lines_is_cut_off_before_they_are_written_again(
    disk: FaultyDisk, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = _storage(disk, layout)
    storage.commit()
    real = storage._ledger.write
    tries: list[bytes] = []

    def write(data: bytes) -> None:
        tries.append(data)
        if len(tries) == 1:
            real(data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(data)

    monkeypatch.setattr(storage._ledger, "write", write, raising=False)
    storage.enqueue(Event(event="opened"))
    storage.commit()
    assert layout.ledger.read_bytes().endswith(tries[1])
    assert layout.ledger.read_bytes().count(b"\n") == 2


def test_media_under_way_when_the_disk_fills_up_are_finished_out_of_the_reserve(
    disk: FaultyDisk, layout: Layout
) -> None:
    storage = _storage(disk, layout)
    disk.full = True
    storage.media.begin_run("cam1", 0, b"init")
    assert not layout.reserve.exists()
    storage.media.append("cam1", 0, 0, b"one ")
    layout.reserve.write_bytes(bytes(RESERVE))
    disk.full = True
    storage.media.append("cam1", 0, 0, b"two")
    storage.media.finish("cam1")
    storage.commit()
    assert layout.segment("s" * 43, "cam1", 0, 0).read_bytes() == b"one two"
    assert not layout.reserve.exists()


def test_a_disk_error_is_not_taken_for_a_full_disk(disk: FaultyDisk, layout: Layout) -> None:
    failing = disk.restarted(fail_at=1)
    storage = _storage(failing, layout)
    storage.enqueue(Event(event="opened"))
    with pytest.raises(OSError, match="step 1"):
        storage.commit()
    assert layout.reserve.exists()


def test_room_for_media_leaves_out_what_the_reserve_lacks(disk: FaultyDisk, layout: Layout) -> None:
    storage = _storage(disk, layout)
    disk.room_bytes = 1_000_000
    assert storage.reserve.room_bytes() == 1_000_000
    layout.reserve.unlink()
    assert storage.reserve.room_bytes() == 1_000_000 - RESERVE
    layout.reserve.write_bytes(bytes(1_000))
    assert storage.reserve.room_bytes() == 1_000_000 - RESERVE + 1_000


def test_the_reserve_is_set_aside_again_once_there_is_room(disk: FaultyDisk, layout: Layout) -> None:
    storage = _storage(disk, layout)
    layout.reserve.unlink()
    disk.room_bytes = RESERVE
    storage.reserve.refill()
    assert not layout.reserve.exists()
    disk.room_bytes = RESERVE + 1
    storage.reserve.refill()
    assert layout.reserve.stat().st_size == RESERVE
    since = len(disk.steps)
    storage.reserve.refill()
    assert not disk.steps[since:]


def test_media_are_written_once(disk: FaultyDisk, layout: Layout) -> None:
    storage = _storage(disk, layout)
    storage.media.begin_run("cam1", 0, b"init")
    storage.commit()
    storage.media.begin_run("cam1", 0, b"other")
    with pytest.raises(FileExistsError):
        storage.commit()
    assert layout.init("s" * 43, "cam1", 0).read_bytes() == b"init"
