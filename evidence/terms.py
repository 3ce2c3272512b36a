"""What an election's profile asks beyond recording: phases, publication, retention (spec/ledger.md, section 6).

A verifier does not judge these members: whether a record is genuine does not depend on who may see it, and when.
"""

from dataclasses import dataclass, is_dataclass
from enum import StrEnum

from evidence import jws
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.members import (
    NAME,
    Check,
    T,
    decode,
    encode,
    integer,
    matching,
    member,
    natural,
    nullable,
    one_of,
    optional,
    text,
    tuple_of,
)
from evidence.profile import PROFILE_TYP, Profile, profile_digest, read_profile
from evidence.words import Phase

MOST_HOLDS = 32
MOST_EXEMPT = 512
MOST_REASON = 400
MOST_DELAY_S = 7 * 86_400
LANGUAGE = matching(r"[a-z]{2}", "a language of two letters")
_THRESHOLD = matching(r"[a-z][a-z0-9_]{0,40}_(s|ms|percent|mib|celsius)", "a name that ends in its unit")


class Shows(StrEnum):
    """How much of the day is published at all."""

    WHOLE_DAY = "whole-day"
    COUNT_ONLY = "count-only"
    """Only what was recorded from closing on."""
    EVIDENCE_ONLY = "evidence-only"
    """No picture: ledgers, sizes and gaps only."""


class PausePolicy(StrEnum):
    """When recording may be paused."""

    NONE = "none"
    VOTING_HOURS = "voting-hours"
    """While voters vote, by two people."""


class Audio(StrEnum):
    """The only value of version 1."""

    OFF = "off"


def _object_of(key: Check[str], check: Check[T], most: int) -> Check[dict[str, T]]:
    def check_all(value: object) -> dict[str, T]:
        if not isinstance(value, dict) or len(value) > most:
            raise ValueError(f"is not an object of at most {most} members")
        return {key(name): check(held) for name, held in value.items()}

    return check_all


def _part(cls: type[T]) -> Check[T]:
    def check(value: object) -> T:
        if not isinstance(value, dict):
            raise ValueError("is not an object")
        return decode(cls, value)

    return check


_REASON: Check[dict[str, str]] = _object_of(LANGUAGE, text(MOST_REASON), 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A phase, and when it is to begin."""

    phase: Phase = member(one_of(Phase))
    at_us: int = member(integer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What is recorded in ``[from_us, to_us)`` is published at ``until_us``, for a reason given by language."""

    from_us: int = member(integer)
    to_us: int = member(integer)
    until_us: int = member(integer)
    reason: dict[str, str] = member(_REASON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """When media become public."""

    shows: Shows = optional(one_of(Shows), Shows.WHOLE_DAY)
    delay_s: int = optional(natural, 0)
    holds: tuple[Hold, ...] = optional(tuple_of(_part(Hold), 0, MOST_HOLDS), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicArchive:
    """From when until when replay is to be offered; None where no date is set."""

    from_us: int | None = optional(nullable(integer), None)
    until_us: int | None = optional(nullable(integer), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How many days from a date on the record is kept at least."""

    days: int = member(natural)
    from_us: int = member(integer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The optional members of a profile. Left out, each means what stands here as its default.

    ``exempt`` gives stations and why, ``thresholds`` alarm limits by names that end in their unit.
    """

    phases: tuple[Expected, ...] = optional(tuple_of(_part(Expected), 0, 16), ())
    pause: PausePolicy = optional(one_of(PausePolicy), PausePolicy.NONE)
    audio: Audio = optional(one_of(Audio), Audio.OFF)
    publication: Publication = optional(_part(Publication), Publication())
    public_archive: PublicArchive = optional(_part(PublicArchive), PublicArchive())
    retention: Retention | None = optional(nullable(_part(Retention)), None)
    exempt: dict[str, dict[str, str]] | None = optional(nullable(_object_of(NAME, _REASON, MOST_EXEMPT)), None)
    thresholds: dict[str, int] | None = optional(nullable(_object_of(_THRESHOLD, natural, 32)), None)
    languages: tuple[str, ...] = optional(tuple_of(LANGUAGE, 1, 8), ("az", "en", "ru"))

    @property
    def closing_us(self) -> int | None:
        """When voting is to end."""
        return next((each.at_us for each in self.phases if each.phase is Phase.CLOSED), None)


def terms_members(terms: Terms) -> dict[str, object]:
    """``terms`` as members of a profile, without those that say what leaving them out says. Raises ValueError."""
    members = {name: _plain(value) for name, value in encode(terms).items()}
    check_terms(jws.parse(jws.compose(members)))
    return members


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {name: _plain(held) for name, held in encode(value).items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def check_terms(members: dict[str, object]) -> Terms:
    """The terms among a profile's members. Raises ValueError that names what makes no sense."""
    terms = decode(Terms, members)
    times = [each.at_us for each in terms.phases]
    if times != sorted(times) or len({each.phase for each in terms.phases}) != len(times):
        raise ValueError("phases: are not in order, each once")
    publication, archive = terms.publication, terms.public_archive
    if publication.delay_s > MOST_DELAY_S:
        raise ValueError(f"publication: delay_s is more than {MOST_DELAY_S}")
    for hold in publication.holds:
        if not hold.from_us < hold.to_us <= hold.until_us:
            raise ValueError("publication: a hold ends before it begins, or is lifted before it ends")
        if not hold.reason:
            raise ValueError("publication: a hold has no reason")
    if publication.shows is Shows.COUNT_ONLY and terms.closing_us is None:
        raise ValueError("publication: count-only needs the phase closed")
    if archive.from_us is not None and archive.until_us is not None and archive.from_us >= archive.until_us:
        raise ValueError("public_archive: ends before it begins")
    return terms


def read_terms(signed: str, trust: Trust) -> tuple[Profile, Terms, str]:
    """A profile with its terms and its digest; what ``read_profile`` demands holds.

    Raises EvidenceError with ``profile-refused``.
    """
    profile = read_profile(signed, trust)
    try:
        terms = check_terms(jws.parse(jws.unseal(signed.encode(), PROFILE_TYP).payload))
    except ValueError as error:
        raise EvidenceError(Code.PROFILE_REFUSED, f"the profile is refused: {error}") from error
    return profile, terms, profile_digest(signed)
