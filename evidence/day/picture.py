"""The day line as SVG: values in, text out.

The same input gives the same text, byte for byte. No script, no font, no reference to anything outside the picture.
"""

import math
from collections.abc import Sequence

from evidence.coverage import State
from evidence.day.glyph import DAY_STYLE, glyph
from evidence.day.line import Axis, Band, DayLine, Lane, OffsetAt, Piece, Pin, Stretch, at_utc, ticks
from evidence.day.markup import escape, linked, short
from evidence.day.size import MARGIN, PAGE, STRIP, Size, places
from evidence.words import ClockState, Mode

_PAINT = {
    State.SEGMENT: ("day-segment", ""),
    State.RECOVERED: ("day-recovered", ""),
    State.GAP: ("day-empty", ""),
    State.WITHHELD: ("day-withheld", ""),
    State.HELD: ("day-known", "rings"),
    State.MISSING: ("day-known", "dots"),
    State.DAMAGED: ("day-bad", "cross"),
    State.AT_UNIT: ("day-empty", "rings"),
    State.PRUNED: ("day-empty", ""),
    State.UNEXPLAINED: ("day-unsaid", ""),
    State.THINNED: ("day-segment", "notches"),
}
_SIGNS = {
    State.WITHHELD: "lock",
    State.HELD: "certificate",
    State.PRUNED: "certificate",
    State.UNEXPLAINED: "unknown",
}


def render_day(
    day: DayLine, size: Size = PAGE, *, offset_at: OffsetAt = at_utc, name: str = "day", styled: bool = False
) -> str:
    """``day`` as one ``<svg>`` element that can stand in an HTML page or, with ``styled``, alone.

    ``offset_at`` gives the zone of the hour ticks. ``name`` begins every id in the picture and must be unique on its
    page: letters, digits and hyphens. Raises ValueError for another name, or for an ``href`` that leads elsewhere.
    """
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise ValueError("the name of a picture is letters, digits and hyphens")
    return _Picture(day, size, offset_at, name).svg(styled)


def render_key(state: State, *, cause: str = "", name: str = "key") -> str:
    """A sample of a state, or of a gap with its cause, for a legend: 36 by 16 pixels."""
    piece = Piece(stretch=0, from_us=0, to_us=1, state=state, cause=cause)
    stretch = Stretch(axis=Axis.UTC, from_us=0, to_us=1)
    picture = _Picture(DayLine(title="", text="", stretches=(stretch,), lanes=()), STRIP, at_utc, name)
    body = picture.mark(piece, 1, 35, 1, 14)
    return (
        f'<svg class="day" width="36" height="16" viewBox="0 0 36 16" aria-hidden="true">{picture.defs()}{body}</svg>'
    )


def render_band_key(mode: Mode) -> str:
    """A sample of the ribbon of a mode, for a legend."""
    body = f'<path class="day-{mode}" d="M1 8H35" stroke-width="3"/>'
    return f'<svg class="day" width="36" height="16" viewBox="0 0 36 16" aria-hidden="true">{body}</svg>'


def render_clock_key(state: ClockState) -> str:
    """A sample of the clock's line, for a legend."""
    body = f'<g class="day-clock"><path class="day-{state}" d="M1 8H35"/></g>'
    return f'<svg class="day" width="36" height="16" viewBox="0 0 36 16" aria-hidden="true">{body}</svg>'


def render_pin_key() -> str:
    """A sample of a pin, for a legend."""
    body = '<circle cx="18" cy="8" r="6.5" stroke="none"/>'
    body += '<text x="18" y="11.2" font-size="9" text-anchor="middle">!</text>'
    return (
        '<svg class="day" width="36" height="16" viewBox="0 0 36 16" aria-hidden="true">'
        f'<g class="day-pin">{body}</g></svg>'
    )


