"""``unbroken archive check``: ledgers, index and objects against each other; and a new index from the other two."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from archive.finding import FindingRow
from archive.index.rows import BranchRow
from archive.ingest.opening import count_media
from archive.ingest.reading import Reader
from archive.names import UnitName
from archive.parts import Parts

_AGAIN = "Make a new index: unbroken archive check --rebuild."
_COPIES = "Look at other copies of the data folder."
_FETCH = "The unit is asked for it again while it has it; else look at other copies."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is not as it should be, and what to do about it."""

    what: str
    advice: str


@dataclass(slots=True, kw_only=True)
class Checked:
    """What was looked at and found.

    ``troubles`` are the archive's own, ``findings`` what units have done; ``notes`` are facts that need nothing done.
    """

    units: int = 0
    lines: int = 0
    objects: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[FindingRow] = field(default_factory=list)


def check(parts: Parts) -> Checked:
    """Hold everything against everything: each signature of each line; of media, that they are there and how long.

    The index is brought up to the files first, as at every start. Raises OperatorError where it is ahead of them.
    """
    parts.catch_up()
    checked = Checked()
    named: set[str] = set()
    for name in parts.index.units():
        checked.units += 1
        for branch in parts.index.branches(name):
            _check_branch(parts, name, branch, checked)
        named |= _check_media(parts, name, checked)
    for sha256 in parts.store.digests():
        checked.objects += 1
        if sha256 not in named:
            checked.notes.append(f"{sha256} is named by no line")
    for path in parts.aside.damaged():
        checked.troubles.append(Trouble(what=f"{path} is not what its name says", advice=_COPIES))
    checked.findings = parts.index.findings()
    return checked


def rebuild(parts: Parts) -> int:
    """Forget the index and make it anew from ledgers, store and journal. Returns how many media it counts as stored."""
    parts.index.rebuild()
    parts.catch_up()
    return count_media(parts.index, parts.store)


def _check_branch(parts: Parts, name: UnitName, branch: BranchRow, checked: Checked) -> None:
    path = parts.ledgers.path(name, branch.number)
    texts = parts.ledgers.read(name, branch.number, 0, branch.size_bytes).split(b"\n")[:-1]
    reader = Reader(name, parts.config.election, parts.trust.now(), ())
    # A certificate revoked since was good when its lines came.
    good, refused = reader.read(texts, None, now_us=0)
    checked.lines += len(good)
    if refused is not None:
        what = f"{path}: line {refused.seq} does not verify: {refused.message}"
        checked.troubles.append(Trouble(what=what, advice="Fetch the ledger from the unit or another copy."))
        return
    own = parts.index.lines(name, branch.from_seq, branch.head_seq + 1)
    ours = {(each.line.seq, each.sha256) for each in good if each.line.seq >= branch.from_seq}
    indexed = {key for key, number in own.items() if number == branch.number}
    if ours != indexed or (branch.head_seq, branch.head_sha256) not in ours:
        checked.troubles.append(Trouble(what=f"{path}: the index has other lines", advice=_AGAIN))


def _check_media(parts: Parts, name: UnitName, checked: Checked) -> set[str]:
    stored = parts.index.stored(name)
    named: Sequence[tuple[str, int]] = list(parts.index.digests(name))
    for sha256, size_bytes in named:
        there = parts.store.has(sha256)
        if sha256 in stored and not there:
            checked.troubles.append(Trouble(what=f"{name}: {sha256} is lost", advice=_FETCH))
        elif sha256 in stored and _size_bytes(parts, sha256) != size_bytes:
            checked.troubles.append(Trouble(what=f"{name}: {sha256} is not {size_bytes} bytes long", advice=_FETCH))
        elif there and sha256 not in stored:
            checked.notes.append(f"{name}: {sha256} is there and not counted; it is when the unit delivers it")
    return {sha256 for sha256, _ in named}


def _size_bytes(parts: Parts, sha256: str) -> int:
    with parts.store.open(sha256) as file:
        return file.seek(0, 2)
