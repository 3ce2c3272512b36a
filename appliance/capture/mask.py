"""Privacy masks: zones that no encoder ever sees."""

import hashlib
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from appliance.capture.picture import BLACK_LUMA, NEUTRAL_CHROMA, Canvas
from base.errors import OperatorError

SCALE = 10_000
MAX_POLYGONS = 16
MIN_POINTS, MAX_POINTS = 3, 64
_MARGIN_BLOCKS = 1
"""A scaler spreads a pixel over its neighbours; the block around the zone goes with it."""

_HINT = "A mask is a list of polygons, each a list of [x, y] in 1/10000 of the picture's width and height."

Point = tuple[int, int]
Blocks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """Zones in 1/10000 of the picture, the same for every stream of a camera. No polygons: nothing is masked."""

    polygons: tuple[tuple[Point, ...], ...]

    @classmethod
    def parse(cls, value: object) -> Self:
        """The mask that a configuration means: a list of polygons, each a list of 3 to 64 pairs of integers.

        Raises OperatorError that names the polygon and what is wrong with it.
        """
        if not isinstance(value, list):
            raise OperatorError("The mask is not a list of polygons.", hint=_HINT)
        if len(value) > MAX_POLYGONS:
            raise OperatorError(f"The mask has {len(value)} polygons; at most {MAX_POLYGONS} are allowed.")
        return cls(polygons=tuple(_parse_polygon(number, polygon) for number, polygon in enumerate(value, 1)))

    @property
    def text(self) -> str:
        """Canonical JSON of the zones: no spaces, points in the order given; what the ledger's digest is over."""
        return json.dumps(self.polygons, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """SHA-256 of ``text``, 64 hex digits."""
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()


def _parse_polygon(number: int, value: object) -> tuple[Point, ...]:
    if not isinstance(value, list):
        raise OperatorError(f"Mask polygon {number} is not a list of points.", hint=_HINT)
    if not MIN_POINTS <= len(value) <= MAX_POINTS:
        raise OperatorError(f"Mask polygon {number} has {len(value)} points; {MIN_POINTS} to {MAX_POINTS} are allowed.")
    points = tuple(_parse_point(number, point) for point in value)
    (ax, ay), (bx, by) = points[0], next((p for p in points if p != points[0]), points[0])
    if all((bx - ax) * (y - ay) == (by - ay) * (x - ax) for x, y in points):
        raise OperatorError(f"Mask polygon {number} encloses nothing: its points lie on one line.")
    return points


def _parse_point(number: int, value: object) -> Point:
    match value:
        case [int(x), int(y)] if not isinstance(x, bool) and not isinstance(y, bool):
            if 0 <= x <= SCALE and 0 <= y <= SCALE:
                return x, y
    raise OperatorError(f"Mask polygon {number}: {value!r} is not [x, y] with integers from 0 to {SCALE}.")


class MaskPaint:
    """A mask for one picture size: solid black over every 2x2 block that a zone touches, and one block around it.

    A block is one chroma sample, so no colour of the zone survives either.
    """

    def __init__(self, mask: Mask, width: int, height: int) -> None:
        self._size = (width, height)
        self._rectangles = _rectangles(_cover(mask, width // 2, height // 2))

    def paint(self, canvas: Canvas) -> None:
        """Raises ValueError for a picture of another size: its zones would lie elsewhere."""
        if canvas.size != self._size:
            raise ValueError(f"mask for {self._size}, picture of {canvas.size}")
        for left, top, right, bottom in self._rectangles:
            canvas.y[2 * top : 2 * bottom, 2 * left : 2 * right] = BLACK_LUMA
            canvas.u[top:bottom, left:right] = NEUTRAL_CHROMA
            canvas.v[top:bottom, left:right] = NEUTRAL_CHROMA


def _cover(mask: Mask, columns: int, rows: int) -> Blocks:
    """Every block that a polygon touches. All in integers, so that it is the same on every machine.

    Coordinates are scaled to 1/SCALE of a block. A block that a zone touches is either crossed by an edge or lies
    wholly inside, and then its centre does.
    """
    blocks = np.zeros((rows, columns), dtype=np.bool_)
    for polygon in mask.polygons:
        points = [(x * columns, y * rows) for x, y in polygon]
        for start, end in pairwise([*points, points[0]]):
            _mark_edge(blocks, start, end)
        blocks |= _inside(points, columns, rows)
    return _grow(blocks)


def _mark_edge(blocks: Blocks, start: Point, end: Point) -> None:
    (x0, y0), (x1, y1) = sorted((start, end), key=lambda point: point[1])
    rows, columns = blocks.shape
    for row in range(min(y0 // SCALE, rows - 1), min(y1 // SCALE, rows - 1) + 1):
        if y0 == y1:
            reach = (x0, x1)
        else:
            top, bottom = max(y0, row * SCALE), min(y1, (row + 1) * SCALE)
            # Rounding goes outward: floor on the left, ceiling on the right.
            at_top, at_bottom = (x1 - x0) * (top - y0), (x1 - x0) * (bottom - y0)
            low, high = min(at_top, at_bottom), max(at_top, at_bottom)
            reach = (x0 + low // (y1 - y0), x0 - (-high // (y1 - y0)))
        left, right = min(reach) // SCALE, max(reach) // SCALE
        blocks[row, max(0, left) : min(columns, right + 1)] = True


def _inside(points: list[Point], columns: int, rows: int) -> Blocks:
    """Blocks whose centre has a winding number other than zero, so that crossing outlines leave no hole."""
    centres_x = np.arange(columns, dtype=np.int64) * SCALE + SCALE // 2
    centres_y = np.arange(rows, dtype=np.int64) * SCALE + SCALE // 2
    winding = np.zeros((rows, columns), dtype=np.int8)
    for (x0, y0), (x1, y1) in pairwise([*points, points[0]]):
        if y0 == y1:
            continue
        step = 1 if y1 > y0 else -1
        crossed = np.flatnonzero((centres_y >= min(y0, y1)) & (centres_y < max(y0, y1)))
        for row in crossed:
            crossing = x0 + (x1 - x0) * (int(centres_y[row]) - y0) // (y1 - y0)
            winding[row, centres_x > crossing] += step
    inside: Blocks = winding != 0
    return inside


def _grow(blocks: Blocks) -> Blocks:
    for _ in range(_MARGIN_BLOCKS):
        padded = np.pad(blocks, 1)
        wide = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
        blocks = wide[:-2] | wide[1:-1] | wide[2:]
    return blocks


def _rectangles(blocks: Blocks) -> list[tuple[int, int, int, int]]:
    """The blocks as (left, top, right, bottom), equal rows joined, so that painting is a few slices."""
    done: list[tuple[int, int, int, int]] = []
    open_spans: dict[tuple[int, int], int] = {}
    for row in range(blocks.shape[0] + 1):
        spans: set[tuple[int, int]] = set()
        if row < blocks.shape[0]:
            edges = np.flatnonzero(np.diff(blocks[row].astype(np.int8), prepend=0, append=0))
            spans = {(int(left), int(right)) for left, right in edges.reshape(-1, 2)}
        ended = [span for span in open_spans if span not in spans]
        done += [(span[0], open_spans.pop(span), span[1], row) for span in ended]
        for span in spans:
            open_spans.setdefault(span, row)
    return sorted(done, key=lambda rectangle: (rectangle[1], rectangle[0]))
