"""Media that a crash left without a line: what continues the record, and what is kept aside."""

import contextlib
import errno
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from appliance.store.layout import Layout, part_of
from base.durable import Disk
from cmaf.errors import MediaError
from cmaf.fragment import ticks
from cmaf.read import SegmentLayout, annexb, complete_length, read_segment
from evidence.errors import EvidenceError
from evidence.identity import Identity, read_identity
from evidence.lines import Recovered

MAX_RECOVERED_NS = 30_000_000_000
"""Together, for one camera after one restart (spec/ledger.md, section 4.4)."""
MOST_ASIDE = 64
"""Files of one camera that are hashed and moved after one restart; what lies beyond stays where it is."""
_LOST_PAGE = re.compile(rb"\x00\x00\x00(?!\x01)")
_DAMAGED = (errno.EUCLEAN, errno.EBADMSG)
"""Metadata that are nonsense, or whose checksum is wrong."""
_MAX_FILE_BYTES = 256 << 20
_TICK_NS = 11_112
"""The end of an unnamed segment is known in ticks of 1/90,000 s, its successor's beginning in nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the record of one camera stands in the session that recorded it. ``index`` is -1 before the first."""

    session: str
    camera: str
    covered_ns: int
    run: int
    index: int
    fps_by_run: dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A file or folder that does not count: where under the unit's folder, and why. Of a file, size and digest."""

    path: str
    size_bytes: int | None
    sha256: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    path: Path
    identity: Identity
    layout: SegmentLayout
    data: bytes


def recover(disk: Disk, layout: Layout, standing: Standing) -> tuple[list[Recovered], list[SetAside]]:
    """What camera ``standing.camera`` of ``standing.session`` left behind.

    On return the recovered media are durable under their final names, cut to whole fragments. Doing it again after
    a crash gives the same answer. What is set aside stays where it is until ``move_aside``, once its line stands.
    """
    pieces: list[_Piece] = []
    refused: list[SetAside] = []
    covered_ns, length_ns = standing.covered_ns, 0
    slack_ns = 0
    expected = (standing.run, standing.index + 1)
    for path in _unnamed(layout, standing):
        if len(refused) == MOST_ASIDE:
            break
        piece = "behind what does not count" if refused else _read(disk, path)
        if isinstance(piece, str):
            refused.append(_set_aside(layout, path, piece))
            continue
        found = (piece.identity.run, piece.identity.index)
        piece_ns = _end_ns(piece) - piece.identity.boot_ns
        if not _continues(piece, standing, expected, covered_ns, slack_ns):
            refused.append(_set_aside(layout, path, "does not continue the record"))
        elif length_ns + piece_ns > MAX_RECOVERED_NS:
            refused.append(_set_aside(layout, path, "longer than a crash can leave"))
        else:
            pieces.append(piece)
            covered_ns, length_ns, slack_ns = _end_ns(piece), length_ns + piece_ns, _TICK_NS
            expected = (found[0], found[1] + 1)
    for piece in pieces:
        _publish(disk, piece)
    return _lines(pieces, standing), refused


def set_aside_unknown(layout: Layout, known: set[str]) -> list[SetAside]:
    """What lies under ``media`` of sessions that the ledger does not know, as an older state of a card leaves it.

    A folder counts as one, however much is in it: a unit that starts has no time to read a day of video.
    """
    if not layout.media.is_dir():
        return []
    found: list[SetAside] = []
    for path in sorted(layout.media.iterdir())[:MOST_ASIDE]:
        if path.is_file():
            found.append(_set_aside(layout, path, "no media"))
        elif path.name not in known:
            files = sum(len(names) for _, _, names in os.walk(path))
            reason = f"{files} files of a session that the ledger does not know"
            found.append(SetAside(path=str(path.relative_to(layout.root)), size_bytes=None, sha256=None, reason=reason))
    return found


def move_aside(disk: Disk, layout: Layout, item: SetAside) -> None:
    """Take the file or folder out of the media, now that a durable line tells of it. May be repeated."""
    old = layout.root / item.path
    # False also for what the disk does not give: that stays where it is.
    if not os.path.exists(old):
        return
    disk.make_directory(layout.aside)
    name = old.name if item.sha256 is None else f"{item.sha256[:16]}-{old.name}"
    new, number = layout.aside / name, 1
    while new.exists():
        new, number = layout.aside / f"{name}-{number}", number + 1
    disk.rename(old, new)
    disk.sync_directory(layout.aside)
    disk.sync_directory(old.parent)


