"""Letters as luma: Pillow's embedded font, rendered once per size."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from appliance.capture.picture import Plane

_LETTERS = "".join(map(chr, range(32, 127))) + "±"


class Font:
    """Printable ASCII and the plus-minus sign in one height; anything else is drawn as a question mark."""

    def __init__(self, height: int) -> None:
        """``height`` is that of a line in pixels, from above an accent to below a descender."""
        size = max(6, height * 4 // 5)
        face = ImageFont.load_default(size)
        self.height = height
        self._glyphs: dict[str, Plane] = {}
        for letter in _LETTERS:
            width = max(1, round(face.getlength(letter)))
            image = Image.new("L", (width, height))
            ImageDraw.Draw(image).text(
                (0, (height - size) // 2 + size * 6 // 7), letter, fill=255, font=face, anchor="ls"
            )
            self._glyphs[letter] = np.asarray(image, dtype=np.uint8)

    def width(self, text: str) -> int:
        """Pixels that ``text`` takes."""
        return sum(self._glyph(letter).shape[1] for letter in text)

    def line(self, text: str, *, ink: int, paper: int, padding: int = 0) -> Plane:
        """``text`` on a box of luma ``paper``, ``padding`` pixels left and right; width and height even."""
        width = self.width(text) + 2 * padding
        coverage = np.zeros((self.height + self.height % 2, width + width % 2), dtype=np.uint8)
        left = padding
        for letter in text:
            glyph = self._glyph(letter)
            coverage[: self.height, left : left + glyph.shape[1]] = glyph
            left += glyph.shape[1]
        shades = np.linspace(paper, ink, 256).round().astype(np.uint8)
        return shades[coverage]

    def _glyph(self, letter: str) -> Plane:
        return self._glyphs.get(letter, self._glyphs["?"])
