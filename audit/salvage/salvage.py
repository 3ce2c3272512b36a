"""The order of the work: lines from every source, their judgement, then the media that they name."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from audit.files import printable
from audit.salvage.branches import Ordered, order, without_parent
from audit.salvage.candidates import Candidate, Candidates, Refusals
from audit.salvage.judge import Judged, Names, judge
from audit.salvage.medium import Bytes, Medium, ReadErrors
from audit.salvage.rescue import UNNAMED, Rescue
from audit.salvage.sources import HEAD_BYTES, Folder, Image, OpenMedium, Source, is_segment
from audit.salvage.wanted import Wanted
from base.durable import Disk
from base.errors import OperatorError
from evidence.certificate import Trust

REPORT = "salvage.json"
Progress = Callable[[str], None]
_UNIT_BYTES = 4_096
_NAMES = ("election", "station", "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What came out, before it is put into words."""

    sources: tuple[Source, ...]
    trusted: bool
    candidates: Candidates
    refusals: Refusals
    judged: Judged
    ordered: Ordered
    wanted: Wanted
    rescue: Rescue
    errors: ReadErrors
    torn_lines: int
    unit_found: bool


def check_target(to: Path, sources: Sequence[Path]) -> None:
    """Raises OperatorError where ``to`` is no place to write to, or a source is nothing to read from."""
    for source in sources:
        if not source.exists():
            raise OperatorError(f"There is no {source}.", hint="Give a folder, an image or a block device.")
        if not (source.is_dir() or source.is_file() or source.is_block_device()):
            raise OperatorError(f"{source} is no folder, image or block device.", hint="Leave it out.")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise OperatorError(f"{to} is not empty.", hint="Give a new folder with --to: nothing is ever overwritten.")
    place = to.resolve()
    for source in sources:
        if source.is_dir() and (place == source.resolve() or source.resolve() in place.parents):
            raise OperatorError(f"{to} lies in {source}.", hint="Nothing is written to a source: take another disk.")
        above = next(folder for folder in (place, *place.parents) if folder.exists())
        if source.is_block_device() and source.stat().st_rdev == above.stat().st_dev:
            raise OperatorError(f"{to} lies on {source}.", hint="Nothing is written to a source: take another disk.")


def salvage(
    paths: Sequence[Path],
    to: Path,
    *,
    trust: Trust,
    disk: Disk,
    progress: Progress = lambda _: None,
    open_medium: OpenMedium = Medium,
) -> Salvaged:
    """Everything that verifies goes from ``paths`` into ``to``, laid out as a unit's disk. Durable on return, but for
    the report, which is the caller's; until that stands, the folder says nothing.

    Sources are only read; what cannot be read is left out and listed. Raises OperatorError for wrong use, OSError
    where ``to`` cannot take it.
    """
    check_target(to, paths)
    to = to.absolute()
    disk.make_directory(to)
    errors, refusals = ReadErrors(), Refusals()
    with ExitStack() as stack:
        sources = [_open(path, errors, open_medium) for path in paths]
        for source in sources:
            stack.callback(source.close)
        scratch = stack.enter_context(tempfile.TemporaryFile(dir=to))
        candidates = Candidates(scratch, refusals)
        torn = 0
        for source in sources:
            progress(f"Looking for lines in {source.name}")
            torn += source.find_lines(candidates.add)
        progress(f"Checking {len(candidates)} lines")
        judged = judge(candidates, trust)
        while _join(sources, candidates, judged):
            judged = judge(candidates, trust)
        for line, reason in judged.refused:
            candidates.refuse(line, reason)
        ordered = order(judged.lines)
        wanted = Wanted()
        wanted.read(candidates, ordered.ledger)
        shared = {line.digest for line in ordered.ledger}
        for branch in ordered.branches:
            wanted.read(candidates, [line for line in branch if line.digest not in shared])
        rescue = Rescue(disk, to, wanted, sum(_size(source, path) for source, path in zip(sources, paths, strict=True)))
        unit = _find_media(sources, rescue, judged.names, progress)
        rescue.settle()
        _write_lines(disk, to, candidates, ordered)
        if unit is not None:
            disk.put(to / "unit.json", unit)
        _write_unchecked(disk, to, candidates, judged)
        disk.sync_directory(to)
    return Salvaged(
        sources=tuple(sources),
        trusted=bool(trust.roots),
        candidates=candidates,
        refusals=refusals,
        judged=judged,
        ordered=ordered,
        wanted=wanted,
        rescue=rescue,
        errors=errors,
        torn_lines=torn,
        unit_found=unit is not None,
    )


