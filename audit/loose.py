"""Media that do not lie in their places: found by digest, or by what they claim to be."""

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from audit.files import printable
from audit.inspect import Inspector, Label, is_film, label_files, peek
from audit.sources import Placed, Sources, placed_media
from evidence.codes import Code
from evidence.identity import Identity
from evidence.verify.findings import Place
from evidence.verify.media import Expected, ExpectedInit, describe
from evidence.verify.record import Record

_FILES_PER_BATCH = 8


class Loose:
    """Loose files by digest and by claim. A claim counts only where no digest fits."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self._by_digest: dict[str, str] = {}
        self._by_claim: dict[tuple[str, str, int, int], Label] = {}
        self._used: set[str] = set()
        self._sha256 = {label.path: label.sha256 for label in labels}
        for label in labels:
            self._by_digest.setdefault(label.sha256, label.path)
            if label.claim is not None:
                self._by_claim.setdefault(label.claim, label)

    def find(self, expected: Expected | ExpectedInit) -> list[str]:
        """The loose file that is, or says that it is, the expected one: none or one."""
        if isinstance(expected, ExpectedInit):
            return self._use(self._by_digest.get(expected.sha256))
        segment = expected.segment
        path = self._by_digest.get(segment.sha256)
        if path is None:
            label = self._by_claim.get((expected.session, segment.camera, segment.run, segment.index))
            path = None if label is None else label.path
        return self._use(path)

    def unused(self) -> list[Path]:
        """Files whose bytes no line asked for."""
        used = {self._sha256[path] for path in self._used}
        return [Path(path) for path, sha256 in self._sha256.items() if sha256 not in used]

    def _use(self, path: str | None) -> list[str]:
        if path is None:
            return []
        self._used.add(path)
        return [path]


def label_all(pool: Executor, paths: Sequence[Path]) -> list[Label]:
    """What the loose files are."""
    names = [str(path) for path in paths]
    batches = [names[at : at + _FILES_PER_BATCH] for at in range(0, len(names), _FILES_PER_BATCH)]
    results = [pool.submit(label_files, batch) for batch in batches]
    return [label for result in results for label in result.result()]


def report_alone(pool: Executor, sources: Sources, labels: Sequence[Label]) -> list[Record]:
    """Media without any ledger: what they claim, and that it proves nothing. One record for each unit claimed."""
    placed = [media.path for folder in sources.folders for media in placed_media(folder) if media.index is not None]
    paths = [Path(label.path) for label in labels if not label.path.endswith("init.mp4")] + placed
    records: dict[tuple[str, str, str] | None, Record] = {}
    inspector = Inspector()
    for path in paths:
        try:
            facts = inspector.facts(path)
        except OSError as error:
            record = records.setdefault(None, Record())
            record.findings.add(Code.MEDIA_MALFORMED, Place(), f"{printable(path.name)}: {error.strerror}")
            continue
        record = records.setdefault(_names(facts.identity), Record())
        record.names = _names(facts.identity)
        if facts.identity is None and is_film(path):
            detail = f"{printable(path.name)}, sha256 {facts.sha256}"
            record.findings.add(Code.MEDIA_FOREIGN, Place(), detail)
            continue
        if facts.identity is None or facts.malformed is not None:
            record.findings.add(Code.MEDIA_MALFORMED, Place(), f"{printable(path.name)}: {facts.malformed}")
        if facts.identity is not None:
            detail = f"{printable(path.name)} says that it is {describe(facts.identity)}; sha256 {facts.sha256}"
            record.findings.add(Code.UNSIGNED_ALONE, Place(), detail)
    return list(records.values())


def report_unnamed(records: Sequence[Record], sources: Sources, unused: Sequence[Path]) -> list[Record]:
    """Media that no line names. Where lines are missing or refused, those may have named them: nothing is said.

    Returns a record for each unit that such media speak of and no ledger does, and one for given folders of which
    no ledger names anything: a record whose ledger was taken away must not pass for verified beside another.
    """
    if any(record.damaged for record in records):
        return []
    strangers: dict[tuple[str, str, str] | None, Record] = {}
    for path in unused:
        _unnamed(records, strangers, path, path.name, None)
    for folder in sources.folders:
        for media in placed_media(folder):
            if not _is_named(records, media, folder):
                relative = media.path.relative_to(folder).as_posix()
                _unnamed(records, strangers, media.path, relative, media.camera)
    for part in sources.without_ledger:
        named = not set(part.loose) <= set(unused) or any(
            _is_named(records, media, folder) for folder in part.folders for media in placed_media(folder)
        )
        if not named:
            detail = f"no ledger names anything in {printable(str(part.path))}"
            strangers.setdefault(None, Record()).findings.add(Code.UNSIGNED_ALONE, Place(), detail)
    return list(strangers.values())


def _is_named(records: Sequence[Record], media: Placed, folder: Path) -> bool:
    key = (media.session, media.camera, media.run)
    relative = media.path.relative_to(folder).as_posix()
    return any(
        (record.named.opens(key) if media.index is None else record.named.names(key, media.index))
        or relative in record.set_aside
        for record in records
    )


def _unnamed(
    records: Sequence[Record],
    strangers: dict[tuple[str, str, str] | None, Record],
    path: Path,
    name: str,
    camera: str | None,
) -> None:
    """A file that no line names: a note, or, where it speaks of a unit of which no ledger was given, a question."""
    identity = peek(path)
    names = _names(identity)
    if identity is None or names in {record.names for record in records}:
        records[0].findings.add(Code.MEDIA_UNNAMED, Place(camera=camera), printable(name))
        return
    record = strangers.setdefault(names, Record())
    record.names = names
    record.findings.add(Code.UNSIGNED_ALONE, Place(), f"{printable(name)} says that it is {describe(identity)}")


def _names(identity: Identity | None) -> tuple[str, str, str] | None:
    return None if identity is None else (identity.election, identity.station, identity.unit)
