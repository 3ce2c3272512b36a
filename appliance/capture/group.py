"""Where a group of pictures begins, and which mode holds until its end."""

from dataclasses import dataclass

from evidence.words import Mode

LONGEST_HOLE_NS = 500_000_000
"""A longer hole ends the segment (spec/segment.md), so the picture after it must be a keyframe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whether a picture begins a group, and its mode. ``untimely``: it must begin one, and an encoder's own count
    may not agree (a hole before it, or a new mode).
    """

    begins: bool
    untimely: bool
    mode: Mode


class GroupOfPictures:
    """Counts pictures into groups of ``length`` and latches the mode for each. ``ask`` may come from any thread."""

    def __init__(self, length: int, mode: Mode) -> None:
        self._length = length
        self._asked = mode
        self._mode = mode
        self._position = 0
        self._last_ns: int | None = None

    def ask(self, mode: Mode) -> None:
        """From the next group on, pictures carry ``mode``."""
        self._asked = mode

    def place(self, boot_ns: int) -> Place:
        """Where the picture taken at ``boot_ns`` stands. Call it once per picture, in order."""
        hole = self._last_ns is not None and boot_ns - self._last_ns > LONGEST_HOLE_NS
        begins = self._last_ns is None or self._position == self._length or hole
        before = self._mode
        if begins:
            self._position = 0
            self._mode = self._asked
        self._position += 1
        self._last_ns = boot_ns
        return Place(begins=begins, untimely=hole or self._mode is not before, mode=self._mode)