def _open(path: Path, errors: ReadErrors, open_medium: OpenMedium) -> Source:
    if path.is_dir():
        return Folder(path, errors, open_medium=open_medium)
    try:
        return Image(open_medium(path.resolve(), printable(str(path)), errors))
    except OSError as error:
        raise OperatorError(
            f"{path} cannot be read: {error.strerror}.", hint="Ask whoever holds it, or copy it."
        ) from error


def _join(sources: Sequence[Source], candidates: Candidates, judged: Judged) -> bool:
    """Put lines together that lie before lines that check. Returns whether there are new ones to judge."""
    before = len(candidates)
    nexts = [(line.prev, *candidates.places[line.digest]) for line in without_parent(judged.lines)]
    for source in sources:
        here = [(prev, at) for prev, name, at in nexts if name == source.name]
        for at, text in source.join_lines(here):
            candidates.add(text, source.name, at)
    return len(candidates) > before


def _size(source: Source, path: Path) -> int:
    """How much video a source can hold: a folder no more than is in use on its file system."""
    if isinstance(source, Image):
        return source.size
    usage = os.statvfs(path)
    return (usage.f_blocks - usage.f_bfree) * usage.f_frsize


def _find_media(sources: Sequence[Source], rescue: Rescue, names: Names | None, progress: Progress) -> bytes | None:
    """Offer every file and every raw segment; returns the first ``unit.json`` of the unit."""
    unit: bytes | None = None
    for source in sources:
        progress(f"Looking for video in {source.name}")
        for where, versions in source.files():
            file = versions[0]
            head = file.read(0, HEAD_BYTES)
            if is_segment(head):
                rescue.offer_segment(versions, where)
            elif head[4:8] == b"ftyp":
                rescue.offer_init(file)
            elif where.endswith(".m4s"):
                rescue.broken[where] = "does not begin as a segment"
            elif unit is None and head[:1] == b"{" and file.size <= _UNIT_BYTES:
                unit = _unit(file, names)
        for at, raw in source.segments():
            rescue.offer_at(raw, at, f"{source.name}, byte {at}")
    return unit


def _unit(file: Bytes, names: Names | None) -> bytes | None:
    """The file's bytes where it says whose disk this is, and does not say that it is another's."""
    data = file.read(0, _UNIT_BYTES).rstrip(b"\0")
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    found = tuple(members.get(name) for name in _NAMES)
    return data if found == names else None


def _write_lines(disk: Disk, to: Path, candidates: Candidates, ordered: Ordered) -> None:
    _write_ledger(disk, to / "ledger.jws", candidates, ordered.ledger)
    for number, branch in enumerate(ordered.branches, 1):
        disk.make_directory(to / "branches")
        _write_ledger(disk, to / "branches" / f"{number}.jws", candidates, branch)
        disk.sync_directory(to / "branches")


def _write_unchecked(disk: Disk, to: Path, candidates: Candidates, judged: Judged) -> None:
    """Lines of sessions whose ``start`` is lost, under a name that no verifier takes for a ledger's."""
    if judged.unchecked:
        disk.make_directory(to / UNNAMED)
        lines = sorted(judged.unchecked, key=lambda line: (line.kid, line.seq, line.digest))
        _write_ledger(disk, to / UNNAMED / "lines.txt", candidates, lines)
        disk.sync_directory(to / UNNAMED)


def _write_ledger(disk: Disk, path: Path, candidates: Candidates, lines: Sequence[Candidate]) -> None:
    if not lines:
        return
    file = disk.create(path)
    try:
        for line in lines:
            file.write(candidates.text(line) + b"\n")
        file.sync()
    finally:
        file.close()
