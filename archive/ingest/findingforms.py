"""How a worker tells the committer of a finding, and which findings there are to tell: bytes in, values out."""

import json
from dataclasses import dataclass

from archive.finding import Finding, FindingCode, read_code
from archive.names import UnitName
from evidence import jws
from evidence.members import NAME, decode, encode, integer, member, natural, nullable, positive, text

_DETAIL = 1_000


def _code(value: object) -> FindingCode:
    if not isinstance(value, str):
        raise ValueError("must be a code")
    return read_code(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """Whoever receives keeps no evidence aside; lines are the committer's."""

    station: str | None = member(nullable(NAME))
    unit: str | None = member(nullable(NAME))
    subject: str = member(text(128))
    code: FindingCode = member(_code)
    detail: str = member(text(_DETAIL))
    seq: int | None = member(nullable(natural))
    utc_us: int | None = member(nullable(integer))
    count: int = member(positive)


def write_finding(finding: Finding) -> bytes:
    """All but evidence."""
    name = finding.name
    form = _Finding(
        station=None if name is None else name.station,
        unit=None if name is None else name.unit,
        subject=finding.subject,
        code=finding.code,
        detail=finding.detail[:_DETAIL],
        seq=finding.seq,
        utc_us=finding.utc_us,
        count=finding.count,
    )
    return json.dumps(encode(form)).encode()


def read_finding(body: bytes) -> Finding:
    """What ``write_finding`` wrote. Raises ValueError."""
    form = decode(_Finding, jws.parse(body))
    if (form.station is None) != (form.unit is None):
        raise ValueError("half a unit")
    whose = None if form.station is None or form.unit is None else UnitName(station=form.station, unit=form.unit)
    return Finding(
        name=whose,
        subject=form.subject,
        code=form.code,
        detail=form.detail,
        seq=form.seq,
        utc_us=form.utc_us,
        count=form.count,
    )
