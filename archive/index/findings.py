"""Findings in the index: counted by what they are about. Each function is part of the caller's transaction."""

from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, ColumnElement, Connection, create_engine, func, insert, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError

from archive.finding import Finding, FindingRow, read_code
from archive.index.engine import database_url, words
from archive.index.schema import findings
from archive.names import UnitName
from base.errors import OperatorError

MOST_OF_A_UNIT = 1_000
"""Subjects of one unit. What comes beyond is counted by its code alone: nobody can fill the index with findings."""
_DETAIL = 500
_START_IT = "The archive makes the index when it is started."


def add_finding(connection: Connection, election: str, found: Finding) -> None:
    """Count it where it is known, and have its latest code and words; else it is new."""
    of_unit = (findings.c.election == election) & (findings.c.station == _station(found.name))
    of_unit &= findings.c.unit == _unit(found.name)
    subject, seq, detail = found.subject, found.seq, _plain(found.detail)[:_DETAIL]
    if _take(connection, of_unit & (findings.c.subject == subject), found, seq, detail):
        return
    if connection.execute(select(func.count()).select_from(findings).where(of_unit)).scalar_one() >= MOST_OF_A_UNIT:
        subject, seq, detail = f"{found.code}:more", None, "and more of them than are told apart"
        if _take(connection, of_unit & (findings.c.subject == subject), found, seq, detail):
            return
    connection.execute(
        insert(findings).values(
            election=election,
            station=_station(found.name),
            unit=_unit(found.name),
            subject=subject,
            code=found.code.value,
            seq=seq,
            first_us=found.utc_us,
            last_us=found.utc_us,
            times=max(found.count, 1),
            detail=detail,
            evidence=found.evidence,
        )
    )


def select_findings(connection: Connection, election: str, station: str | None) -> list[FindingRow]:
    """All findings, or those of a station, by station, unit and number of the line."""
    rows = select(findings).where(findings.c.election == election)
    if station is not None:
        rows = rows.where(findings.c.station == station)
    rows = rows.order_by(
        findings.c.station, findings.c.unit, func.coalesce(findings.c.seq, -1), findings.c.code, findings.c.subject
    )
    return [
        FindingRow(
            name=UnitName(station=row.station, unit=row.unit) if row.station else None,
            subject=row.subject,
            code=read_code(row.code),
            detail=row.detail,
            seq=row.seq,
            first_us=row.first_us,
            last_us=row.last_us,
            count=row.times,
            evidence=row.evidence,
        )
        for row in connection.execute(rows)
    ]


def read_findings(url: str, election: str, station: str | None = None) -> list[FindingRow]:
    """The same from beside an archive that may be running; nothing is written. Raises OperatorError."""
    try:
        engine = create_engine(_reading(url))
        try:
            with engine.connect() as connection:
                if not inspect(connection).has_table(findings.name):
                    raise OperatorError("The index has no findings yet.", hint=_START_IT)
                return select_findings(connection, election, station)
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        raise OperatorError(f"The index cannot be read: {words(error)}.", hint=_START_IT) from error


def _reading(text: str) -> URL:
    """SQLite would make a file that is not there."""
    url = database_url(text)
    if url.get_backend_name() != "sqlite" or url.database is None:
        return url
    path = quote(str(Path(url.database).absolute()))
    return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})


def _take(connection: Connection, same: ColumnElement[bool], found: Finding, seq: int | None, detail: str) -> bool:
    """Count one more of a known finding. False where it is not known."""
    values: dict[str, object] = {
        "code": found.code.value,
        "seq": seq,
        "detail": detail,
        "times": findings.c.times + found.count,
    }
    if found.utc_us is not None:
        values["first_us"] = func.coalesce(findings.c.first_us, found.utc_us)
        values["last_us"] = found.utc_us
    if found.evidence is not None:
        values["evidence"] = found.evidence
    return bool(connection.execute(update(findings).where(same).values(values)).rowcount)


def _plain(words: str) -> str:
    """Without what no database takes: characters that have no UTF-8, and NUL. They may quote a stranger."""
    return words.encode(errors="backslashreplace").decode().replace("\0", "\\0")


def _station(name: UnitName | None) -> str:
    return "" if name is None else name.station


def _unit(name: UnitName | None) -> str:
    return "" if name is None else name.unit