class _Picture:
    """One drawing: places are worked out once, then each part is drawn from top to bottom."""

    def __init__(self, day: DayLine, size: Size, offset_at: OffsetAt, name: str) -> None:
        self._day, self._size, self._offset_at, self._name = day, size, offset_at, name
        self._places = places(day.stretches, size)

    def svg(self, styled: bool) -> str:
        day, size = self._day, self._size
        flags, top = self._flags() if size.words else ([], 1.0 if size.tick else 0.0)
        lanes, names, bottom = self._lanes(top)
        clock, bottom = self._clock(bottom) if size.words and day.clock else ("", bottom)
        axis, height = self._axis(top, bottom)
        poles = "".join(
            f'<g class="day-flag"><line x1="{short(x)}" x2="{short(x)}" y1="{short(y)}" y2="{short(bottom)}"/>'
            f'<path d="M{short(x)} {short(y)}l7 3.5-7 3.5z"/>{text}</g>'
            for x, y, text in flags
        )
        title, text = f"{self._name}-title", f"{self._name}-text"
        fixed = f' width="{short(size.width)}" height="{short(height)}"' if not size.words or styled else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="day" id="{self._name}"{fixed} role="group" '
            f'viewBox="0 0 {short(size.width)} {short(height)}" font-size="{short(size.text or 10)}" '
            f'aria-labelledby="{title}" aria-describedby="{text}">'
            f'<title id="{title}">{escape(day.title)}</title><desc id="{text}">{escape(day.text)}</desc>'
            f"{f'<style>{DAY_STYLE}</style>' if styled else ''}{self.defs()}{axis}{lanes}{clock}{poles}{names}</svg>"
        )

    def defs(self) -> str:
        """Patterns are repeated in each picture: one that is hidden on a page cannot lend its patterns."""
        name = self._name

        def pattern(kind: str, step: int, body: str) -> str:
            place = f'id="{name}-{kind}" width="{step}" height="{step}"'
            return f'<pattern {place} patternUnits="userSpaceOnUse">{body}</pattern>'

        def ramp(kind: str, colour: str, first: str, last: str) -> str:
            stop = f'stop-color="var(--day-{colour})"'
            return (
                f'<linearGradient id="{name}-{kind}"><stop offset="0" {stop} stop-opacity="{first}"/>'
                f'<stop offset="1" {stop} stop-opacity="{last}"/></linearGradient>'
            )

        ring = 'fill="none" stroke="var(--day-accent)" stroke-width=".8"'
        return (
            "<defs>"
            + pattern("hatch", 4, '<path d="M-1 5 5-1M-1 1 1-1M3 5 5 3" stroke="var(--day-ink)" stroke-width="1"/>')
            + pattern("dots", 4, '<circle cx="2" cy="2" r="1" fill="var(--day-accent)"/>')
            + pattern("notches", 6, '<path d="M4.5 0V3.5" stroke="var(--day-ground)" stroke-width="2"/>')
            + pattern("rings", 6, f'<circle cx="3" cy="3" r="1.5" {ring}/>')
            + pattern("cross", 5, '<path d="M0 0 5 5M5 0 0 5" stroke="var(--day-red)" stroke-width=".9"/>')
            + "".join(
                ramp(f"{state}-in", colour, "0", "1") + ramp(f"{state}-out", colour, "1", "0")
                for state, colour in ((State.SEGMENT, "accent"), (State.RECOVERED, "pale"))
            )
            + "</defs>"
        )

    def _x(self, stretch: int, at_us: int) -> float:
        left, right = self._places[stretch]
        whole = self._day.stretches[stretch]
        share = (at_us - whole.from_us) / (whole.to_us - whole.from_us)
        return left + (right - left) * min(1.0, max(0.0, share))

    def _flags(self) -> tuple[list[tuple[float, float, str]], float]:
        """Each flag's place and body, with labels in up to four rows; one without room is told by its tooltip."""
        ends, step, drawn = [-math.inf] * 4, self._size.text + 4, []
        for flag in sorted(self._day.flags, key=lambda flag: (flag.stretch, flag.at_us)):
            x = self._x(flag.stretch, flag.at_us)
            width = 12 + len(flag.label) * self._size.text * 0.58
            ahead = x + width > self._size.width
            first, last = (x - width, x + 8) if ahead else (x, x + width)
            row = next((row for row, end in enumerate(ends) if end <= first), None)
            y, label = 3 + (row or 0) * step, escape(flag.label)
            body = f"<title>{label}</title>"
            if row is not None:
                ends[row] = last + 6
                place = f'x="{short(x - 4)}" text-anchor="end"' if ahead else f'x="{short(x + 10)}"'
                body += f'<text {place} y="{short(y + 9)}">{label}</text>'
            drawn.append((x, y, body))
        used = sum(end > -math.inf for end in ends)
        return drawn, used * step + (10 if used else 4)

    def _lanes(self, top: float) -> tuple[str, str, float]:
        day, size, out, names = self._day, self._size, [], []
        height = size.lane if size.words else size.lane / max(1, len(day.lanes)) if not size.tick else size.lane
        y = top
        for lane in day.lanes:
            if size.words:
                y += size.text + 8
                names.append(
                    f'<text class="day-name" x="{short(MARGIN)}" y="{short(y - 6)}">{escape(lane.camera)}</text>'
                )
                y += 9 if lane.pins else 0
            out.append(self._lane(lane, y, height))
            y += height
            if size.words:
                y += 17 if any(piece.cause for piece in lane.pieces) else 4
                y += size.text + 8 if lane.bands else 2
            elif size.tick:
                y += 4
        return "".join(out), "".join(names), y

    def _lane(self, lane: Lane, y: float, height: float) -> str:
        size, middle = self._size, short(y + height / 2)
        out = [f'<path class="day-track" d="M{short(left)} {middle}H{short(right)}"/>' for left, right in self._places]
        reach: dict[tuple[int, State], float] = {}
        last_glyph = -math.inf
        least = size.least_of(sum(piece.state is not State.SEGMENT for piece in lane.pieces))
        # Video lies below, so that a gap of a second is not hidden by its neighbours.
        for piece in sorted(lane.pieces, key=lambda piece: piece.state is not State.SEGMENT):
            left, right = self._x(piece.stretch, piece.from_us), self._x(piece.stretch, piece.to_us)
            if piece.state is not State.SEGMENT and right - left < least:
                edge_left, edge_right = self._places[piece.stretch]
                left = max(edge_left, min((left + right - least) / 2, edge_right - least))
                right = left + least
            if right - reach.get((piece.stretch, piece.state), -math.inf) < 0.05:
                continue  # another piece of this state already covers these pixels
            reach[piece.stretch, piece.state] = right
            body = self.mark(piece, left, right, y, height)
            if piece.cause and size.words and right - left < 18 and (left + right) / 2 - last_glyph >= 15:
                last_glyph = (left + right) / 2
                body += glyph(piece.cause, last_glyph, y + height + 9, 11)
            out.append(linked(piece.href, piece.label, body))
        below = y + height + (17 if any(piece.cause for piece in lane.pieces) else 4)
        # Without room for the word the ribbon lies on the lane's lower edge.
        out += self._bands(lane.bands, below if size.words else y + height * 0.85)
        out += self._pins(lane.pins, y, height)
        return "".join(out)

    def mark(self, piece: Piece, left: float, right: float, y: float, height: float) -> str:
        """The body of a piece between two places."""

        def rect(css: str, x: float, width: float, more: str = "") -> str:
            place = f'x="{short(x)}" y="{short(y)}" width="{short(width)}" height="{short(height)}"'
            return f'<rect class="{css}" {place}{more}/>' if css else f"<rect {place}{more}/>"

        width, (css, fill) = right - left, _PAINT[piece.state]
        soft = self._soft(piece)
        if soft >= 1 and piece.state in (State.SEGMENT, State.RECOVERED):
            inner = max(0.0, width - 2 * soft)
            outer = (width - inner) / 2 + soft
            ramps = [("in", left - soft), ("out", right + soft - outer)]
            return rect(css, left + soft, inner) + "".join(
                rect("", x, outer, f' fill="url(#{self._name}-{piece.state}-{way})"') for way, x in ramps
            )
        if width < 2 and piece.state is State.GAP:
            return rect("day-thin", left, width)
        out = rect(css, left, width)
        if fill:
            out += rect("", left, width, f' fill="url(#{self._name}-{fill})"')
        if piece.state is State.GAP:
            hatch = f' fill="url(#{self._name}-hatch)"'
            edge = 5.0
            out += (
                rect("", left, edge, hatch) + rect("", right - edge, edge, hatch)
                if width > 3 * edge
                else rect("", left, width, hatch)
            )
        sign = _SIGNS.get(piece.state, piece.cause if piece.state is State.GAP else "")
        if sign and width >= 18 and height >= 12:
            out += glyph(sign, (left + right) / 2, y + height / 2, min(12.0, height - 3))
        return out

    def _soft(self, piece: Piece) -> float:
        if not piece.soft_us or piece.stretch >= len(self._places):
            return 0.0
        left, right = self._places[piece.stretch]
        whole = self._day.stretches[piece.stretch]
        return min((right - left) / 4, (right - left) * piece.soft_us / (whole.to_us - whole.from_us))

    def _bands(self, bands: Sequence[Band], y: float) -> list[str]:
        """A ribbon for each, with its word wherever that overlaps no other word."""
        size, out, reach = self._size, [], -math.inf
        for band in bands:
            left, right = self._x(band.stretch, band.from_us), self._x(band.stretch, band.to_us)
            body = f'<path class="day-{band.mode}" d="M{short(left)} {short(y)}H{short(right)}" stroke-width="3"/>'
            width = len(band.mode) * size.text * 0.75
            first = min(left, size.width - width)
            if size.words and first >= reach:
                reach = first + width + 4
                place = f'x="{short(first)}" y="{short(y + size.text + 1)}"'
                body += f'<text class="day-{band.mode}" {place}>{band.mode}</text>'
            out.append(f"<g><title>{band.mode}</title>{body}</g>")
        return out

    def _clock(self, top: float) -> tuple[str, float]:
        """The state of the wall clock: a line, whole where it was synchronised."""
        size, day, y = self._size, self._day, top + self._size.text + 13
        out = [f'<text x="{short(MARGIN)}" y="{short(y - 7)}">{escape(day.clock_name)}</text>']
        for piece in day.clock:
            left, right = self._x(piece.stretch, piece.from_us), self._x(piece.stretch, piece.to_us)
            path = f'<path class="day-{piece.state}" d="M{short(left)} {short(y)}H{short(max(right, left + 1))}"/>'
            out.append(linked("", piece.label, path))
        return f'<g class="day-clock">{"".join(out)}</g>', y + size.text / 2

    def _pins(self, pins: Sequence[Pin], y: float, height: float) -> list[str]:
        """Pins closer than their heads become one, which says how many it stands for."""
        groups: list[tuple[float, list[Pin]]] = []
        for pin in sorted(pins, key=lambda pin: (pin.stretch, pin.at_us)):
            x = self._x(pin.stretch, pin.at_us)
            if groups and x - groups[-1][0] < (15 if self._size.words else 2):
                groups[-1][1].append(pin)
            else:
                groups.append((x, [pin]))
        out = []
        for x, group in groups:
            body = f'<path d="M{short(x)} {short(y)}v{short(height)}" stroke-width="{1.5 if self._size.words else 2}"/>'
            if self._size.words:
                sign = "!" if len(group) == 1 else str(len(group)) if len(group) < 100 else "+"
                head = min(max(x, 6.5), self._size.width - 6.5)
                body += f'<circle cx="{short(head)}" cy="{short(y - 5)}" r="6.5" stroke="none"/>'
                body += f'<text x="{short(head)}" y="{short(y - 1.8)}" font-size="9" text-anchor="middle">{sign}</text>'
            label = "\n".join(pin.label for pin in group[:12]) + ("\n…" if len(group) > 12 else "")
            out.append(f'<g class="day-pin">{linked(group[0].href, label, body)}</g>')
        return out

    def _axis(self, top: float, bottom: float) -> tuple[str, float]:
        size, out = self._size, []
        if not size.tick:
            return "", bottom
        rows = [-math.inf]
        for number, (stretch, (left, right)) in enumerate(zip(self._day.stretches, self._places, strict=True)):
            reach, dated = -math.inf, -math.inf
            if number:
                out.append(self._break((self._places[number - 1][1] + left) / 2, top, bottom, stretch.before))
            if size.words and stretch.caption:
                out.append(self._caption(stretch, left, right, bottom, rows))
            for tick in ticks(stretch, max(1, int((right - left) / size.tick)), self._offset_at):
                x = self._x(number, tick.at_us)
                out.append(f'<path class="day-tick" d="M{short(x)} {short(top)}V{short(bottom + 3)}"/>')
                if not size.words:
                    continue
                width = len(tick.label) * size.text * 0.58
                anchor = "start" if x - left < width / 2 else "end" if right - x < width / 2 else "middle"
                first = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
                if first < reach + 5:
                    continue
                reach = first + width
                place = f'text-anchor="{anchor}" x="{short(x)}"'
                out.append(f'<text {place} y="{short(self._line(bottom, 0))}">{tick.label}</text>')
                if tick.date and not stretch.caption and first > max(dated, rows[0]):
                    dated = rows[0] = first + size.text * 7
                    out.append(f'<text class="day-date" {place} y="{short(self._line(bottom, 1))}">{tick.date}</text>')
        return "".join(out), self._line(bottom, len(rows)) + 5 if size.words else bottom + 2

    def _line(self, bottom: float, row: int) -> float:
        """The baseline of a row of text below the lanes; row 0 holds the hours."""
        return bottom + (row + 1) * (self._size.text + 4) + 1

    def _caption(self, stretch: Stretch, left: float, right: float, bottom: float, rows: list[float]) -> str:
        """In the first row where it overlaps nothing; ``rows`` holds how far each row is taken."""
        letter = self._size.text * 0.66
        whole = f"{stretch.caption} · {stretch.detail}" if stretch.detail else stretch.caption
        text = whole if len(whole) * letter <= right - left else stretch.caption
        first = max(0.0, min(left, self._size.width - len(text) * letter))
        row = next((row for row, end in enumerate(rows) if end <= first), len(rows))
        if row == len(rows):
            rows.append(-math.inf)
        rows[row] = first + len(text) * letter + 6
        place = f'x="{short(first)}" y="{short(self._line(bottom, row + 1))}"'
        return f'<text class="day-date" {place}>{escape(text)}<title>{escape(whole)}</title></text>'

    def _break(self, x: float, top: float, bottom: float, before: str) -> str:
        """Two slanted strokes: the axis is interrupted here."""
        strokes = "".join(
            f"M{short(x + dx - 3)} {short(bottom)}L{short(x + dx + 3)} {short(top)}" for dx in (-2.5, 2.5)
        )
        path = f'<path class="day-break" d="{strokes}"/>'
        if not self._size.words:
            return path
        label = escape(before)
        text = f'<text x="{short(x)}" y="{short(self._line(bottom, 0))}" text-anchor="middle">{label}</text>'
        return f"<g><title>{label}</title>{path}{text if len(before) <= 5 else ''}</g>"
