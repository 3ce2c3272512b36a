"""What every store of the archive promises, whichever it is."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.store.local import LocalStore
from archive.store.spool import Draft, Spool
from archive.store.store import Store
from base.durable import Disk
from tests.fakes.faultydisk import FaultyDisk

Opening = Callable[[Disk, Path], Store]


def local(disk: Disk, folder: Path) -> Store:
    return LocalStore(disk, folder / "cas")


@pytest.fixture(params=[local])
def opening(request: pytest.FixtureRequest) -> Opening:
    opening: Opening = request.param
    return opening


def draft_of(spool: Spool, *parts: bytes) -> Draft:
    draft = spool.begin()
    for part in parts:
        draft.write(part)
    return draft


def test_an_object_is_found_by_the_digest_of_its_bytes(opening: Opening, tmp_path: Path) -> None:
    store, spool = opening(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    draft = draft_of(spool, b"one ", b"object")
    sha256 = hashlib.sha256(b"one object").hexdigest()
    assert (draft.sha256, draft.size_bytes, store.has(sha256)) == (sha256, 10, False)
    assert store.put([draft]) == []
    assert store.has(sha256)
    with store.open(sha256) as file:
        assert file.read() == b"one object"
    assert list((tmp_path / "incoming").iterdir()) == [], "no draft is left"


def test_what_is_not_there_cannot_be_opened(opening: Opening, tmp_path: Path) -> None:
    store = opening(Disk(), tmp_path)
    with pytest.raises(FileNotFoundError):
        store.open("0" * 64)
    for name in ("", "../" + "0" * 61, "A" * 64, "0" * 63):
        with pytest.raises(ValueError, match="no digest"):
            store.has(name)


def test_the_same_bytes_once_more_are_no_error(opening: Opening, tmp_path: Path) -> None:
    store, spool = opening(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    store.put([draft_of(spool, b"x")])
    assert store.put([draft_of(spool, b"x"), draft_of(spool, b"x"), draft_of(spool, b"y")]) == []
    assert list(store.digests()) == sorted(hashlib.sha256(each).hexdigest() for each in (b"x", b"y"))
    assert list((tmp_path / "incoming").iterdir()) == []


def test_many_objects_are_listed_in_order(opening: Opening, tmp_path: Path) -> None:
    store, spool = opening(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    store.put([draft_of(spool, bytes([number])) for number in range(50)])
    assert list(store.digests()) == sorted(hashlib.sha256(bytes([number])).hexdigest() for number in range(50))


def test_what_put_returned_for_survives_a_power_cut(opening: Opening, ram: Path) -> None:
    disk = FaultyDisk(ram)
    store, spool = opening(disk, ram), Spool(disk, ram / "incoming")
    drafts = [draft_of(spool, bytes([number])) for number in range(8)]
    digests = [draft.sha256 for draft in drafts]
    store.put(drafts)
    draft_of(spool, b"not put")
    disk.lose_unsynced()
    disk = disk.restarted()
    store, spool = opening(disk, ram), Spool(disk, ram / "incoming")
    assert list(store.digests()) == sorted(digests)
    for number, sha256 in enumerate(digests):
        with store.open(sha256) as file:
            assert file.read() == bytes([number])


def test_a_discarded_draft_leaves_nothing_and_a_new_spool_is_empty(tmp_path: Path) -> None:
    spool = Spool(Disk(), tmp_path / "incoming")
    draft = draft_of(spool, b"x")
    draft.discard()
    draft.discard()
    draft_of(spool, b"left behind")
    Spool(Disk(), tmp_path / "incoming")
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_damaged_object_is_set_aside_for_the_right_bytes(tmp_path: Path) -> None:
    store, spool = local(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    sha256 = hashlib.sha256(b"right").hexdigest()
    path = tmp_path / "cas" / sha256[:2] / sha256
    for number, wrong in enumerate((b"wrong", b"", b"worse")):
        store.put([draft_of(spool, b"right")])
        path.write_bytes(wrong)
        assert store.put([draft_of(spool, b"right")]) == [sha256]
        assert path.read_bytes() == b"right"
        assert (tmp_path / "cas" / "damaged" / f"{sha256}.{number}").read_bytes() == wrong
    assert list(store.digests()) == [sha256]
