"""The check itself: the ledger line by line, each named file looked at to the level asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.check.absent import Segments
from appliance.check.content import ContentReader, size_of
from appliance.check.findings import Checked, Finding, Level
from appliance.check.folders import Folders, media_files, place_of
from appliance.check.lines import NumberedLine, whole_lines
from base.errors import OperatorError
from evidence.lines import Pruned, Recovered, Run, Segment

Progress = Callable[[int], None]
_COPY = "Keep the disk as it is and copy it; the archive or a mirror may hold the file under its digest."
_SALVAGE = "Take the disk out of use, copy it whole, and try: unbroken station salvage."


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file that a line names. ``size`` is None where the line does not tell it."""

    path: Path
    line: int
    size: int | None
    sha256: str


class Places(Protocol):
    """Where things lie on a unit's disk."""

    @property
    def root(self) -> Path: ...
    @property
    def ledger(self) -> Path: ...
    @property
    def media(self) -> Path: ...
    def init(self, session: str, camera: str, run: int) -> Path: ...
    def segment(self, session: str, camera: str, run: int, index: int) -> Path: ...


def check(layout: Places, level: Level, progress: Progress = lambda _: None) -> Checked:
    """Look at a unit's disk to ``level``; ``CHAIN`` is no more than ``HASH`` here. Signatures are not checked.

    The ledger counts as it stands when this begins. ``progress`` is told how many bytes of the ledger are done with.
    Raises OperatorError where there is no ledger, or where it cannot be read.
    """
    try:
        end = layout.ledger.stat().st_size
        return _Check(layout, level, progress).run(end)
    except FileNotFoundError as error:
        raise OperatorError(
            f"{layout.root} holds no ledger.", hint="Give the folder of a unit's record, where ledger.jws lies."
        ) from error
    except OSError as error:
        raise OperatorError(
            f"{error.filename or layout.root} cannot be read: {error.strerror}.", hint=_SALVAGE
        ) from error


class _Check:
    def __init__(self, layout: Places, level: Level, progress: Progress) -> None:
        self._layout, self._level, self._progress = layout, level, progress
        self._segments = Segments()
        self._inits: set[tuple[str, str, int]] = set()
        self._folders = Folders()
        self._reader = ContentReader()
        self._findings: list[Finding] = []
        self._lines = self._files = self._named_bytes = self._read_bytes = 0

    def run(self, end: int) -> Checked:
        notes: tuple[Finding, ...] = ()
        try:
            self._read(end)
            notes = tuple(self._unnamed())
        except OSError as error:
            # What the rest of the ledger names nobody knows, so nothing is unnamed.
            what = f"Cannot be read behind line {self._lines}: {error.strerror}."
            self._find(self._layout.ledger, self._lines + 1, what, _SALVAGE)
        self._excuse_pruned_since(end)
        for key, index, line in self._segments.missing():
            self._find(self._layout.segment(*key, index), line, f"Is not there; line {line} names it.", _COPY)
        return Checked(
            level=self._level,
            lines=self._lines,
            files=self._files,
            named_bytes=self._named_bytes,
            read_bytes=self._read_bytes,
            findings=tuple(self._findings),
            notes=notes,
        )

    def _read(self, end: int) -> None:
        for numbered in whole_lines(self._layout.ledger, 0, end):
            self._lines += 1
            self._progress(numbered.size)
            if numbered.line is None:
                what = f"Line {numbered.number} cannot be read: {numbered.reason}."
                self._find(self._layout.ledger, numbered.number, what, _SALVAGE)
            else:
                self._take(numbered)

    def _take(self, numbered: NumberedLine) -> None:
        assert numbered.line is not None
        match numbered.line.body:
            case Run() as run:
                self._look_at_init(numbered, run)
            case Segment() as segment:
                self._look_at_segment(numbered, segment)
            case Pruned() as pruned:
                self._segments.prune(pruned)
            case _:
                pass

    def _look_at_segment(self, numbered: NumberedLine, segment: Segment) -> None:
        session = segment.session if isinstance(segment, Recovered) else numbered.kid
        key = (session, segment.camera, segment.run)
        self._segments.name(key, segment.index)
        path = self._layout.segment(*key, segment.index)
        if not self._look(_File(path=path, line=numbered.number, size=segment.size, sha256=segment.sha256)):
            self._segments.miss(key, segment.index, numbered.number)

    def _look_at_init(self, numbered: NumberedLine, run: Run) -> None:
        key = (numbered.kid, run.camera, run.run)
        self._inits.add(key)
        path = self._layout.init(*key)
        if not self._look(_File(path=path, line=numbered.number, size=None, sha256=run.init_sha256)):
            what = f"Is not there; line {numbered.number} names it."
            self._find(path, numbered.number, what, "No picture is lost: it follows from any segment of the run.")

    def _look(self, file: _File) -> bool:
        """Look at a file to the level asked for. False where it is not there."""
        try:
            if not self._folders.holds(file.path):
                return False
            if self._level.includes(Level.SIZE):
                self._compare(file)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._find(file.path, file.line, f"Cannot be read: {error.strerror}.", _SALVAGE)
        self._files += 1
        return True

    def _compare(self, file: _File) -> None:
        size = size_of(file.path)
        self._named_bytes += size
        if file.size is not None and size != file.size:
            what = f"Is {size} bytes long; line {file.line} says {file.size}."
            self._find(file.path, file.line, what, _COPY)
        elif self._level.includes(Level.HASH):
            content = self._reader.read(file.path)
            self._read_bytes += content.size
            if content.unreadable_bytes:
                what = f"{content.unreadable_bytes} bytes of it cannot be read from the disk."
                self._find(file.path, file.line, what, _SALVAGE)
            elif content.sha256 != file.sha256:
                what = f"Its bytes are not the ones that line {file.line} signs."
                self._find(file.path, file.line, what, _COPY)

    def _unnamed(self) -> list[Finding]:
        media, notes = self._layout.media, []
        for path in media_files(media, self._unread):
            place = place_of(media, path)
            if place is not None:
                session, camera, run, index = place
                key = (session, camera, run)
                if key in self._inits if index is None else self._segments.names(key, index):
                    continue
            notes.append(
                Finding(
                    path=str(path.relative_to(self._layout.root)),
                    line=None,
                    what="No line names it.",
                    advice="Nothing; a running recorder is writing it, or the next start puts it on record.",
                )
            )
        return notes

    def _unread(self, folder: Path, error: OSError) -> None:
        self._find(folder, None, f"Cannot be listed: {error.strerror}.", _SALVAGE)

    def _excuse_pruned_since(self, end: int) -> None:
        """A recorder that records may have pruned meanwhile. Its line stands before the file goes."""
        if any(self._segments.missing()):
            for numbered in whole_lines(self._layout.ledger, end, self._layout.ledger.stat().st_size):
                if numbered.line is not None and isinstance(numbered.line.body, Pruned):
                    self._segments.prune(numbered.line.body)

    def _find(self, path: Path, line: int | None, what: str, advice: str) -> None:
        shown = str(path.relative_to(self._layout.root))
        self._findings.append(Finding(path=shown, line=line, what=what, advice=advice))
