"""What the recorder asks of a camera, and what it gets from one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from evidence.words import Mode


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture (H.264, Annex B byte stream, parameter sets before every keyframe).

    ``boot_ns`` is the sensor's timestamp on CLOCK_BOOTTIME. ``mode`` is what the picture itself
    says it is: the overlay was drawn with it.
    """

    data: bytes
    boot_ns: int
    keyframe: bool
    mode: Mode


Sink = Callable[[AccessUnit], None]
"""Takes one access unit. It never blocks and never raises, so an encoder's thread may call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a camera delivers. ``gop`` is frames per closed group of pictures."""

    width: int
    height: int
    fps: int
    bitrate: int
    gop: int


HANGING = "the camera driver did not stop and no longer answers"


class Camera(Protocol):
    """A source of access units with masks and overlay already in the picture."""

    @property
    def source(self) -> str:
        """What the ledger calls this source, such as ``pattern`` or ``picamera2``."""

    def start(self, sink: Sink) -> None:
        """Begin one uninterrupted encode, its first picture a keyframe. May be called again after ``stop``.

        Raises OperatorError where the camera cannot be opened; the message says what to do.
        """

    def stop(self) -> None:
        """End the encode. Every picture already captured reaches the sink before this returns. Idempotent."""

    def set_mode(self, mode: Mode) -> None:
        """From the next keyframe on, pictures carry this mode in overlay and access unit."""

    def set_bitrate(self, bitrate: int) -> bool:
        """Aim at so many bits per second, now and in later encodes. From any thread.

        False where the encode has to be started anew for that. A source that does not encode answers True.
        """

    def failure(self) -> str | None:
        """Why the source has died, or None while it lives. ``HANGING`` where its driver no longer answers."""
