"""One recorder a disk."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from appliance.store.layout import Layout
from base.errors import OperatorError


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """The disk is this process's alone while the context is open; the kernel lets go of it when the process dies.

    Raises OperatorError where another recorder holds it, or where there is no such folder.
    """
    try:
        descriptor = os.open(layout.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OperatorError(
            f"{layout.root} cannot be opened: {error.strerror}.",
            hint="Prepare it with: unbroken station init --config station.toml",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OperatorError(
                f"Another recorder works on {layout.root}.", hint="One is enough; look at: unbroken station status"
            ) from error
        yield
    finally:
        os.close(descriptor)
