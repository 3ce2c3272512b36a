"""Reading past the page cache gives the bytes of the file, at any place and of any length."""

import errno
import os
import random
from pathlib import Path

import pytest

from base.direct import BLOCK_BYTES, DirectFile, open_direct


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3_000_001])
def test_the_whole_file_whatever_its_length(tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    (tmp_path / "a").write_bytes(data)
    with open_direct(tmp_path / "a") as file:
        assert file.read() == data


def test_any_part_of_it(tmp_path: Path) -> None:
    chance = random.Random(1)
    data = chance.randbytes(300_000)
    (tmp_path / "a").write_bytes(data)
    with open_direct(tmp_path / "a") as file:
        for _ in range(300):
            at, size = chance.randrange(310_000), chance.randrange(20_000)
            file.seek(at)
            assert file.read(size) == data[at : at + size]
        assert file.seek(-5, os.SEEK_END) == len(data) - 5
        assert file.read() == data[-5:]


def test_lines_can_be_read_from_it(tmp_path: Path) -> None:
    lines = [b"x" * n + b"\n" for n in range(0, 9000, 7)]
    (tmp_path / "a").write_bytes(b"".join(lines))
    with open_direct(tmp_path / "a") as file:
        assert list(iter(lambda: file.readline(65_536), b"")) == lines


def test_what_is_not_there_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_direct(tmp_path / "a")


def test_a_block_that_cannot_be_read_is_zeros_and_counted_and_the_rest_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = random.Random(2).randbytes(10 * BLOCK_BYTES + 100)
    (tmp_path / "a").write_bytes(data)
    bad = {3 * BLOCK_BYTES, 10 * BLOCK_BYTES}
    real = os.preadv

    def broken(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        if any(offset <= at < offset + len(buffers[0]) for at in bad):
            raise OSError(errno.EIO, "bad sector")
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", broken)
    raw = DirectFile(tmp_path / "a")
    expected = bytearray(data)
    expected[3 * BLOCK_BYTES : 4 * BLOCK_BYTES] = bytes(BLOCK_BYTES)
    expected[10 * BLOCK_BYTES :] = bytes(100)
    read = raw.readall()
    assert read == bytes(expected)
    assert raw.unreadable_bytes == BLOCK_BYTES + 100
    raw.close()


def test_a_file_system_without_direct_reading_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"bytes")
    real = os.open

    def without(path: Path, flags: int) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "no O_DIRECT")
        return real(path, flags)

    monkeypatch.setattr(os, "open", without)
    with open_direct(tmp_path / "a") as file:
        assert file.read() == b"bytes"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENODATA, errno.EREMOTEIO])
def test_however_a_device_says_that_it_cannot_give_a_block_the_rest_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3 * BLOCK_BYTES)
    real = os.preadv

    def broken(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        if offset <= BLOCK_BYTES < offset + len(buffers[0]):
            raise OSError(number, "bad sector")
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", broken)
    with open_direct(tmp_path / "a") as file:
        assert file.read() == b"x" * BLOCK_BYTES + bytes(BLOCK_BYTES) + b"x" * BLOCK_BYTES


def test_a_read_that_stops_within_a_bad_block_is_not_the_end_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3 * BLOCK_BYTES)
    real = os.preadv

    def short(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        """The second half of block 1 is bad."""
        end = BLOCK_BYTES + BLOCK_BYTES // 2
        return real(descriptor, [buffers[0][: end - offset] if offset < end else buffers[0]], offset)

    monkeypatch.setattr(os, "preadv", short)
    with open_direct(tmp_path / "a") as file:
        file.seek(BLOCK_BYTES + BLOCK_BYTES // 2 + 100)
        assert file.read() == bytes(BLOCK_BYTES // 2 - 100) + b"x" * BLOCK_BYTES
