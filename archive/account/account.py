"""What a unit's record says, as a verifier's answer says it: the numbers of every page."""

from collections.abc import Sequence
from dataclasses import replace

from archive.account.judging import Judging, Published, judge
from archive.finding import FindingRow, Oddity, sentence
from archive.index.reading import IndexReader
from archive.names import UnitName
from evidence.certificate import Trust
from evidence.codes import MEANINGS, Code, Weight
from evidence.day.answer import Finding, Record, read_answer
from evidence.verify.verdict import Verdict, verdict_of, write_answer

_LEFT_OUT = (Code.OPEN_END, Code.INIT_MISSING)
_ODD = {Oddity.LOST_BY_ARCHIVE: Weight.WRONG}
_ODD_ADVICE = "Ask the archive."


def account(
    reader: IndexReader, name: UnitName, publications: Published | None = None, *, trust: Trust | None = None
) -> Record | None:
    """What ``unbroken verify`` would say of the archive's copy of this unit, from the index alone; None where it has
    nothing of the unit. ``trust`` adds what only certificates can tell: their dates and revocations. Raises OSError.

    The rules are the verifier's own (``evidence.verify``), fed with what the index holds of lines and media that the
    archive verified when they came. What differs from an auditor's answer, and is meant to:

    - What is stored and not public by ``publications`` counts as on its way, as does what the unit still has: state
      ``missing``, missing time, and no finding. ``media-missing`` is left for what nobody can be asked for.
    - ``open-end`` is no finding of a record that goes on; the verdict is ``cannot-tell`` until all has come to an end.
      Nor is ``init-missing``: an archive keeps no init segments, and makes them from any segment that it has.
    - What the archive has found stands among the findings, without a place in time. It is about what it refused or has
      lost, so it changes no verdict.
    - Media and init segments are not looked at again: what is wrong with a file in the store is told when reading back
      has found it, as ``lost-by-archive``. ``no-trust``, ``media-unchecked`` and ``media-unnamed`` never come.
    - Where lines name one digest at several places, as only a unit that lies does, it counts at each that is there;
      a verifier finds in the file that it is of one.
    - A jump of an unsynchronised clock that no ``clock`` line tells (``clock-step-untold``) is not seen, and
      ``recovered`` lines of a session that nobody enrolled are told without their camera.
    """
    branches = reader.branches(name)
    if not branches:
        return None
    judging = judge(reader, name, branches, publications=publications, trust=trust or Trust())
    return answer_of(judging, [row for row in reader.findings(name.station) if row.name == name])


def answer_of(judging: Judging, found: Sequence[FindingRow]) -> Record:
    """The record so far, with what the archive has found."""
    (record,) = read_answer(write_answer([judging.finished()])).records
    findings = tuple(
        replace(finding, camera=finding.camera or None) for finding in record.findings if finding.code not in _LEFT_OUT
    )
    verdict = verdict_of(Weight(finding.weight) for finding in findings)
    if verdict is Verdict.VERIFIED and (judging.awaits or not record.closed):
        verdict = Verdict.CANNOT_TELL
    told = {(finding.code, finding.seq) for finding in findings}
    more = tuple(_finding(row) for row in found if (row.code.value, row.seq) not in told)
    return replace(record, verdict=verdict.value, findings=findings + more)


def _finding(row: FindingRow) -> Finding:
    code = row.code
    weight = _ODD.get(code, Weight.NOTE) if isinstance(code, Oddity) else MEANINGS[code].weight
    return Finding(
        code=code.value,
        weight=weight.value,
        camera=None,
        seq=row.seq,
        at=None,
        message=f"{sentence(code)} ({row.detail})" if row.detail else sentence(code),
        advice=_ODD_ADVICE if isinstance(code, Oddity) else MEANINGS[code].advice,
        count=max(row.count, 1),
    )
