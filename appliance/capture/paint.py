"""What is painted on every picture before anything else sees it, and what happens when that fails."""

from collections.abc import Callable, Sequence

from appliance.capture.camera import Picture
from appliance.capture.mask import Mask, MaskPaint
from appliance.capture.overlay import Overlay
from appliance.capture.picture import Canvas
from base.clock import Clock, Reading
from evidence.words import Mode

Step = Callable[[Canvas], None]


def paint_or_blank(canvas: Canvas, steps: Sequence[Step], on_failure: Callable[[Exception], None]) -> bool:
    """Run ``steps`` on the picture; if one of them raises, paint the whole picture black instead.

    This is where masks fail closed (design, invariant 7), for every camera and every stream. Never raises.
    True means that the picture may leave this process. False means that not even blanking worked: the caller must
    not let an encoder's output of this picture, or of one predicted from it, reach anybody.
    """
    try:
        for step in steps:
            step(canvas)
    except Exception as error:
        try:
            canvas.blank()
            on_failure(error)
        except Exception:
            return False
    return True


class Painter:
    """Masks, then the caption, for one picture size. Used from one thread."""

    def __init__(self, *, picture: Picture, mask: Mask, station: str, camera: str, clock: Clock) -> None:
        self._mask = MaskPaint(mask, picture.width, picture.height)
        self._overlay = Overlay(picture.width, picture.height, station, camera)
        self._clock = clock
        self.failures = 0
        """Pictures that went out black because painting failed."""
        self.last_failure = ""

    def paint(self, canvas: Canvas, boot_ns: int, mode: Mode) -> bool:
        """Paint a picture taken at ``boot_ns``. The promise is that of ``paint_or_blank``."""

        def write_caption(canvas: Canvas) -> None:
            self._overlay.paint(canvas, reading_at(self._clock.read(), boot_ns), mode)

        return paint_or_blank(canvas, (self._mask.paint, write_caption), self._count)

    def _count(self, error: Exception) -> None:
        self.failures += 1
        self.last_failure = f"{type(error).__name__}: {error}"


def reading_at(reading: Reading, boot_ns: int) -> Reading:
    """What the clocks showed at ``boot_ns``, judged by a reading taken shortly after."""
    if reading.utc_us is None:
        return Reading(boot_ns=boot_ns, utc_us=None, error_us=None)
    utc_us = reading.utc_us + (boot_ns - reading.boot_ns) // 1000
    return Reading(boot_ns=boot_ns, utc_us=utc_us, error_us=reading.error_us)
