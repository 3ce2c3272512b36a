"""Which of the lines found are whose: steps 1 to 3 of spec/verify.md, without the order of a whole file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from audit.salvage.candidates import Candidate, Candidates
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.jws import unseal
from evidence.lines import Start
from evidence.verify.keyring import Keyring, Session, SignatureCheck, check_signatures

_AT_ONCE = 256
NO_START = "no-start-line"
OTHER_UNIT = "another-unit"
Names = tuple[str, str, str]
"""Election, station and unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The lines of one unit whose signatures check, and the sessions that signed them by name.

    ``unchecked`` are lines of sessions whose ``start`` was not found: nothing can be said of them. ``refused`` are all
    lines that are not kept, those included, with the reason.
    """

    names: Names | None
    lines: tuple[Candidate, ...]
    sessions: dict[str, Start]
    unchecked: tuple[Candidate, ...]
    refused: tuple[tuple[Candidate, str], ...]


_Refused = list[tuple[Candidate, str]]


def judge(candidates: Candidates, trust: Trust) -> Judged:
    """Check every signature. Lines of other units than the one with the most lines are refused."""
    refused: _Refused = []
    sessions = _sessions(candidates, trust, refused)
    good: list[Candidate] = []
    unchecked: list[Candidate] = []
    disowned = {
        line.kid for each in candidates if each.starts and isinstance(line := candidates.line(each).body, Start)
    } - sessions.keys()
    others = iter([each for each in candidates if not each.starts])
    while batch := list(islice(others, _AT_ONCE)):
        known = [each for each in batch if each.kid in sessions]
        for each in batch:
            if each.kid in disowned:
                refused.append((each, "session-refused"))
            elif each.kid not in sessions:
                refused.append((each, NO_START))
                unchecked.append(each)
        good += _signed(candidates, known, sessions, refused)
    good += [each for each, _ in sessions.values()]
    names_of = {kid: _names(session.start) for kid, (_, session) in sessions.items()}
    starts = {each.digest: _names(session.start) for each, session in sessions.values()}
    names_by_line = [starts.get(each.digest) or names_of[each.kid] for each in good]
    counts = Counter(names_by_line)
    names = max(sorted(counts), key=lambda each: counts[each], default=None)
    kept: list[Candidate] = []
    for each, found in zip(good, names_by_line, strict=True):
        if found == names:
            kept.append(each)
        else:
            refused.append((each, OTHER_UNIT))
    return Judged(
        names=names,
        lines=tuple(kept),
        sessions={kid: session.start for kid, (_, session) in sessions.items() if names_of[kid] == names},
        unchecked=tuple(unchecked),
        refused=tuple(refused),
    )


def _sessions(candidates: Candidates, trust: Trust, refused: _Refused) -> dict[str, tuple[Candidate, Session]]:
    """What each ``start`` line enrols, where it checks. Of several that enrol one key, the first does."""
    sessions: dict[str, tuple[Candidate, Session]] = {}
    for each in sorted((each for each in candidates if each.starts), key=lambda each: (each.seq, each.digest)):
        # A keyring of its own for each: they may be of several units, and come in no order.
        opened = Keyring(trust).open(candidates.text(each))
        if opened.session is None:
            refused.append((each, opened.refusal or Code.KEY_UNKNOWN))
        elif opened.session.kid in sessions:
            refused.append((each, Code.KEY_STALE))
        else:
            sessions[opened.session.kid] = (each, opened.session)
    return sessions


def _signed(
    candidates: Candidates,
    lines: Sequence[Candidate],
    sessions: dict[str, tuple[Candidate, Session]],
    refused: _Refused,
) -> list[Candidate]:
    checks: list[SignatureCheck] = []
    for each in lines:
        token = unseal(candidates.text(each))
        checks.append(SignatureCheck(sessions[each.kid][1].point, token.signed, token.signature))
    good: list[Candidate] = []
    for each, right in zip(lines, check_signatures(checks), strict=True):
        if right:
            good.append(each)
        else:
            refused.append((each, Code.SIGNATURE_WRONG))
    return good


def _names(start: Start) -> Names:
    return start.election, start.station, start.unit
