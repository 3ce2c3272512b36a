"""Opening and naming files that somebody else put there."""

import io
import os
import stat
from pathlib import Path


def open_regular(path: Path) -> io.FileIO:
    """A regular file for reading. Anything else that lies there is as good as nothing: a pipe would wait for ever.

    Raises OSError, FileNotFoundError where no regular file is there.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(path)
    return io.FileIO(descriptor)


def printable(text: str) -> str:
    """``text`` on one line; what a terminal might obey, and bytes that are no text, are spelt out."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
