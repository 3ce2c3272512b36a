"""Findings in the index: counted by what they are about, bounded for each unit, brought along by a migration."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, text

from archive.finding import Finding, Oddity, as_json, describe_finding
from archive.index.findings import MOST_OF_A_UNIT, read_findings
from archive.index.first import FIRST
from archive.index.index import Index
from archive.index.rows import Changes
from archive.names import UnitName
from base.errors import OperatorError
from evidence.codes import Code

UNIT = UnitName(station="57-002", unit="u1")
ELECTION = "az-2026"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'a folder, %23 and ?' / 'index.sqlite'}"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(f"sqlite:///{tmp_path / 'index.sqlite'}", ELECTION)
    yield index
    index.close()


def finding(subject: str = "x", code: Code | Oddity = Code.KEY_UNKNOWN, **members: object) -> Finding:
    return Finding(**{"name": UNIT, "subject": subject, "code": code, "detail": "", **members})  # type: ignore[arg-type]


def test_what_is_found_again_is_counted_and_has_its_latest_words(index: Index) -> None:
    index.commit(Changes(findings=(finding(utc_us=5, detail="one", evidence="a" * 64), finding("y"))))
    index.commit(Changes(findings=(finding(utc_us=9, detail="two", count=3), finding(utc_us=None, detail="three"))))
    first, second = index.findings()
    assert (first.count, first.first_us, first.last_us, first.detail) == (5, 5, 9, "three")
    assert first.evidence == "a" * 64
    assert (second.count, second.first_us) == (1, None)


def test_a_fork_that_becomes_another_one_is_still_one_finding(index: Index) -> None:
    index.commit(Changes(findings=(finding("fork:0:1", Code.TAIL_LOST, seq=7),)))
    index.commit(Changes(findings=(finding("fork:0:1", Code.EQUIVOCATION, seq=8, count=0),)))
    (row,) = index.findings()
    assert (row.code, row.seq, row.count) == (Code.EQUIVOCATION, 8, 1)


def test_nobody_can_fill_the_index_with_findings(index: Index) -> None:
    many = tuple(finding(f"key-unknown:{seq}", seq=seq) for seq in range(MOST_OF_A_UNIT + 500))
    index.commit(Changes(findings=many))
    index.commit(Changes(findings=many[-1:]))
    other = UnitName(station="57-002", unit="u2")
    index.commit(Changes(findings=(finding(name=other), finding(name=None, code=Oddity.UNKNOWN_PEER))))
    rows = index.findings()
    assert len(rows) == MOST_OF_A_UNIT + 1 + 2
    (more,) = [row for row in rows if row.subject == "key-unknown:more"]
    assert (more.seq, more.count) == (None, 501)
    assert sum(row.count for row in rows) == MOST_OF_A_UNIT + 501 + 2


def test_findings_are_those_of_the_election_and_of_the_station_asked_for(index: Index, tmp_path: Path) -> None:
    far = UnitName(station="57-003", unit="u1")
    index.commit(Changes(findings=(finding(), finding(name=far), finding(name=None))))
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    assert [row.name for row in read_findings(url, ELECTION)] == [None, UNIT, far]
    assert [row.name for row in read_findings(url, ELECTION, "57-003")] == [far]
    assert read_findings(url, "another") == []


def test_reading_findings_makes_no_index_where_there_is_none(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "a folder, %23 and ?"
    folder.mkdir()
    with pytest.raises(OperatorError, match="The index cannot be read"):
        read_findings(url, ELECTION)
    assert list(folder.iterdir()) == []


def test_an_index_of_the_first_version_keeps_what_it_holds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        FIRST.create_all(connection)
        connection.execute(insert(FIRST.tables["schema"]).values(version=1))
        unit = {"id": 1, "election": ELECTION, "station": "57-002", "unit": "u1", "state": "open"}
        connection.execute(insert(FIRST.tables["units"]).values(**unit))
    engine.dispose()
    with pytest.raises(OperatorError, match="no findings yet"):
        read_findings(url, ELECTION)
    index = Index(url, ELECTION)
    index.commit(Changes(findings=(finding(),)))
    assert index.units() == [UNIT]
    index.close()
    assert len(read_findings(url, ELECTION)) == 1
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version FROM schema")).scalar_one() == 4
    engine.dispose()


def test_the_reference_names_every_code_that_a_verifier_has_not() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "archive.md").read_text()
    named = [row.split("`")[1] for row in page.split("| code | meaning |")[1].splitlines()[2:] if row.startswith("| `")]
    assert named == list(Oddity)
    assert not set(Oddity) & set(Code), "one word for one thing"


def test_what_came_from_outside_does_nothing_to_a_terminal(index: Index) -> None:
    index.commit(Changes(findings=(finding(detail="a\x1b[2Jb\n", seq=3, utc_us=0),)))
    (row,) = index.findings()
    told = describe_finding(row)
    assert told == "57-002/u1: key-unknown, line 3, once, last 1970-01-01T00:00:00Z: a\ufffd[2Jb\ufffd"
    document = as_json(ELECTION, [row])
    assert isinstance(document["findings"], list)
    assert document["findings"][0]["meaning"] == "A line is signed by a key that no session enrolled."
