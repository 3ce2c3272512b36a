"""A moving test card that shows time, order and a frozen picture at a glance."""

from collections.abc import Callable

import numpy as np

from appliance.capture.camera import Picture
from appliance.capture.font import Font
from appliance.capture.paint import Painter
from appliance.capture.picture import Canvas, new_buffer
from appliance.capture.scene import SceneCamera
from base.clock import Clock

_COUNTER_BITS = 16
_SWEEP_NS = 4_000_000_000
_BARS = (  # 75 % colour bars of BT.709 as (y, u, v), limited range
    (180, 128, 128),
    (168, 44, 136),
    (145, 147, 44),
    (133, 63, 52),
    (63, 193, 204),
    (51, 109, 212),
    (28, 212, 120),
)
_GROUND = (46, 132, 124)
_GRID = 62
_WHITE = (235, 128, 128)
_BLACK = (16, 128, 128)
_ACCENT = (145, 54, 34)


class PatternCamera(SceneCamera):
    """The test card through paint and libx264; needs no hardware and no file."""

    def __init__(self, *, picture: Picture, painter: Painter, clock: Clock, preset: str = "ultrafast") -> None:
        super().__init__(
            source="pattern",
            open_scene=lambda: TestCard(picture.width, picture.height),
            picture=picture,
            painter=painter,
            clock=clock,
            preset=preset,
        )


class TestCard:
    """Static grid, colour bars and grey steps; moving: boot clock, picture number, a binary counter, a sweeping bar."""

    __test__ = False

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._number = 0
        self._clock_font = Font(_even(height * 0.2))
        self._number_font = Font(_even(height * 0.07))
        self._at: Callable[[float], int] = lambda share: _even(height * share)
        self._ground = Canvas.over(new_buffer(width, height), width, height)
        self._draw_ground()

    def draw(self, canvas: Canvas, *, boot_ns: int, elapsed_ns: int) -> None:
        np.copyto(canvas.y, self._ground.y)
        np.copyto(canvas.u, self._ground.u)
        np.copyto(canvas.v, self._ground.v)
        self._draw_clock(canvas, boot_ns)
        self._draw_counter(canvas)
        self._draw_sweep(canvas, boot_ns)
        self._number += 1

    def close(self) -> None:
        pass

    def _draw_clock(self, canvas: Canvas, boot_ns: int) -> None:
        millis = boot_ns // 1_000_000
        seconds = millis // 1000
        text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis % 1000:03}"
        for font, line, top in (
            (self._clock_font, text, self._at(0.14)),
            (self._number_font, f"since boot    picture {self._number:07}", self._at(0.36)),
        ):
            tile = font.line(line, ink=_WHITE[0], paper=_GROUND[0])
            canvas.put(tile, max(0, (self._width - tile.shape[1]) // 4 * 2), top, _GROUND[1:])

    def _draw_counter(self, canvas: Canvas) -> None:
        """The picture's number in binary, highest bit left, so that a program can read the order back."""
        side = _even(self._width / (_COUNTER_BITS * 2))
        left = (self._width - side * _COUNTER_BITS) // 4 * 2
        for bit in range(_COUNTER_BITS):
            lit = self._number >> (_COUNTER_BITS - 1 - bit) & 1
            x = left + bit * side
            canvas.fill(x + 2, self._at(0.47), x + side - 2, self._at(0.47) + side - 4, _WHITE if lit else _BLACK)

    def _draw_sweep(self, canvas: Canvas, boot_ns: int) -> None:
        bar = _even(self._width / 40)
        left = _even((self._width - bar) * (boot_ns % _SWEEP_NS) / _SWEEP_NS)
        canvas.fill(left, self._at(0.86), left + bar, self._at(0.92), _ACCENT)

    def _draw_ground(self) -> None:
        ground = self._ground
        ground.fill(0, 0, self._width, self._height, _GROUND)
        step = _even(self._height / 12)
        ground.y[::step] = _GRID
        ground.y[:, ::step] = _GRID
        edges = [_even(self._width * index / len(_BARS)) for index in range(len(_BARS) + 1)]
        for index, colour in enumerate(_BARS):
            ground.fill(edges[index], self._at(0.58), edges[index + 1], self._at(0.76), colour)
        ramp = np.linspace(16, 235, 12).round().astype(np.uint8)
        for index, luma in enumerate(ramp):
            left, right = (_even(self._width * place / len(ramp)) for place in (index, index + 1))
            ground.fill(left, self._at(0.76), right, self._at(0.82), (int(luma), 128, 128))
        ground.fill(0, self._at(0.86), self._width, self._at(0.92), _BLACK)


def _even(value: float) -> int:
    return int(value) // 2 * 2
