"""Notices a picture that stands still to the last bit: a driver repeats a buffer; a sensor's noise never does."""

import zlib

import numpy as np

from appliance.capture.picture import Plane

STRIDE = 8
FIRST_NS = 30_000_000_000
LONGEST_NS = 16 * 60_000_000_000
_FLAT = 8
"""A picture whose darkest and brightest samples are this close is a dark room, which denoising can make quite still."""


class Stillness:
    """Looks at one luma sample in 64, before anything is painted. Used from one thread."""

    def __init__(self) -> None:
        self._digest = 0
        self._since_ns: int | None = None
        self._patience_ns = FIRST_NS

    def still_for(self, luma: Plane, boot_ns: int) -> int:
        """How many nanoseconds the picture has not changed, 0 where that proves nothing."""
        sample = np.ascontiguousarray(luma[::STRIDE, ::STRIDE])
        digest = zlib.crc32(sample.tobytes())
        if self._since_ns is None or digest != self._digest:
            if self._since_ns is not None:
                self._patience_ns = FIRST_NS
            self._digest, self._since_ns = digest, boot_ns
        if int(sample.max()) - int(sample.min()) <= _FLAT:
            return 0
        return boot_ns - self._since_ns

    def too_still(self, luma: Plane, boot_ns: int) -> bool:
        """Whether the camera is to be started anew. Where that does not help, it is borne twice as long each time."""
        if self.still_for(luma, boot_ns) < self._patience_ns:
            return False
        self._since_ns = None
        self._patience_ns = min(2 * self._patience_ns, LONGEST_NS)
        return True
