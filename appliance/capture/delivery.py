"""From an encoder that somebody else runs back to pictures with their sensor's time."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from appliance.capture.camera import AccessUnit, Sink
from evidence.words import Mode

_STAMPS = 64
"""Pictures that an encoder may hold back; the hardware keeps one or two."""
_STAMP_SLACK_NS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What was known of a picture before it was encoded."""

    boot_ns: int
    mode: Mode


class Stamps:
    """Remembers pictures on their way through an encoder. Written by the camera's thread, read by the encoder's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamps: deque[Stamp] = deque(maxlen=_STAMPS)

    def add(self, stamp: Stamp) -> None:
        with self._lock:
            self._stamps.append(stamp)

    def take(self, boot_ns: int) -> Stamp | None:
        """The stamp of ``boot_ns``, which the encoder has rounded to microseconds; None if there is none.

        Those passed over are forgotten: encoders keep the order.
        """
        with self._lock:
            while self._stamps:
                stamp = self._stamps.popleft()
                if abs(stamp.boot_ns - boot_ns) <= _STAMP_SLACK_NS:
                    return stamp
        return None


class Delivery:
    """Turns what an encoder hands to its output into access units for the sink. Never raises, never blocks.

    picamera2's encoders give times in microseconds since their first picture; ``first_us`` tells that picture's time.
    A picture that cannot be attributed, or any other surprise, ends the delivery: ``failure`` says why.
    """

    def __init__(self, sink: Sink, stamps: Stamps, first_us: Callable[[], int | None]) -> None:
        self._sink = sink
        self._stamps = stamps
        self._first_us = first_us
        self._begun = False
        self.last_boot_ns: int | None = None
        self.failure: str | None = None

    def give(self, data: object, keyframe: object, timestamp_us: object) -> None:
        """Take a coded picture as a hardware encoder hands it over: bytes, a flag, microseconds."""
        if self.failure is not None:
            return
        try:
            if not isinstance(data, bytes) or not isinstance(timestamp_us, int):
                raise TypeError(f"{type(data).__name__} at {timestamp_us!r}")
            self._give(data, bool(keyframe), timestamp_us)
        except Exception as error:
            self.end(f"a coded picture could not be taken over: {type(error).__name__}: {error}")

    def pass_on(self, unit: AccessUnit) -> None:
        """Take an access unit that knows its own time and mode."""
        if self.failure is not None:
            return
        try:
            self._pass_on(unit)
        except Exception as error:
            self.end(f"a coded picture could not be taken over: {type(error).__name__}: {error}")

    def end(self, reason: str) -> None:
        """Deliver nothing more. The first reason stays."""
        self.failure = self.failure or reason

    def _give(self, data: bytes, keyframe: bool, timestamp_us: int) -> None:
        first_us = self._first_us()
        stamp = None if first_us is None else self._stamps.take((first_us + timestamp_us) * 1000)
        if stamp is None:
            self.end(f"the encoder gave back a picture that the camera had not delivered, at {timestamp_us} us")
            return
        self._pass_on(AccessUnit(data=data, boot_ns=stamp.boot_ns, keyframe=keyframe, mode=stamp.mode))

    def _pass_on(self, unit: AccessUnit) -> None:
        self.last_boot_ns = unit.boot_ns
        if self._begun or unit.keyframe:
            self._begun = True
            self._sink(unit)
