"""Signs and colours of the day line: one glyph for each cause, one palette for light and one for dark.

No meaning hangs on colour alone: every state has its own pattern, every cause its own glyph.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

GLYPH_SIZE = 12
"""Glyphs are drawn in a square of this many units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours as ``#rrggbb``. All but ``line``, ``pale`` and ``wash`` carry text on ``ground`` at 4.5 : 1 or better."""

    ground: str
    wash: str
    ink: str
    muted: str
    line: str
    accent: str
    pale: str
    red: str
    amber: str
    violet: str

    def css(self) -> str:
        """The colours as CSS custom properties, ``--day-NAME``."""
        return ";".join(f"--day-{field.name}:{getattr(self, field.name)}" for field in fields(self))


LIGHT = Palette(
    ground="#ffffff",
    wash="#f5f7f8",
    ink="#1a1d21",
    muted="#565d66",
    line="#d9dde2",
    accent="#0b5d73",
    pale="#9cc9d4",
    red="#b3261e",
    amber="#8a5300",
    violet="#6a3fa0",
)
DARK = Palette(
    ground="#14171a",
    wash="#1c2024",
    ink="#e8eaed",
    muted="#a3abb5",
    line="#343b42",
    accent="#6fc3d6",
    pale="#2d6673",
    red="#ff8f85",
    amber="#f0b357",
    violet="#c3a6f5",
)

DAY_STYLE = (
    f":root{{{LIGHT.css()}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{DARK.css()}}}}}"
    f"@media print{{:root{{{LIGHT.css()}}}}}"
    ".day{display:block;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;"
    "font-variant-numeric:tabular-nums;print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    ".day text{fill:var(--day-muted);stroke:none}"
    ".day .day-name,.day .day-date{fill:var(--day-ink);font-weight:600}"
    ".day .day-name{paint-order:stroke;stroke:var(--day-ground);stroke-width:4}"
    ".day .day-flag text{fill:var(--day-ink)}"
    ".day .day-flag line{stroke:var(--day-ink);stroke-width:.75;stroke-dasharray:2 2}"
    ".day .day-flag path{fill:var(--day-ink)}"
    ".day .day-tick{stroke:var(--day-line);stroke-width:1}"
    ".day .day-break{stroke:var(--day-muted);stroke-width:1.25;fill:none}"
    ".day .day-track{stroke:var(--day-line);stroke-width:1}"
    ".day .day-segment{fill:var(--day-accent)}"
    ".day .day-recovered{fill:var(--day-pale);stroke:var(--day-accent);stroke-width:.75}"
    ".day .day-empty{fill:var(--day-ground);stroke:var(--day-muted);stroke-width:.75}"
    ".day .day-thin{fill:var(--day-ground)}"
    ".day .day-withheld{fill:var(--day-line);stroke:var(--day-muted);stroke-width:.75}"
    ".day .day-known{fill:var(--day-ground);stroke:var(--day-accent);stroke-width:1}"
    ".day .day-bad{fill:var(--day-ground);stroke:var(--day-red);stroke-width:1}"
    ".day .day-unsaid{fill:var(--day-ground);stroke:var(--day-red);stroke-width:1;stroke-dasharray:3 2}"
    ".day .day-glyph{fill:var(--day-ink);stroke:var(--day-ink);color:var(--day-ink)}"
    ".day .day-pin{fill:var(--day-red);stroke:var(--day-red)}"
    ".day .day-pin text{fill:var(--day-ground);font-weight:700}"
    ".day .day-clock path{fill:none;stroke:var(--day-muted);stroke-width:2}"
    ".day .day-synced{stroke-dasharray:none}"
    ".day .day-unsynced{stroke-dasharray:6 3}"
    ".day .day-unset{stroke-dasharray:1.5 3.5}"
    ".day .day-TEST{fill:none;stroke:var(--day-violet);stroke-dasharray:1.5 2.5}"
    ".day .day-UNARMED{fill:none;stroke:var(--day-amber);stroke-dasharray:7 3}"
    ".day text.day-TEST,.day text.day-UNARMED{stroke:none;font-weight:600}"
    ".day text.day-TEST{fill:var(--day-violet)}"
    ".day text.day-UNARMED{fill:var(--day-amber)}"
    ".day a:focus{outline:2px solid var(--day-ink);outline-offset:2px}"
)
"""For the page that holds the picture, once; a picture that stands alone carries it itself."""

_GLYPHS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # Each: what is filled, what is drawn as a line.
        "starting": ("M3 1.5 10.5 6 3 10.5z", ""),
        "stopping": ("", "M2.5 2.5h7v7h-7z"),
        "stopped": ("M2 2h8v8H2z", ""),
        "power": ("M7.5 0 2 7h3.5L4.5 12 10 5H6.5z", ""),
        "crash": ("", "M2 2l8 8M10 2l-8 8"),
        "camera": ("M8.5 5.5 11.5 4v5L8.5 7.5z", "M1 3.5h7.5v6H1z"),
        "overload": ("", "M2 6.5 6 2.5l4 4M2 10.5l4-4 4 4"),
        "disk-full": ("M2 4h8v6.5H2z", "M2 1.5h8v9H2z"),
        "disk-error": ("M5.4 8h1.2v1.3H5.4z", "M2 1.5h8v9H2zM6 3.5v3.5"),
        "thermal": ("M6 7a2.2 2.2 0 1 0 .01 0z", "M4.5 7V2a1.5 1.5 0 0 1 3 0v5M9.5 2.5H11M9.5 4.5H11"),
        "paused": ("M2.5 2h2.5v8H2.5zM7 2h2.5v8H7z", ""),
        "reconfigured": ("", "M1 4h9L7.5 1.5M11 8H2l2.5 2.5"),
        "replaced": ("", "M1.5 1.5h6v6h-6zM4.5 7.5v3h6v-6h-3"),
        "unknown": ("M5.3 9.6h1.4V11H5.3z", "M3.5 4a2.5 2.5 0 1 1 3.6 2.2C6.2 6.7 6 7.2 6 8.2"),
        "lock": ("M2.5 5.5h7v5.5h-7z", "M4 5.5V4a2 2 0 0 1 4 0v1.5"),
        "certificate": ("M4 7.5 3.5 12 6 10.5 8.5 12 8 7.5z", "M6 1a3.2 3.2 0 1 1-.01 0z"),
    }
)


def glyph(name: str, x: float, y: float, size: float = GLYPH_SIZE) -> str:
    """The sign of a cause, centred on ``x``, ``y``, as an SVG group. A cause of a later version is drawn as unknown."""
    filled, drawn = _GLYPHS.get(name, _GLYPHS["unknown"])
    scale = size / GLYPH_SIZE
    parts = [f'<path d="{filled}" stroke="none"/>'] if filled else []
    if drawn:
        parts.append(f'<path d="{drawn}" fill="none" stroke-width="1.3"/>')
    move = f"translate({x - size / 2:.2f} {y - size / 2:.2f}) scale({scale:.3g})"
    return f'<g class="day-glyph" transform="{move}">{"".join(parts)}</g>'
