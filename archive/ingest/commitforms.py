"""The forms in which a worker and the committer speak (archive/ingest/commitsocket.py): bytes in, values out.

Both sides are of one release. Nothing else is taken: each ``read_…`` raises ValueError for anything else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archive.index.rows import NewMedia
from archive.ingest.commits import MAX_STORED
from archive.ingest.lines import MAX_LACKS, LinesAnswer
from archive.ingest.reading import Refusal
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from evidence import jws
from evidence.codes import Code
from evidence.members import (
    DIGEST,
    HASH,
    NAME,
    Check,
    decode,
    encode,
    integer,
    matching,
    member,
    natural,
    nullable,
    one_of,
    text,
    tuple_of,
)
from evidence.receipt import MAX_MEDIA

_SEQ = re.compile(r"0|[1-9][0-9]{0,15}")
_TEXT = text(1 << 16)
_CODE = matching(r"[a-z0-9-]{1,64}", "a code")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    seq: int = member(natural)
    code: Code = member(one_of(Code))
    message: str = member(_TEXT)


def _part(cls: type[_Refused]) -> Check[_Refused]:
    def check(value: object) -> _Refused:
        if not isinstance(value, dict):
            raise ValueError("is no object")
        return decode(cls, value)

    return check


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    status: int = member(natural)
    head_seq: int | None = member(nullable(natural))
    head_sha256: str | None = member(nullable(HASH))
    receipt: str | None = member(nullable(_TEXT))
    lacks: tuple[str, ...] = member(tuple_of(DIGEST, 0, MAX_LACKS))
    refused: _Refused | None = member(nullable(_part(_Refused)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receipt:
    receipt: str | None = member(nullable(_TEXT))
    lacks: tuple[str, ...] = member(tuple_of(DIGEST, 0, MAX_MEDIA))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    status: int = member(integer)
    code: str = member(_CODE)
    message: str = member(_TEXT)
    retry_after_s: int | None = member(nullable(natural))


def write_query(name: UnitName, **numbers: int | None) -> dict[str, str]:
    """Whose request it is, and the numbers that go with it."""
    told = {key: str(number) for key, number in numbers.items() if number is not None}
    return {"station": name.station, "unit": name.unit, **told}


def read_name(query: Mapping[str, str]) -> UnitName:
    """Whose request it is."""
    return UnitName(station=NAME(query.get("station")), unit=NAME(query.get("unit")))


def read_number(query: Mapping[str, str], key: str) -> int | None:
    """A line's number; None where there is none."""
    value = query.get(key)
    if value is None:
        return None
    if not _SEQ.fullmatch(value):
        raise ValueError(f"{key} is no line's number")
    return int(value)


def read_digest(query: Mapping[str, str], key: str) -> str:
    """A SHA-256."""
    return DIGEST(query.get(key))


def write_digests(media: Sequence[str]) -> bytes:
    """Digests, one a line."""
    return "".join(f"{sha256}\n" for sha256 in media).encode()


def read_digests(body: bytes) -> tuple[str, ...]:
    """1 to ``MAX_MEDIA`` digests in ascending order, each once."""
    media = tuple(DIGEST(each) for each in _rows(body, MAX_MEDIA))
    if list(media) != sorted(set(media)):
        raise ValueError("the digests are not in ascending order")
    return media


def write_stored(media: Sequence[NewMedia]) -> bytes:
    """Station, unit and digest, one of each a line."""
    return "".join(f"{each.name.station} {each.name.unit} {each.sha256}\n" for each in media).encode()


def read_stored(body: bytes) -> tuple[NewMedia, ...]:
    """1 to ``MAX_STORED`` media of units."""
    found: list[NewMedia] = []
    for row in _rows(body, MAX_STORED):
        station, unit, sha256 = row.split(" ")
        found.append(NewMedia(name=UnitName(station=NAME(station), unit=NAME(unit)), sha256=DIGEST(sha256)))
    return tuple(found)


def write_lines_answer(answer: LinesAnswer) -> bytes:
    """All of it."""
    refused = None
    if answer.refused is not None:
        told = answer.refused
        refused = _Refused(seq=told.seq, code=told.code, message=told.message)
    form = _Lines(
        status=answer.status,
        head_seq=None if answer.head is None else answer.head[0],
        head_sha256=None if answer.head is None else answer.head[1],
        receipt=answer.receipt,
        lacks=tuple(answer.lacks),
        refused=refused,
    )
    members = encode(form)
    members["refused"] = None if refused is None else encode(refused)
    return json.dumps(members).encode()


def read_lines_answer(body: bytes) -> LinesAnswer:
    """What ``write_lines_answer`` wrote."""
    form = decode(_Lines, jws.parse(body))
    if (form.head_seq is None) != (form.head_sha256 is None):
        raise ValueError("half a head")
    head = None if form.head_seq is None or form.head_sha256 is None else (form.head_seq, form.head_sha256)
    refused = None
    if form.refused is not None:
        refused = Refusal(seq=form.refused.seq, code=form.refused.code, message=form.refused.message)
    return LinesAnswer(
        status=form.status,
        head=head,
        receipt=form.receipt,
        lacks=form.lacks,
        refused=refused,
    )


def write_receipt_answer(receipt: str | None, lacks: Sequence[str]) -> bytes:
    """A receipt, or what it lacks."""
    return json.dumps(encode(_Receipt(receipt=receipt, lacks=tuple(lacks)))).encode()


def read_receipt_answer(body: bytes) -> tuple[str | None, tuple[str, ...]]:
    """What ``write_receipt_answer`` wrote."""
    form = decode(_Receipt, jws.parse(body))
    return form.receipt, form.lacks


def write_refusal(error: RefusedError) -> bytes:
    """A no, for the sender to be told."""
    form = _Refusal(status=error.status, code=error.code, message=str(error), retry_after_s=error.retry_after_s)
    return json.dumps(encode(form)).encode()


def read_refusal(body: bytes) -> RefusedError:
    """What ``write_refusal`` wrote."""
    form = decode(_Refusal, jws.parse(body))
    if not 400 <= form.status <= 599:
        raise ValueError(f"{form.status} is no refusal")
    return RefusedError(form.status, form.code, form.message, retry_after_s=form.retry_after_s)


def _rows(body: bytes, most: int) -> list[str]:
    rows = body.decode("ascii").split("\n")
    if rows.pop() or not 1 <= len(rows) <= most:
        raise ValueError(f"the body is not 1 to {most} whole lines")
    return rows
