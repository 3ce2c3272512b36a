"""What a range holds where it is several films: as JSON, and as a page of links."""

from datetime import UTC, datetime, timedelta
from html import escape

from archive.site.clips.asked import Asked
from archive.site.clips.plan import Part

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAYS = {
    "az": "Bu müddətdə yazı bir neçə dəfə yenidən başlayıb, ona görə bir neçə fayl var.",
    "en": "In this time the recording began anew, so there are several files.",
    "ru": "За это время запись начиналась заново, поэтому файлов несколько.",
}


def choices(asked: Asked, parts: list[Part]) -> dict[str, object]:
    """The films of a range, in order of time."""
    return {
        "station": asked.name.station,
        "unit": asked.name.unit,
        "camera": asked.camera,
        "parts": [
            {
                "address": address_of_part(asked, number),
                "from": _iso(part.from_us),
                "to": _iso(part.to_us),
                "mode": part.segments[0].row.segment.mode.value,
                "segments": len(part.segments),
                "complete": part.complete,
                "date": "ARRIVAL" if part.arrival else "UTC",
            }
            for number, part in enumerate(parts, 1)
        ],
    }


def choice_page(asked: Asked, parts: list[Part]) -> str:
    """The same as a page without style or script; the address has no language, so it speaks all three."""
    title = escape(f"{asked.name.station} {asked.camera}")
    says = "".join(f'<p lang="{language}">{escape(text)}</p>' for language, text in _SAYS.items())
    links = "".join(
        f'<li><a href="{escape(address_of_part(asked, number))}">{_iso(part.from_us)} – {_iso(part.to_us)}</a></li>'
        for number, part in enumerate(parts, 1)
    )
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{title}</h1>{says}<ol>{links}</ol></body></html>'
    )


def address_of_part(asked: Asked, number: int) -> str:
    """Where a part is to be had."""
    return f"/clip/{asked.name.station}/{asked.name.unit}/{asked.camera}/{asked.stem}-{number}.mp4"


def _iso(utc_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=utc_us)).isoformat(timespec="seconds").replace("+00:00", "Z")
