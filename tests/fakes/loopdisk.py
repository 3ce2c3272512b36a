"""Small real file systems in loop devices, with the faults that a card has: no room, no writes, no answer, no power.

Whatever a context manager here mounts or attaches is unmounted and detached at its end, by exact device.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

MIB = 1 << 20
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
_WAIT_S = 10


def run(program: str, *words: str | Path) -> str:
    """Run a system program, as root; its output. Skips the test where program or right is missing."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    found = shutil.which(program, path=_PATH)
    if found is None:
        pytest.skip(f"{program} is missing: tools/setup faults")
    done = subprocess.run([found, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{program} {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


@dataclass(slots=True)
class Mounted:
    """A file system of an image: the loop device that holds it, and where it is mounted."""

    image: Path
    device: str
    at: Path

    def mount(self, options: str = "defaults") -> None:
        run("mount", "-o", options, self.device, self.at)

    def remount(self, options: str) -> None:
        run("mount", "-o", f"remount,{options}", self.at)

    def unmount(self) -> None:
        """Afterwards nothing of it is in memory."""
        run("umount", self.at)

    def options(self) -> set[str]:
        """Those in force; empty where it is not mounted."""
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        return {each for mount in mounts if mount[1] == str(self.at) for each in mount[3].split(",")}

    def free_bytes(self) -> int:
        usage = os.statvfs(self.at)
        return usage.f_bfree * usage.f_frsize

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Every write hangs in the kernel, as on a card that no longer answers."""
        run("fsfreeze", "--freeze", self.at)
        try:
            yield
        finally:
            run("fsfreeze", "--unfreeze", self.at)


@contextlib.contextmanager
def mounted(image: Path, at: Path, options: str = "defaults") -> Iterator[Mounted]:
    """The file system of ``image``, mounted on ``at``."""
    at.mkdir(exist_ok=True)
    disk = Mounted(image, _attach(image), at)
    try:
        disk.mount(options)
        yield disk
    finally:
        try:
            if disk.options():
                _unmount(at)
        finally:
            run("losetup", "--detach", disk.device)


@contextlib.contextmanager
def ext4(folder: Path, *, size_mib: int, options: str = "defaults", block: int = 4096) -> Iterator[Mounted]:
    """A new ext4 on ``folder/disk``, its image beside it. Nothing is kept back for root."""
    image = folder / "disk.img"
    _make_ext4(image, size_mib, block)
    with mounted(image, folder / "disk", options) as disk:
        yield disk


@contextlib.contextmanager
def btrfs(folder: Path, *, size_mib: int) -> Iterator[Path]:
    """A new btrfs on ``folder/medium``, for images that ``copy`` can copy in an instant, or that can fail."""
    image, at = folder / "medium.img", folder / "medium"
    with image.open("xb") as file:
        file.truncate(size_mib * MIB)
    run("mkfs.btrfs", "-q", "--nodesize", "4096", image)
    with mounted(image, at):
        yield at


@dataclass(slots=True)
class Failing:
    """An ext4 whose medium can be made to refuse writes with EIO, and to take them again."""

    disk: Mounted
    medium: Path
    group: str
    """Of the image's subvolume: its quota is the fault, because no kernel lacks it."""

    def fail(self) -> None:
        """From now on the medium refuses every write. Where a commit of the journal is among the first, the file system
        turns read-only.
        """
        run("btrfs", "qgroup", "limit", "1", self.group, self.medium)

    def cure(self) -> None:
        """The medium takes everything again; what it has refused is lost."""
        run("btrfs", "qgroup", "limit", "none", self.group, self.medium)


@contextlib.contextmanager
def failing(folder: Path, *, size_mib: int, options: str) -> Iterator[Failing]:
    """A new ext4 on ``folder/disk``."""
    with btrfs(folder, size_mib=4 * size_mib) as medium:
        run("btrfs", "quota", "enable", medium)
        part = medium / "part"
        run("btrfs", "subvolume", "create", part)
        group = "0/" + run("btrfs", "inspect-internal", "rootid", part).strip()
        _make_ext4(part / "disk.img", size_mib, 4096)
        with mounted(part / "disk.img", folder / "disk", options) as disk:
            yield Failing(disk, medium, group)


def copy(image: Path, new: Path) -> None:
    """What the device of ``image`` has taken so far, as of one instant: the disk after a power cut.

    What the file system above still holds in memory is not there. A card that loses what it has confirmed is worse.
    """
    run("cp", "--reflink=always", image, new)


def fill(path: Path) -> None:
    """Take all space there is, at once, as another program would."""
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        usage = os.statvfs(path)
        os.posix_fallocate(file.fileno(), 0, usage.f_bavail * usage.f_frsize)


def fill_to_the_last_block(path: Path) -> None:
    """Take every block, also those that somebody gives up meanwhile."""
    fill(path)
    with path.open("ab", buffering=0) as file:
        block = bytes(1 << 16)
        while block:
            try:
                file.write(block)
            except OSError:
                block = block[: len(block) // 2]


def _make_ext4(image: Path, size_mib: int, block: int) -> None:
    with image.open("ab") as file:
        file.truncate(size_mib * MIB)
    run("mkfs.ext4", "-q", "-m", "0", "-b", str(block), "-E", "lazy_itable_init=0", image)


def _attach(image: Path) -> str:
    """Two processes may find the same free device; one of them looks again."""
    for _ in range(5):
        with contextlib.suppress(OSError):
            return run("losetup", "--find", "--show", image).strip()
        time.sleep(0.1)
    pytest.skip("there is no loop device to attach")


def _unmount(at: Path) -> None:
    """A process that was killed may need a moment to let go; one that does not must not keep the machine's devices."""
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        try:
            run("umount", at)
            return
        except OSError:
            time.sleep(0.1)
    run("umount", "--lazy", at)
    raise OSError(f"{at} was still in use")
