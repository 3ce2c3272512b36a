"""How findings get from a worker to the committer: nothing changes on the way, and nothing else is taken."""

import json

import pytest

from archive.finding import Finding, Oddity
from archive.ingest.findingforms import read_finding, write_finding
from archive.names import UnitName
from evidence.codes import Code

FINDING = Finding(
    name=UnitName(station="57-002", unit="u1"),
    subject="media-changed:x",
    code=Code.MEDIA_CHANGED,
    detail="words of any kind: \x1b ə",
    seq=4,
    utc_us=7,
    count=3,
)
NOBODYS = Finding(name=None, subject="unknown-peer:127.0.0.1", code=Oddity.UNKNOWN_PEER, detail="")


@pytest.mark.parametrize("finding", [FINDING, NOBODYS])
def test_a_finding_arrives_as_it_was_told(finding: Finding) -> None:
    assert read_finding(write_finding(finding)) == finding


@pytest.mark.parametrize(
    "change",
    [
        {"code": "invented"},
        {"code": 1},
        {"station": None},
        {"unit": "../u1"},
        {"count": 0},
        {"count": "1"},
        {"subject": "x" * 129},
        {"seq": -1},
        {"utc_us": 1.5},
    ],
)
def test_what_is_no_finding_is_not_taken(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_finding(json.dumps(json.loads(write_finding(FINDING)) | change).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b"\xff"])
def test_rubbish_is_not_taken(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_finding(body)
