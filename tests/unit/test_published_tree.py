"""The published tree: names for what is released, whatever was there before."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from archive.publish.tree import PublishedTree
from tests.fakes.archive_unit import media_of
from tests.fakes.station import Station, authority


@pytest.fixture
def tree(tmp_path: Path) -> PublishedTree:
    return PublishedTree(tmp_path / "published")


@pytest.fixture(scope="module")
def station() -> Station:
    station = Station(authority())
    station.begin()
    station.arm()
    station.segments(2)
    return station


def stored(folder: Path, data: bytes) -> tuple[str, Path]:
    sha256 = hashlib.sha256(data).hexdigest()
    (folder / sha256).write_bytes(data)
    return sha256, folder / sha256


def test_a_name_is_given_once_and_again_without_harm(tree: PublishedTree, tmp_path: Path) -> None:
    sha256, original = stored(tmp_path, b"video")
    for _ in range(2):
        tree.link(sha256, original)
    assert tree.path(sha256).samefile(original)
    assert [each.name for each in tree.path(sha256).parent.iterdir()] == [f"{sha256}.m4s"]


def test_what_a_crash_left_half_done_is_done_anew(tree: PublishedTree, tmp_path: Path) -> None:
    sha256, original = stored(tmp_path, b"video")
    tree.path(sha256).parent.mkdir()
    tree.path(sha256).with_suffix(".part").write_bytes(b"vid")
    tree.link(sha256, original)
    assert tree.path(sha256).read_bytes() == b"video"


def test_on_another_file_system_it_is_a_copy_of_the_right_bytes(
    tree: PublishedTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_file_system(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_file_system)
    sha256, original = stored(tmp_path, b"video")
    tree.link(sha256, original)
    assert not tree.path(sha256).samefile(original)
    assert tree.path(sha256).read_bytes() == b"video"
    original.write_bytes(b"other")
    tree.path(sha256).unlink()
    with pytest.raises(OSError, match="other bytes"):
        tree.link(sha256, original)
    assert not tree.path(sha256).exists()


def test_a_copy_that_a_power_cut_left_empty_is_made_anew(tree: PublishedTree, tmp_path: Path) -> None:
    sha256, original = stored(tmp_path, b"video")
    for torn in (b"", b"vid"):
        with original.open("rb") as file:
            tree.copy(sha256, file)
        tree.path(sha256).write_bytes(torn)
        with original.open("rb") as file:
            tree.copy(sha256, file)
        assert tree.path(sha256).read_bytes() == b"video"
    tree.path(sha256).unlink()
    tree.path(sha256).write_bytes(b"")
    tree.link(sha256, original)
    assert tree.path(sha256).read_bytes() == b"video"


def test_an_init_segment_that_a_power_cut_left_empty_is_made_anew(
    tree: PublishedTree, tmp_path: Path, station: Station
) -> None:
    sha256, data = next(iter(media_of(station).items()))
    (tmp_path / sha256).write_bytes(data)
    tree.link(sha256, tmp_path / sha256)
    init = station.cameras["cam-0"].init_sha256
    assert tree.put_init(init, sha256)
    tree.init_path(init).write_bytes(b"")
    assert PublishedTree(tree.folder).put_init(init, sha256)
    assert hashlib.sha256(tree.init_path(init).read_bytes()).hexdigest() == init


def test_what_is_not_there_gets_no_name(tree: PublishedTree, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tree.link("a" * 64, tmp_path / "gone")
    assert not tree.path("a" * 64).exists()


def test_an_init_segment_is_made_of_a_segment_if_it_is_the_one_that_was_signed(
    tree: PublishedTree, tmp_path: Path, station: Station
) -> None:
    sha256, data = next(iter(media_of(station).items()))
    (tmp_path / sha256).write_bytes(data)
    tree.link(sha256, tmp_path / sha256)
    init = station.cameras["cam-0"].init_sha256
    assert tree.put_init(init, sha256)
    assert hashlib.sha256(tree.init_path(init).read_bytes()).hexdigest() == init
    assert tree.put_init(init, sha256)
    assert not tree.put_init("a" * 64, sha256)
    assert not tree.init_path("a" * 64).exists()


def test_a_segment_that_says_nothing_of_itself_makes_no_init_segment(tree: PublishedTree, tmp_path: Path) -> None:
    sha256, original = stored(tmp_path, b"rubbish")
    tree.link(sha256, original)
    assert not tree.put_init("a" * 64, sha256)
