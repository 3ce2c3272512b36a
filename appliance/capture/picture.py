"""One I420 picture as numpy planes, without a copy."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

BLACK_LUMA = 16
NEUTRAL_CHROMA = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Canvas:
    """The three planes of one picture (8 bit, 4:2:0, limited range); what is written here is what gets encoded.

    ``y`` has shape (height, width), ``u`` and ``v`` half of each.
    """

    y: Plane
    u: Plane
    v: Plane

    @classmethod
    def over(cls, buffer: Plane, width: int, height: int) -> Self:
        """The picture of ``width`` x ``height`` that lies in ``buffer``.

        ``buffer`` has shape (height * 3/2, stride), writable and contiguous: luma rows of ``stride`` bytes, then the
        rows of U, then of V, each of stride/2 bytes (libcamera's YUV420; PyAV's arrays have stride == width).
        Raises ValueError for any other shape, for odd sizes and where a view would need a copy.
        """
        if width <= 0 or height <= 0 or width % 2 or height % 2:
            raise ValueError(f"picture of {width}x{height}: both must be even and positive")
        if buffer.ndim != 2 or buffer.dtype != np.uint8:
            raise ValueError(f"not a plane of bytes: {buffer.ndim} dimensions of {buffer.dtype}")
        rows, stride = buffer.shape
        if rows != height * 3 // 2 or stride < width or stride % 2:
            raise ValueError(f"{rows} rows of {stride} bytes cannot hold a {width}x{height} picture")
        if not buffer.flags.c_contiguous or not buffer.flags.writeable:
            raise ValueError("the buffer must be contiguous and writable")
        flat = buffer.reshape(-1)
        luma = height * stride
        chroma = luma // 4
        halved = (height // 2, stride // 2)
        return cls(
            y=buffer[:height, :width],
            u=flat[luma : luma + chroma].reshape(halved)[:, : width // 2],
            v=flat[luma + chroma : luma + 2 * chroma].reshape(halved)[:, : width // 2],
        )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        height, width = self.y.shape
        return width, height

    def blank(self) -> None:
        """Paint every pixel black."""
        self.fill(0, 0, *self.size, (BLACK_LUMA, NEUTRAL_CHROMA, NEUTRAL_CHROMA))

    def fill(self, left: int, top: int, right: int, bottom: int, colour: tuple[int, int, int]) -> None:
        """Paint a rectangle (even edges, right and bottom exclusive, in pixels) with one (y, u, v)."""
        self.y[top:bottom, left:right] = colour[0]
        self.u[top // 2 : bottom // 2, left // 2 : right // 2] = colour[1]
        self.v[top // 2 : bottom // 2, left // 2 : right // 2] = colour[2]

    def put(self, tile: Plane, left: int, top: int, chroma: tuple[int, int] = (NEUTRAL_CHROMA, NEUTRAL_CHROMA)) -> None:
        """Lay a ``tile`` (luma, even shape) of one ``chroma`` with its corner at an even place.

        What sticks out on the right or at the bottom is cut off.
        """
        width, height = self.size
        right, bottom = min(width, left + tile.shape[1]), min(height, top + tile.shape[0])
        self.y[top:bottom, left:right] = tile[: bottom - top, : right - left]
        self.u[top // 2 : bottom // 2, left // 2 : right // 2] = chroma[0]
        self.v[top // 2 : bottom // 2, left // 2 : right // 2] = chroma[1]


def new_buffer(width: int, height: int) -> Plane:
    """A buffer for one picture with stride == width; its contents are whatever memory held."""
    return np.empty((height * 3 // 2, width), dtype=np.uint8)
