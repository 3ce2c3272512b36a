"""Space set aside, so that a full disk can still take what was begun and the lines that say why it stops there."""

import errno
from collections.abc import Callable
from typing import TypeVar

from appliance.store.layout import Layout
from base.durable import Disk, DurableFile

T = TypeVar("T")

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Reserve:
    """The reserve of one disk. It is given up as a whole when a write finds no room, and set aside again later."""

    def __init__(self, disk: Disk, layout: Layout, size_bytes: int) -> None:
        self._disk = disk
        self._layout = layout
        self._size_bytes = size_bytes

    def append(self, file: DurableFile, data: bytes, size_bytes: int) -> None:
        """Append to a file of ``size_bytes``, out of the reserve if need be. Raises OSError as ``write`` does."""
        try:
            file.write(data)
        except OSError as error:
            self._give_up(error)
            # A part of the data may be there.
            file.cut(size_bytes)
            file.write(data)

    def create(self, action: Callable[[], T]) -> T:
        """Make a file or a folder, out of the reserve if need be."""
        try:
            return action()
        except OSError as error:
            self._give_up(error)
            return action()

    def room_bytes(self) -> int:
        """What media may still use: what is free, less what the reserve lacks."""
        return self._disk.free_bytes(self._layout.root) - self._lacking_bytes()

    def refill(self) -> None:
        """Set it aside again where it was used and there is room for it. What fails is tried again later."""
        lacking = self._lacking_bytes()
        if lacking and self._disk.free_bytes(self._layout.root) > lacking:
            try:
                self._disk.set_aside_bytes(self._layout.reserve, self._size_bytes)
            except OSError as error:
                # Others took the room meanwhile. Any other error is final (invariant 9).
                if error.errno not in _FULL:
                    raise

    def _give_up(self, error: OSError) -> None:
        if error.errno not in _FULL:
            raise error
        self._disk.remove(self._layout.reserve)

    def _lacking_bytes(self) -> int:
        try:
            return max(0, self._size_bytes - self._layout.reserve.stat().st_size)
        except FileNotFoundError:
            return self._size_bytes
