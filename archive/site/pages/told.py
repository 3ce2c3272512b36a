"""An incident in the reader's words."""

from dataclasses import dataclass

from archive.account.incidents import NO_BRANCH, Incident, Kind
from archive.site.pages.terms import CAUSES, EVENTS
from archive.site.pages.times import Times
from archive.site.words import N_
from evidence.codes import MEANINGS

_MOST_LETTERS = 300
"""Of a fact: what a unit writes is shown, but not at any length."""
_SENTENCES = {code.value: meaning.sentence for code, meaning in MEANINGS.items()}

FINDING = "finding"
"""Stands for the branch in a finding's address."""

NOTES = {
    Kind.GAP: N_("A gap is part of the record: the unit signed that it recorded nothing, and why."),
    Kind.EVENT: N_("The unit signed this line when it happened. It says what was noticed or declared, and no more."),
    Kind.FINDING: N_("The archive noted this while it checked what arrived. It says nothing about why."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An incident as pages show it. ``when`` is a time and what stands beneath it; ``place`` stands behind ``?t=``.

    ``address`` is what stands behind ``/LANGUAGE/gaps/``; with ``station`` and ``unit`` it is empty for a finding
    that is of no unit.
    """

    station: str
    unit: str
    branch: int
    seq: int
    address: str
    kind: Kind
    camera: str | None
    title: str
    why: str
    when: tuple[str, str]
    lasts: str
    ongoing: bool
    place: str
    facts: tuple[tuple[str, str], ...]
    heard_us: int | None


def told(incident: Incident, times: Times) -> Told:
    """``incident`` in the language of ``times``. Words that nobody knows yet are shown as they are written."""
    say = times.words.say
    title, why = "", ""
    match incident.kind:
        case Kind.GAP:
            title, why = say(N_("Gap")), say(CAUSES.get(incident.what, incident.what))
        case Kind.EVENT:
            title = say(EVENTS.get(incident.what, incident.what))
        case Kind.FINDING:
            title, why = say(N_("Finding: {code}")).format(code=incident.what), sentence(incident.what, times)
    return Told(
        station=incident.name.station if incident.name else "",
        unit=incident.name.unit if incident.name else "",
        branch=incident.branch,
        seq=incident.seq,
        address=address_of(incident),
        kind=incident.kind,
        camera=incident.camera,
        title=title,
        why=why,
        when=times.moment(incident.start, incident.end) if incident.start else ("–", ""),
        lasts=times.bounds(incident.duration_ms) if incident.duration_ms else "",
        ongoing=incident.ongoing,
        place=times.link(incident.start) if incident.start else "",
        facts=facts_of(incident),
        heard_us=incident.heard_us,
    )


def sentence(code: str, times: Times) -> str:
    """What a finding means, in one sentence; nothing for a code that is not the format's."""
    known = _SENTENCES.get(code)
    return times.words.say(known) if known else ""


def address_of(incident: Incident) -> str:
    """``STATION/UNIT/BRANCH/SEQ`` of the line that told it first, with ``finding`` for the branch of a finding."""
    if incident.name is None:
        return ""
    branch = FINDING if incident.branch == NO_BRANCH else str(incident.branch)
    return f"{incident.name}/{branch}/{incident.seq}"


def facts_of(incident: Incident) -> tuple[tuple[str, str], ...]:
    """What it says of itself. Of what is no unit's nothing: that may name the address of whoever knocked."""
    if incident.name is None:
        return ()
    return tuple((name[:_MOST_LETTERS], value[:_MOST_LETTERS]) for name, value in incident.facts if value)


def branch_of(word: str) -> int:
    """The branch in an address."""
    return NO_BRANCH if word == FINDING else int(word)
