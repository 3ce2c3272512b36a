"""The caption burned into every picture: which camera, when, how sure of it, and whether it counts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from appliance.capture.font import Font
from appliance.capture.picture import BLACK_LUMA, Canvas, Plane
from base.clock import Reading
from evidence.words import Mode

_WHITE_LUMA = 235
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def caption(station: str, camera: str, reading: Reading, mode: Mode) -> tuple[str, str]:
    """The two lines for a picture taken at ``reading``; the second is empty for LIVE.

    The first ends in UTC to the second with its error bound (rounded up to 1/100 s), or in UTC and "clock not proven",
    or, while the wall clock is unset, in ``TIME UNSET +hh:mm:ss`` of boot time.
    """
    return f"{station}  {camera}   {_time(reading)}", "" if mode is Mode.LIVE else mode.value


def _time(reading: Reading) -> str:
    if reading.utc_us is None:
        seconds = reading.boot_ns // 1_000_000_000
        return f"TIME UNSET +{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    moment = _EPOCH + timedelta(seconds=reading.utc_us // 1_000_000)
    stamp = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    if reading.error_us is None:
        return f"{stamp}  clock not proven"
    hundredths = -(-reading.error_us // 10_000)
    return f"{stamp} ±{hundredths // 100}.{hundredths % 100:02} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ribbon:
    """Colours of the band, as luma of ink and (y, u, v) of the paper."""

    ink: int
    paper: tuple[int, int, int]


_RIBBONS = {
    Mode.TEST: _Ribbon(ink=_WHITE_LUMA, paper=(76, 164, 152)),  # violet
    Mode.UNARMED: _Ribbon(ink=BLACK_LUMA, paper=(178, 44, 154)),  # amber
}


class Overlay:
    """Draws the caption top left and, when the mode is not LIVE, a band with the mode's word across the bottom."""

    def __init__(self, width: int, height: int, station: str, camera: str) -> None:
        self._width = width
        self._height = height
        self._station = station
        self._camera = camera
        self._line_height = max(12, height // 24 // 2 * 2)
        self._font = Font(self._line_height)
        self._text = ""
        self._tile = self._render("")
        self._bands = {mode: self._band(mode.value, ribbon) for mode, ribbon in _RIBBONS.items()}

    def paint(self, canvas: Canvas, reading: Reading, mode: Mode) -> None:
        """Draw the caption for ``reading``, the moment at which the picture was taken.

        Raises ValueError for a picture of another size.
        """
        if canvas.size != (self._width, self._height):
            raise ValueError(f"overlay for {self._width}x{self._height}, picture of {canvas.size}")
        text, word = caption(self._station, self._camera, reading, mode)
        if text != self._text:
            self._tile = self._render(text)
            self._text = text
        canvas.put(self._tile, 0, 0)
        if word:
            band, ribbon = self._bands[mode], _RIBBONS[mode]
            canvas.put(band, 0, self._height - band.shape[0], ribbon.paper[1:])

    def _render(self, text: str) -> Plane:
        padding = self._line_height // 3
        while self._font.width(text) + 2 * padding > self._width and self._font.height > 8:
            # A long station name on a small picture: the time at the end must not be cut off.
            self._font = Font(self._font.height - 2)
        return self._font.line(text, ink=_WHITE_LUMA, paper=BLACK_LUMA, padding=padding)

    def _band(self, word: str, ribbon: _Ribbon) -> Plane:
        """The word repeated over the whole width, so that a crop of the picture still shows it."""
        font = Font(self._line_height)
        label = font.line(word, ink=ribbon.ink, paper=ribbon.paper[0])
        band = np.full((label.shape[0], self._width), ribbon.paper[0], dtype=np.uint8)
        repeats = max(1, self._width // (2 * label.shape[1]))
        for index in range(repeats):
            left = max(0, self._width * (2 * index + 1) // (2 * repeats) - label.shape[1] // 2)
            band[:, left : left + label.shape[1]] = label[:, : self._width - left]
        return band
