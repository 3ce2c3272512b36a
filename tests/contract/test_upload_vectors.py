"""A real archive over real TLS says what every conversation expects; the uplink takes the answers that it may take."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.uplink.answers import BusyError, LinesAnswer, ReceiptAnswer
from appliance.uplink.answers import Reply as UplinkReply
from base.errors import PeerError
from evidence.certificate import Trust
from evidence.jws import parse, unseal
from evidence.receipt import RECEIPT_TYP, read_receipt
from tests.fakes.archive import Reply, RunningArchive, Uplink, timeless_authority
from tests.vectors.world import ELECTION

FOLDER = Path(__file__).parent.parent / "vectors" / "upload"
NAMES = sorted(path.stem for path in (FOLDER / "conversations").glob("*.json"))
ANSWERS = json.loads((FOLDER / "answers.json").read_text("utf-8"))
TRUST = Trust.from_pem((FOLDER / "root.pem").read_bytes())


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[RunningArchive]:
    """An archive with the keys of the vectors; it must not end by itself."""
    archive = RunningArchive(tmp_path / "archive", timeless_authority())
    archive.config = replace(
        archive.config,
        election=ELECTION,
        trust=FOLDER / "root.pem",
        key=FOLDER / "archive.key",
        certificate=FOLDER / "archive.pem",
        receipt_key=FOLDER / "receipts.key",
        receipt_certificate=FOLDER / "receipts.pem",
    )
    archive.start()
    assert archive.error is None, archive.error
    yield archive
    archive.stop()
    assert archive.error is None, archive.error


@pytest.mark.parametrize("name", NAMES)
def test_the_archive_answers_as_the_conversation_says(name: str, archive: RunningArchive) -> None:
    conversation = json.loads((FOLDER / "conversations" / f"{name}.json").read_text("utf-8"))
    replies: list[Reply] = []
    for number, exchange in enumerate(conversation["exchanges"]):
        request = exchange["request"]
        uplink = connect(archive, request["by"])
        reply = uplink.send(request["method"], request["path"], body_of(request.get("body")), request["headers"])
        uplink.close()
        replies.append(reply)
        try:
            compare(exchange["expected"], reply, replies)
        except AssertionError as error:
            raise AssertionError(f"exchange {number}: {reply.status} {reply.body!r}") from error


def connect(archive: RunningArchive, by: str) -> Uplink:
    """A connection with one of the certificates of the vectors."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=FOLDER / "root.pem")
    context.load_cert_chain(FOLDER / f"{by}.pem", FOLDER / f"{by}.key")
    return Uplink(archive._port, context)


def body_of(body: Any) -> bytes:
    """What tests/vectors/README.md says of bodies."""
    if body is None:
        return b""
    if "text" in body:
        return str(body["text"]).encode() * int(body.get("times", 1))
    data = (FOLDER / str(body["file"])).read_bytes()
    if "lines" in body:
        begin, end = map(int, body["lines"])
        return b"".join(data.splitlines(keepends=True)[begin:end])
    begin, end = map(int, body.get("bytes", (0, len(data))))
    return data[begin:end]


def compare(expected: Any, reply: Reply, replies: list[Reply]) -> None:
    """What tests/vectors/README.md says to compare."""
    assert reply.status == expected["status"]
    if "same_as" in expected:
        assert reply.body == replies[expected["same_as"]].body
    for member, wanted in expected.get("answer", {}).items():
        found = reply.json[member]
        if member == "receipt" and wanted is not None:
            assert isinstance(found, str)
            read_receipt(found, TRUST)
            says = parse(unseal(found.encode(), RECEIPT_TYP).payload)
            found = {name: says[name] for name in wanted}
        elif member == "refused" and wanted is not None:
            assert isinstance(found, dict)
            found = {"seq": found["seq"], "code": found["code"]}
        assert found == wanted


def test_the_conversations_have_every_status_of_the_specification() -> None:
    texts = [(FOLDER / "conversations" / f"{name}.json").read_text("utf-8") for name in NAMES]
    exchanges = [exchange for text in texts for exchange in json.loads(text)["exchanges"]]
    statuses = {(each["request"]["method"], each["expected"]["status"]) for each in exchanges}
    assert statuses >= {("POST", status) for status in (200, 400, 403, 409, 413, 415, 422)}
    # 411 needs a body of unknown length; 429 and 503 an archive that is busy.
    assert statuses >= {("PUT", status) for status in (200, 201, 400, 404, 413, 415, 422)}


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer["title"] for answer in ANSWERS])
def test_the_uplink_makes_of_the_answer_what_it_must(answer: Any) -> None:
    reply = UplinkReply(status=answer["status"], headers=answer["headers"], body=answer["body"].encode())
    if answer["outcome"] == "taken":
        read(answer["of"], reply)
        return
    with pytest.raises(PeerError) as caught:
        read(answer["of"], reply)
    assert caught.value.retry
    assert isinstance(caught.value, BusyError) == (answer["outcome"] == "busy")
    if isinstance(caught.value, BusyError):
        assert caught.value.pause_s == answer["pause_s"]


def read(of: str, reply: UplinkReply) -> LinesAnswer | ReceiptAnswer:
    """As ``appliance.uplink.client`` reads it."""
    if of == "lines":
        reply.require(200, 409, 422)
        return reply.read(LinesAnswer)
    reply.require(200)
    return reply.read(ReceiptAnswer)


def test_the_vectors_for_upload_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 300_000
