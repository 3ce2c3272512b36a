"""A notice of the election authority to the press: signed, dated, in three languages, chained to the one before.

Notices are numbered from 1. Each names the SHA-256 of the one before, so none can be replaced, left out or put in. A
correction is a notice of its own that names the number it corrects; what it corrects stays.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from evidence import base64url, jws
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.keys import PublicKey, Signer
from evidence.members import (
    NAME,
    binary,
    decode,
    encode,
    integer,
    matching,
    member,
    natural,
    one_of,
    positive,
    text,
    tuple_of,
)

NOTICE_TYP = "unbroken-notice-1"
MOST_TITLE, MOST_TEXT = 200, 3_500
"""Letters of one language; three languages of Cyrillic stay below the longest line."""
_PREV = matching(r"(?:[0-9a-f]{64})?", "a SHA-256 in hexadecimal, or nothing")


class NoticeKind(StrEnum):
    """What a notice is."""

    NOTICE = "notice"
    STATEMENT = "statement"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the authority says. ``at_us`` is UTC; ``corrects`` is a number, 0 unless it is a correction; ``prev`` is the
    ``notice_digest`` of the notice before, empty for number 1.
    """

    election: str = member(NAME)
    number: int = member(positive)
    at_us: int = member(integer)
    kind: NoticeKind = member(one_of(NoticeKind))
    corrects: int = member(natural)
    prev: str = member(_PREV)
    title_az: str = member(text(MOST_TITLE))
    title_en: str = member(text(MOST_TITLE))
    title_ru: str = member(text(MOST_TITLE))
    text_az: str = member(text(MOST_TEXT))
    text_en: str = member(text(MOST_TEXT))
    text_ru: str = member(text(MOST_TEXT))
    certs: tuple[bytes, ...] = member(tuple_of(binary, 1, 4))

    def said(self, language: str) -> tuple[str, str]:
        """Title and text in ``az``, ``en`` or ``ru``."""
        match language:
            case "az":
                return self.title_az, self.text_az
            case "ru":
                return self.title_ru, self.text_ru
            case _:
                return self.title_en, self.text_en


def write_notice(notice: Notice, signer: Signer) -> str:
    """``notice`` signed, as one line of text. Raises ValueError where ``read_notice`` would refuse what it says."""
    _require_sense(notice)
    members = encode(notice)
    members["certs"] = [base64url.encode(der) for der in notice.certs]
    return jws.seal(jws.compose(members), signer, NOTICE_TYP).decode()


def read_notice(signed: str, trust: Trust) -> Notice:
    """A notice whose signature leads to a trusted root, by its election's authority; dates of certificates are not
    judged.

    Raises EvidenceError: the code of what does not check, ``payload-malformed`` where it makes no sense.
    """
    token = jws.unseal(signed.encode(), NOTICE_TYP)
    try:
        notice = decode(Notice, jws.parse(token.payload))
        _require_sense(notice)
    except EvidenceError:
        raise
    except ValueError as error:
        raise EvidenceError(Code.PAYLOAD_MALFORMED, f"the notice is refused: {error}") from error
    certified = trust.check(notice.certs)
    subject = certified.subject
    if subject.role != "authority" or subject.election != notice.election:
        raise EvidenceError(Code.CERT_UNTRUSTED, "the notice is not signed by its election's authority")
    if certified.revoked_us is not None:
        raise EvidenceError(Code.CERT_UNTRUSTED, "the authority's certificate was revoked")
    if certified.kid != token.kid or not PublicKey(certified.point).verifies(token.signed, token.signature):
        raise EvidenceError(Code.CERT_UNTRUSTED, "the notice's signature does not check")
    return notice


def notice_digest(signed: str) -> str:
    """Hex SHA-256 of the signed text: what the next notice calls ``prev``."""
    return hashlib.sha256(signed.encode()).hexdigest()


def _require_sense(notice: Notice) -> None:
    if (notice.kind is NoticeKind.CORRECTION) != (notice.corrects > 0):
        raise ValueError("a correction names what it corrects, and nothing else does")
    if notice.corrects >= notice.number:
        raise ValueError("it corrects what is not there yet")
    if (notice.number > 1) != bool(notice.prev):
        raise ValueError("every notice but the first names the one before")
    said = (notice.title_az, notice.title_en, notice.title_ru, notice.text_az, notice.text_en, notice.text_ru)
    if not all(each.strip() for each in said):
        raise ValueError("it lacks a language")
