"""One process at a time works on a data folder."""

import fcntl
import os
from pathlib import Path

from base.errors import OperatorError


class DataLock:
    """Held on the folder itself from the moment it is made until ``close`` or the end of the process (flock(2))."""

    def __init__(self, folder: Path) -> None:
        """Raises OperatorError where another process holds it."""
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise OperatorError(
                f"Another process works on {folder}.", hint="Stop the archive that runs there first."
            ) from error

    def close(self) -> None:
        """Let others in."""
        os.close(self._descriptor)
