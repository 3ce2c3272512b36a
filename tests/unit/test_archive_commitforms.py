"""What workers and the committer say to each other: there and back, and nothing else."""

import json
from collections.abc import Callable

import pytest

from archive.index.rows import NewMedia
from archive.ingest import commitforms as forms
from archive.ingest.commits import MAX_STORED
from archive.ingest.lines import LinesAnswer
from archive.ingest.reading import Refusal
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from evidence.codes import Code

ONE, TWO = UnitName(station="57-002", unit="u1"), UnitName(station="57-003", unit="u2")
DIGESTS = tuple(f"{number:064x}" for number in range(3))
HASH = "A" * 43


def test_an_answer_to_lines_comes_back_as_it_was() -> None:
    refused = Refusal(seq=7, code=Code.SIGNATURE_WRONG, message="Die Unterschrift… \U0001f512")
    for answer in (
        LinesAnswer(status=200, head=(41, HASH), receipt="a.b.c", lacks=DIGESTS, refused=None),
        LinesAnswer(status=422, head=None, receipt=None, lacks=(), refused=refused),
    ):
        assert forms.read_lines_answer(forms.write_lines_answer(answer)) == answer


def test_receipts_digests_and_media_come_back_as_they_were() -> None:
    for receipt, lacks in (("a.b.c", ()), (None, DIGESTS)):
        assert forms.read_receipt_answer(forms.write_receipt_answer(receipt, lacks)) == (receipt, lacks)
    assert forms.read_digests(forms.write_digests(DIGESTS)) == DIGESTS
    media = tuple(NewMedia(name=name, sha256=sha256) for name in (ONE, TWO) for sha256 in DIGESTS)
    assert forms.read_stored(forms.write_stored(media)) == media
    query = forms.write_query(ONE, branch=0, seq=None)
    assert (forms.read_name(query), forms.read_number(query, "branch"), forms.read_number(query, "seq")) == (
        ONE,
        0,
        None,
    )


def test_a_refusal_comes_back_as_it_was_said() -> None:
    for error in (RefusedError(403, "wrong-unit", "no"), RefusedError(429, "branches", "no", retry_after_s=3_600)):
        read = forms.read_refusal(forms.write_refusal(error))
        assert (read.status, read.code, str(read), read.retry_after_s) == (
            error.status,
            error.code,
            "no",
            error.retry_after_s,
        )


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (forms.read_digests, b""),
        (forms.read_digests, b"\n"),
        (forms.read_digests, DIGESTS[0].encode()),
        (forms.read_digests, f"{DIGESTS[1]}\n{DIGESTS[0]}\n".encode()),
        (forms.read_digests, f"{DIGESTS[1]}\n{DIGESTS[1]}\n".encode()),
        (forms.read_digests, ("A" * 64 + "\n").encode()),
        (forms.read_digests, b"\xff\n"),
        (forms.read_digests, "".join(f"{number:064x}\n" for number in range(129)).encode()),
        (forms.read_stored, f"57-002 {DIGESTS[0]}\n".encode()),
        (forms.read_stored, f"57-002 u1 x {DIGESTS[0]}\n".encode()),
        (forms.read_stored, f"../.. u1 {DIGESTS[0]}\n".encode()),
        (forms.read_stored, f"57-002 u1 {DIGESTS[0]}\n".encode() * (MAX_STORED + 1)),
        (forms.read_lines_answer, b"[]"),
        (forms.read_lines_answer, b'{"status": 200}'),
        (forms.read_receipt_answer, b'{"receipt": 1, "lacks": []}'),
        (forms.read_receipt_answer, b'{"receipt": null, "lacks": ["x"]}'),
        (forms.read_refusal, b'{"status": 200, "code": "x", "message": "", "retry_after_s": null}'),
        (forms.read_refusal, b'{"status": 403, "code": "X", "message": "", "retry_after_s": null}'),
        (forms.read_refusal, b'{"status": 403, "code": "x", "message": "", "retry_after_s": -1}'),
    ],
)
def test_what_is_of_no_form_is_not_read(read: Callable[[bytes], object], body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read(body)


def test_half_a_head_is_no_head() -> None:
    whole = json.loads(
        forms.write_lines_answer(LinesAnswer(status=200, head=(1, HASH), receipt=None, lacks=(), refused=None))
    )
    for member in ("head_seq", "head_sha256"):
        with pytest.raises(ValueError, match="half a head"):
            forms.read_lines_answer(json.dumps({**whole, member: None}).encode())


@pytest.mark.parametrize("query", [{}, {"station": "57-002"}, {"station": "57-002", "unit": "a/b"}])
def test_a_request_is_for_a_named_unit(query: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        forms.read_name(query)


@pytest.mark.parametrize("number", ["", "-1", "01", "1e3", "9" * 17])
def test_a_lines_number_is_written_in_one_way(number: str) -> None:
    with pytest.raises(ValueError, match="is no line's number"):
        forms.read_number({"seq": number}, "seq")