def _unnamed(layout: Layout, standing: Standing) -> list[Path]:
    """Media of the newest runs beyond the last index that a line names, in the order of recording."""
    found: list[tuple[int, int, Path]] = []
    folder = layout.media / standing.session / standing.camera
    for path in folder.glob("*/*.m4s*"):
        run, index = path.parent.name, path.name.split(".")[0]
        if not (run.isdigit() and index.isdigit()):
            continue
        place = (int(run), int(index))
        if place > (standing.run, standing.index):
            found.append((*place, path))
    return [path for _, _, path in sorted(found)]


def _read(disk: Disk, path: Path) -> _Piece | str:
    """The part of a file that is whole, or why there is none."""
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            return "too large for a segment"
        with disk.reread(path) as file:
            data = file.read()
    except OSError as error:
        # What the file system itself calls damaged stays so; any other error may pass, and the next start tries again.
        if error.errno not in _DAMAGED:
            raise
        return f"cannot be opened: {error.strerror}"
    try:
        data = data[: complete_length(data)]
        if not data:
            return "no whole fragment"
        layout = read_segment(data)
        identity = read_identity(layout.identity)
        kept = _undamaged(data, layout, identity.avcc)
        if not kept:
            return "no fragment whose pictures are whole"
        return _Piece(path=path, identity=identity, layout=read_segment(kept), data=kept)
    except (MediaError, EvidenceError) as error:
        return f"not a segment: {error}"[:200]


def _undamaged(data: bytes, layout: SegmentLayout, avcc: bytes) -> bytes:
    """The fragments before the first one in which a page is missing.

    A power cut may keep a later page of what was not synced and lose an earlier one, which then reads as zeros; boxes
    do not show that. Inside a NAL unit three zero bytes never follow each other (H.264, 7.4.1).
    """
    for last in reversed(layout.fragments):
        kept = data[: last.offset + last.size]
        with contextlib.suppress(MediaError):
            if not _LOST_PAGE.search(annexb(kept, avcc)):
                return kept
    return b""


def _continues(piece: _Piece, standing: Standing, expected: tuple[int, int], covered_ns: int, slack_ns: int) -> bool:
    identity = piece.identity
    return (
        identity.session == standing.session
        and identity.camera == standing.camera
        and (identity.run, identity.index) == expected
        and ticks(identity.boot_ns) == piece.layout.decode_time == ticks(covered_ns)
        and 0 <= identity.boot_ns - covered_ns <= slack_ns
    )


def _publish(disk: Disk, piece: _Piece) -> None:
    """Cut to whole fragments, durable, final name: the steps of normal operation, each of which may be repeated."""
    final = piece.path.with_name(piece.path.name.removesuffix(".part"))
    file = disk.append(piece.path)
    try:
        if piece.path.stat().st_size != len(piece.data):
            file.cut(len(piece.data))
        file.sync()
    finally:
        file.close()
    if piece.path == part_of(final):
        disk.rename(piece.path, final)
    disk.sync_directory(final.parent)


def _lines(pieces: list[_Piece], standing: Standing) -> list[Recovered]:
    lines: list[Recovered] = []
    from_ns = standing.covered_ns
    for n, piece in enumerate(pieces):
        # The end of a piece is known in ticks; where another follows, its own first picture says it exactly.
        to_ns = pieces[n + 1].identity.boot_ns if n + 1 < len(pieces) else _end_ns(piece)
        identity = piece.identity
        fps = standing.fps_by_run.get(identity.run, 0)
        longest_ns = (piece.layout.longest_sample * 100_000) // 9
        uneven = fps > 0 and 2 * longest_ns * fps > 3_000_000_000
        frame_ticks = 90_000 // fps if fps else 0
        dropped = sum(max(0, round(d / frame_ticks) - 1) for d in piece.layout.durations) if uneven else 0
        lines.append(
            Recovered(
                camera=identity.camera,
                session=identity.session,
                run=identity.run,
                index=identity.index,
                mode=identity.mode,
                sha256=hashlib.sha256(piece.data).hexdigest(),
                size=len(piece.data),
                from_ns=from_ns,
                to_ns=to_ns,
                frames=piece.layout.samples,
                holes=(dropped, longest_ns // 1_000_000 if uneven else 0),
            )
        )
        from_ns = to_ns
    return lines


def _end_ns(piece: _Piece) -> int:
    """The smallest boot time whose tick is the one at which the last sample ends."""
    end = piece.layout.decode_time + piece.layout.duration
    return (end * 100_000 + 8) // 9


def _set_aside(layout: Layout, path: Path, reason: str) -> SetAside:
    relative = str(path.relative_to(layout.root))
    size_bytes: int | None = None
    digest: str | None = None
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = f"{reason}; cannot be read: {error.strerror}"
    return SetAside(path=relative, size_bytes=size_bytes, sha256=digest, reason=reason)
