"""One recorder a disk."""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.store.layout import Layout
from appliance.store.prepare import NoRecordError
from base.durable import publish
from base.errors import OperatorError

_SIGKILL_BIT = 1 << 8


class BeyondSignalsError(OperatorError):
    """The recorder that holds the disk has been killed and does not die: it hangs in the kernel."""


@contextlib.contextmanager
def locked(layout: Layout, pid_path: Path) -> Iterator[None]:
    """The disk is this process's alone while the context is open; the kernel lets go of it when the process dies.

    Its number stands in ``pid_path``, which vanishes with the boot. Raises OperatorError where another recorder holds
    the disk, BeyondSignalsError where only a reboot can end that one, NoRecordError where there is no such folder, and
    OSError where the disk does not give it.
    """
    try:
        descriptor = os.open(layout.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoRecordError(
            f"{layout.root} cannot be opened: {error.strerror}.",
            hint="Prepare it with: unbroken station init --config station.toml",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if _is_beyond_signals(pid_path):
                raise BeyondSignalsError(
                    "A recorder that was killed hangs in the kernel and holds the disk.", hint="Only a reboot helps."
                ) from error
            raise OperatorError(
                f"Another recorder works on {layout.root}.", hint="One is enough; look at: unbroken station status"
            ) from error
        # Without it a process that hangs could not be told; recording does not stop for that.
        with contextlib.suppress(OSError):
            publish(pid_path, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def _is_beyond_signals(pid_path: Path) -> bool:
    """Whether a thread of the process in ``pid_path`` sleeps uninterruptibly with SIGKILL pending (proc(5))."""
    try:
        tasks = Path("/proc", str(int(pid_path.read_text())), "task")
        texts = [(task / "status").read_text() for task in tasks.iterdir()]
    except (OSError, ValueError):
        return False
    for text in texts:
        pending = re.findall(r"^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$", text, re.MULTILINE)
        if re.search(r"^State:\s*D", text, re.MULTILINE) and any(int(mask, 16) & _SIGKILL_BIT for mask in pending):
            return True
    return False
