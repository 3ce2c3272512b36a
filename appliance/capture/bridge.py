"""The one way out of an encoder's thread."""

import threading
from collections import deque
from dataclasses import dataclass, replace

from appliance.capture.camera import AccessUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Access units that found the bridge full, in their place among those that did not."""

    count: int
    first_boot_ns: int
    last_boot_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """An encode ended here; what follows is another one."""

    reason: str


Item = AccessUnit | Dropped | Break


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What has passed so far. ``last_boot_ns`` is the latest of all pictures put in since the last break,
    dropped or not: one encode's wrong times say nothing of the next.
    """

    pictures_in: int
    pictures_dropped: int
    last_boot_ns: int | None


class Bridge:
    """A queue of access units from one encoder's thread to the storage thread.

    Bounded by the bytes of the access units in it and by the time between the oldest and the newest; one without any
    takes the next, whatever its size. When it is full the newest picture is dropped, and with it every picture up to
    the next keyframe that finds room, because those between could not be decoded. The reader gets a ``Dropped`` where
    they would have been; nothing vanishes unseen.
    """

    def __init__(self, *, limit_bytes: int, limit_ns: int, arrived: threading.Event) -> None:
        """``arrived`` is set after every ``put``; bridges may share one. The reader clears it before draining."""
        self._limit_bytes = limit_bytes
        self._limit_ns = limit_ns
        self._arrived = arrived
        self._lock = threading.Lock()
        self._queue: deque[Item] = deque()
        self._size_bytes = 0
        self._oldest_ns: int | None = None
        self._dropping = False
        self._pictures_in = 0
        self._pictures_dropped = 0
        self._last_boot_ns: int | None = None
        self._refusal: str | None = None

    def put(self, unit: AccessUnit) -> None:
        """Add one access unit. A ``Sink``: waits for no one but a reader swapping a pointer, and never raises."""
        with self._lock:
            self._pictures_in += 1
            if self._last_boot_ns is None or unit.boot_ns > self._last_boot_ns:
                self._last_boot_ns = unit.boot_ns
            if self._has_room(unit):
                self._dropping = False
                if self._oldest_ns is None:
                    self._oldest_ns = unit.boot_ns
                self._size_bytes += len(unit.data)
                self._queue.append(unit)
            else:
                self._drop(unit)
        self._arrived.set()

    def put_break(self, reason: str) -> None:
        """Mark the end of an encode behind its last picture. Takes no room that is bounded: restarts are few."""
        with self._lock:
            self._queue.append(Break(reason=reason))
            self._last_boot_ns = None
        self._arrived.set()

    def drain(self) -> list[Item]:
        """Everything in the bridge, oldest first, at once; an empty list if there is nothing."""
        with self._lock:
            queue, self._queue = self._queue, deque()
            self._size_bytes, self._oldest_ns = 0, None
        return list(queue)

    def refuse(self, reason: str) -> None:
        """The reader could use nothing of what came: whoever keeps the camera is to start it anew."""
        with self._lock:
            self._refusal = reason

    def take_refusal(self) -> str | None:
        """What the reader said of the pictures since this was last asked, if anything."""
        with self._lock:
            refusal, self._refusal = self._refusal, None
        return refusal

    def traffic(self) -> Traffic:
        """Counts since the bridge was built."""
        with self._lock:
            return Traffic(
                pictures_in=self._pictures_in,
                pictures_dropped=self._pictures_dropped,
                last_boot_ns=self._last_boot_ns,
            )

    def _has_room(self, unit: AccessUnit) -> bool:
        if self._dropping and not unit.keyframe:
            return False
        if self._oldest_ns is None:
            return True
        return (
            self._size_bytes + len(unit.data) <= self._limit_bytes and unit.boot_ns - self._oldest_ns <= self._limit_ns
        )

    def _drop(self, unit: AccessUnit) -> None:
        self._dropping = True
        self._pictures_dropped += 1
        last = self._queue[-1] if self._queue else None
        if isinstance(last, Dropped):
            self._queue[-1] = replace(last, count=last.count + 1, last_boot_ns=unit.boot_ns)
        else:
            self._queue.append(Dropped(count=1, first_boot_ns=unit.boot_ns, last_boot_ns=unit.boot_ns))
