"""What every store of the archive promises, whichever it is."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.store.local import LocalStore
from archive.store.spool import Draft, Spool
from base.durable import Disk
from tests.engines.places import LocalPlace, Place, S3Place
from tests.engines.plugin import PLAIN, VERSIONED
from tests.fakes.faultydisk import FaultyDisk


@pytest.fixture(
    params=[
        "folder",
        pytest.param(PLAIN, marks=pytest.mark.engines),
        pytest.param(VERSIONED, marks=pytest.mark.engines),
    ]
)
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "folder":
        return LocalPlace()
    return S3Place(request.getfixturevalue("gateway"), request.param)


def draft_of(spool: Spool, *parts: bytes) -> Draft:
    draft = spool.begin()
    for part in parts:
        draft.write(part)
    return draft


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_an_object_is_found_by_the_digest_of_its_bytes(place: Place, tmp_path: Path) -> None:
    store, spool = place.open(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    draft = draft_of(spool, b"one ", b"object")
    sha256 = digest(b"one object")
    assert (draft.sha256, draft.size_bytes, store.has(sha256)) == (sha256, 10, False)
    assert store.put([draft]) == []
    assert store.has(sha256)
    with store.open(sha256) as file:
        assert file.read() == b"one object"
    assert list((tmp_path / "incoming").iterdir()) == [], "no draft is left"


def test_what_is_not_there_cannot_be_opened(place: Place, tmp_path: Path) -> None:
    store = place.open(Disk(), tmp_path)
    with pytest.raises(FileNotFoundError):
        store.open("0" * 64)
    for name in ("", "../" + "0" * 61, "A" * 64, "0" * 63):
        with pytest.raises(ValueError, match="no digest"):
            store.has(name)


def test_the_same_bytes_once_more_are_no_error(place: Place, tmp_path: Path) -> None:
    store, spool = place.open(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    store.put([draft_of(spool, b"x")])
    assert store.put([draft_of(spool, b"x"), draft_of(spool, b"x"), draft_of(spool, b"y")]) == []
    assert list(store.digests()) == sorted([digest(b"x"), digest(b"y")])
    assert list((tmp_path / "incoming").iterdir()) == []


def test_several_processes_may_put_the_same_at_once(place: Place, tmp_path: Path) -> None:
    stores = [place.open(Disk(), tmp_path) for _ in range(4)]
    spools = [Spool(Disk(), tmp_path / f"incoming-{number}") for number in range(4)]
    drafts = [[draft_of(spool, bytes([number])) for number in range(20)] for spool in spools]
    with ThreadPoolExecutor(4) as threads:
        for replaced in threads.map(lambda number: stores[number].put(drafts[number]), range(4)):
            assert replaced == []
    every = sorted(digest(bytes([number])) for number in range(20))
    assert list(stores[0].digests()) == every
    for sha256 in every:
        with stores[1].open(sha256) as file:
            assert digest(file.read()) == sha256
    assert not [each for number in range(4) for each in (tmp_path / f"incoming-{number}").iterdir()]


def test_nothing_to_put_is_nothing_done(place: Place, tmp_path: Path) -> None:
    store = place.open(Disk(), tmp_path)
    assert store.put([]) == []
    assert list(store.digests()) == []


def test_many_objects_are_listed_in_order_from_any_on(place: Place, tmp_path: Path) -> None:
    store, spool = place.open(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    store.put([draft_of(spool, bytes([number])) for number in range(50)])
    every = sorted(digest(bytes([number])) for number in range(50))
    assert list(store.digests()) == every
    assert list(store.digests(every[30])) == every[31:]
    assert list(store.digests(every[-1])) == []
    assert list(store.digests("0" * 64)) == every


def test_what_is_missing_of_many_is_told_at_once(place: Place, tmp_path: Path) -> None:
    store, spool = place.open(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    store.put([draft_of(spool, bytes([number])) for number in range(0, 128, 2)])
    asked = [digest(bytes([number])) for number in range(128)]
    assert store.missing(asked) == {digest(bytes([number])) for number in range(1, 128, 2)}
    assert store.missing(asked[::2]) == store.missing([]) == set()


def test_an_object_is_read_from_any_place(place: Place, tmp_path: Path) -> None:
    store, spool = place.open(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    data = b"".join(number.to_bytes(4, "big") for number in range(1_500_000))
    store.put([draft_of(spool, data)])
    with store.open(digest(data)) as file:
        assert file.seek(0, 2) == len(data)
        assert file.read() == file.read(1) == b""
        file.seek(0)
        assert file.read(10) == data[:10]
        assert file.read(70_000) == data[10:70_010]
        file.seek(-8, 2)
        assert file.read(100) == data[-8:]
        file.seek(5_000_000)
        assert file.read(12) == data[5_000_000:5_000_012]
        assert file.read() == data[5_000_012:]
    with store.open(digest(data)) as file:
        assert b"".join(iter(lambda: file.read(1_000_000), b"")) == data


def test_what_put_returned_for_survives_a_power_cut(place: Place, ram: Path) -> None:
    disk = FaultyDisk(ram)
    store, spool = place.open(disk, ram), Spool(disk, ram / "incoming")
    drafts = [draft_of(spool, bytes([number])) for number in range(8)]
    digests = [draft.sha256 for draft in drafts]
    store.put(drafts)
    draft_of(spool, b"not put")
    disk.lose_unsynced()
    disk = disk.restarted()
    store, spool = place.open(disk, ram), Spool(disk, ram / "incoming")
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


def test_a_damaged_object_is_set_aside_for_the_right_bytes(place: Place, tmp_path: Path) -> None:
    store, spool = place.open(Disk(), tmp_path), Spool(Disk(), tmp_path / "incoming")
    sha256 = digest(b"right")
    wrong = (b"wrong", b"", b"worse")
    store.put([draft_of(spool, b"right")])
    for number, data in enumerate(wrong):
        place.damage(tmp_path, sha256, data)
        assert store.put([draft_of(spool, b"right")]) == [sha256]
        with store.open(sha256) as file:
            assert file.read() == b"right"
        assert place.aside(tmp_path) == sorted(wrong[: number + 1])
    assert list(store.digests()) == [sha256]


def test_bytes_damaged_twice_are_set_aside_twice_in_a_folder(tmp_path: Path) -> None:
    place = LocalPlace()
    store, spool = LocalStore(Disk(), tmp_path / "cas"), Spool(Disk(), tmp_path / "incoming")
    sha256 = digest(b"right")
    for number in range(2):
        store.put([draft_of(spool, b"right")])
        place.damage(tmp_path, sha256, b"wrong")
        assert store.put([draft_of(spool, b"right")]) == [sha256]
        assert (tmp_path / "cas" / "damaged" / f"{sha256}.{number}").read_bytes() == b"wrong"


class BadSector(Disk):
    """Nothing of a file that lies there can be read; memory remembers all of it."""

    def reread(self, path: Path) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(bytes(path.stat().st_size)))


def test_an_object_that_the_disk_cannot_give_any_more_is_replaced(tmp_path: Path) -> None:
    spool, sha256 = Spool(Disk(), tmp_path / "incoming"), digest(b"right")
    LocalStore(Disk(), tmp_path / "cas").put([draft_of(spool, b"right")])
    assert LocalStore(BadSector(), tmp_path / "cas").put([draft_of(spool, b"right")]) == [sha256]
    assert (tmp_path / "cas" / "damaged" / f"{sha256}.0").exists()
