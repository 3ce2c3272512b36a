"""A live list: the newest entries of a camera, as they were published (spec/list.md, section 4)."""

from collections.abc import Sequence

from archive.publish.publications import LiveEntry
from archive.site.lists import form

MOST = 10
"""Entries in a list: what a reload finds has been there for at most 20 s."""
VERSION = 9


def live_text(entries: Sequence[LiveEntry], target_s: int) -> str:
    """``entries`` are neighbours, oldest first, at least one; none is longer than ``target_s``, rounded.

    The same entry gives the same lines in every list that has it, but for its map where it is the first.
    """
    first = entries[0]
    left = first.discontinuities - first.discontinuity
    parts = [
        form.head(VERSION, target_s),
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK={3 * target_s}.0\n",
        f"#EXT-X-MEDIA-SEQUENCE:{first.msn}\n#EXT-X-DISCONTINUITY-SEQUENCE:{left}\n",
    ]
    init = None
    for entry in entries:
        if entry.discontinuity:
            parts.append(form.DISCONTINUITY)
        if entry.init_sha256 != init:
            init = entry.init_sha256
            parts.append(form.init_map(init))
        parts.append(_entry(entry))
    return "".join(parts)


def _entry(entry: LiveEntry) -> str:
    tag = form.lines_of(
        branch=entry.branch,
        seq=entry.seq,
        run_seq=entry.run_seq,
        start_seq=entry.start_seq,
        mode=entry.mode,
        date="ARRIVAL" if entry.arrival else "UTC",
    )
    return form.date(entry.date_us) + tag + form.media(entry.duration_us, entry.sha256)
