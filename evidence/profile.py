"""The signed election profile (spec/ledger.md, section 6)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from evidence import base64url, jws
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.keys import PublicKey, Signer
from evidence.members import NAME, binary, decode, encode, integer, matching, member, natural, one_of, text, tuple_of
from evidence.words import Mode

PROFILE_TYP = "unbroken-profile-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What an election asks of its units. ``mode`` is what an armed unit records; times are UTC microseconds."""

    election: str = member(NAME)
    title: str = member(text(200))
    mode: Mode = member(one_of(Mode))
    from_us: int = member(integer)
    to_us: int = member(integer)
    margin_s: int = member(natural)
    time_zone: str = member(matching(r"[A-Za-z0-9_+/-]{1,64}", "an IANA time zone"))
    witnesses: int = member(natural)
    certs: tuple[bytes, ...] = member(tuple_of(binary, 1, 4))


def write_profile(profile: Profile, signer: Signer, more: Mapping[str, object] = MappingProxyType({})) -> str:
    """``profile`` signed, as one line of text; ``more`` are members beside it, as ``evidence.terms`` makes them."""
    members = {**encode(profile), **more}
    members["certs"] = [base64url.encode(der) for der in profile.certs]
    return jws.seal(jws.compose(members), signer, PROFILE_TYP).decode()


def read_profile(signed: str, trust: Trust) -> Profile:
    """A profile whose signature leads to a trusted root; dates of certificates are not judged.

    Raises EvidenceError with ``profile-refused``.
    """
    try:
        token = jws.unseal(signed.encode(), PROFILE_TYP)
        profile = decode(Profile, jws.parse(token.payload))
        certified = trust.check(profile.certs)
    except ValueError as error:
        raise EvidenceError(Code.PROFILE_REFUSED, f"the profile is refused: {error}") from error
    subject = certified.subject
    if subject.role != "authority" or subject.election != profile.election:
        raise EvidenceError(Code.PROFILE_REFUSED, "the profile is not signed by its election's authority")
    if certified.kid != token.kid or not PublicKey(certified.point).verifies(token.signed, token.signature):
        raise EvidenceError(Code.PROFILE_REFUSED, "the profile's signature does not check")
    if profile.mode is Mode.UNARMED or profile.from_us >= profile.to_us:
        raise EvidenceError(Code.PROFILE_REFUSED, "the profile's mode or window makes no sense")
    return profile


def profile_digest(signed: str) -> str:
    """What an ``armed`` event calls ``profile_sha256``: hex SHA-256 of the signed text."""
    return hashlib.sha256(signed.encode()).hexdigest()
