"""Answers of S3 stores, and of what stands in their place; keys that nobody is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archive.config import S3Config
from archive.store.bucket import Bucket
from archive.store.s3 import S3Store
from archive.store.spool import Spool
from archive.store.store import BucketRefusesError, StoreAwayError, TakenError
from base.durable import Disk
from base.errors import OperatorError
from tests.fakes.s3 import Answer, AnsweringStore

SECRET = "s3cr3t-key"
SHA256 = "ab" * 32
EMPTY_LIST = b'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'


def error(code: str) -> bytes:
    """As a server answers that repeats what was signed."""
    return (
        f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message>"
        f"<CanonicalRequest>x-amz-security-token:{SECRET}</CanonicalRequest></Error>"
    ).encode()


def settings(endpoint: str, folder: Path) -> S3Config:
    credentials = folder / "credentials"
    credentials.write_text(
        f"[default]\naws_access_key_id = key\naws_secret_access_key = {SECRET}\naws_session_token = {SECRET}\n"
    )
    return S3Config(bucket="media", endpoint=endpoint, credentials=credentials, plain_http=True)


Asking = Callable[[Bucket], object]
EVERY: dict[str, Asking] = {
    "put": lambda bucket: bucket.put("x", b"x"),
    "put new": lambda bucket: bucket.put("x", b"x", new=True),
    "size": lambda bucket: bucket.size_bytes("x"),
    "read": lambda bucket: bucket.read("x", 0, 1),
    "sha256": lambda bucket: bucket.sha256("x"),
    "copy": lambda bucket: bucket.copy("x", "y"),
    "delete": lambda bucket: bucket.delete("x"),
    "names": lambda bucket: list(bucket.names("x/")),
}


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (403, "SignatureDoesNotMatch", BucketRefusesError),
        (401, "Unauthorized", BucketRefusesError),
        (400, "ExpiredToken", StoreAwayError),
        (500, "InternalError", StoreAwayError),
        (503, "SlowDown", StoreAwayError),
        (507, "QuotaExceeded", StoreAwayError),
    ],
)
def test_an_error_is_told_by_who_can_mend_it_and_without_secrets(
    tmp_path: Path, ask: Asking, status: int, code: str, expected: type[StoreAwayError]
) -> None:
    with AnsweringStore(lambda _method, _path: Answer(status=status, body=error(code))) as store:
        with pytest.raises(expected) as told:
            ask(Bucket(settings(store.endpoint, tmp_path)))
        assert type(told.value) is expected
        assert str(status) in str(told.value)
        assert SECRET not in str(told.value)
        assert len(store.asked) <= 3, "a bounded number of tries"


@pytest.mark.parametrize("ask", [each for name, each in EVERY.items() if name in ("put", "copy", "names")])
def test_a_bucket_that_is_not_there_is_for_a_person(tmp_path: Path, ask: Asking) -> None:
    with (
        AnsweringStore(lambda _method, _path: Answer(status=404, body=error("NoSuchBucket"))) as store,
        pytest.raises(BucketRefusesError, match="NoSuchBucket"),
    ):
        ask(Bucket(settings(store.endpoint, tmp_path)))


def test_a_name_that_is_taken_is_no_trouble_of_the_store(tmp_path: Path) -> None:
    with AnsweringStore(lambda _method, _path: Answer(status=412, body=error("PreconditionFailed"))) as store:
        bucket = Bucket(settings(store.endpoint, tmp_path))
        with pytest.raises(TakenError):
            bucket.put("x", b"x", new=True)


@pytest.mark.parametrize("ask", [each for name, each in EVERY.items() if name not in ("copy", "delete")])
@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"<ListBucketResult>", b"{}"])
def test_what_answers_and_is_no_store_is_away(tmp_path: Path, ask: Asking, body: bytes) -> None:
    with AnsweringStore(lambda _method, _path: Answer(status=200, body=body, store=False)) as store:
        bucket = Bucket(settings(store.endpoint, tmp_path))
        with pytest.raises(StoreAwayError):
            ask(bucket)


def test_a_body_that_ends_early_is_no_object(tmp_path: Path) -> None:
    def answer(method: str, _path: str) -> Answer:
        return Answer(status=200 if method == "HEAD" else 206, body=b"half", length=8)

    with AnsweringStore(answer) as store:
        bucket = Bucket(settings(store.endpoint, tmp_path))
        for ask in (EVERY["sha256"], lambda bucket: bucket.read("x", 0, 8)):
            with pytest.raises(StoreAwayError):
                ask(bucket)
        with S3Store(bucket).open(SHA256) as file, pytest.raises(StoreAwayError):
            file.read()


def test_nothing_is_lost_because_a_bucket_cannot_be_found(tmp_path: Path) -> None:
    with AnsweringStore(lambda _method, _path: Answer(status=404, body=error("NoSuchBucket"))) as store:
        media = S3Store(Bucket(settings(store.endpoint, tmp_path)))
        for ask in (lambda: media.missing([SHA256]), lambda: media.has(SHA256), lambda: media.open(SHA256)):
            with pytest.raises(BucketRefusesError):
                ask()


def test_names_in_no_order_are_not_believed(tmp_path: Path) -> None:
    names = "".join(
        f"<Contents><Key>cas/{digit * 2}/{digit * 64}</Key><LastModified>2026-11-25T12:00:00.000Z</LastModified>"
        f"<ETag>x</ETag><Size>1</Size></Contents>"
        for digit in "ba"
    )
    listed = EMPTY_LIST.replace(b"</IsTruncated>", f"</IsTruncated>{names}".encode())
    with AnsweringStore(lambda _method, _path: Answer(status=200, body=listed)) as store:
        media = S3Store(Bucket(settings(store.endpoint, tmp_path)))
        with pytest.raises(StoreAwayError, match="no order"):
            list(media.digests())


def test_of_drafts_that_a_store_does_not_take_each_is_left_to_be_discarded(tmp_path: Path) -> None:
    """Even where most of them went in."""
    spool = Spool(Disk(), tmp_path / "incoming")
    drafts = [spool.begin() for _ in range(20)]
    for number, draft in enumerate(drafts):
        draft.write(bytes([number]))

    def answer(method: str, path: str) -> Answer:
        if method == "HEAD":
            return Answer(status=404)
        return Answer(status=503 if path.endswith(drafts[7].sha256) else 200)

    with AnsweringStore(answer) as store:
        media = S3Store(Bucket(settings(store.endpoint, tmp_path)))
        media._probed = True
        with pytest.raises(StoreAwayError, match="503"):
            media.put(drafts)
    assert len(list((tmp_path / "incoming").iterdir())) == 20
    for draft in drafts:
        draft.discard()


def test_a_store_that_cannot_be_reached_is_away(tmp_path: Path) -> None:
    with AnsweringStore(lambda _method, _path: Answer(status=200)) as store:
        endpoint = store.endpoint
    for address in (endpoint, "http://nowhere.invalid"):
        with pytest.raises(StoreAwayError, match="the store is not reached"):
            Bucket(settings(address, tmp_path)).size_bytes("x")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        f"aws_secret_access_key = {SECRET}",
        f"[default]\naws_access_key_id = {SECRET}",
        f"[default]\n{SECRET}",
        f"[other]\naws_access_key_id = key\naws_secret_access_key = {SECRET}",
        f"[default]\naws_access_key_id = key\naws_access_key_id = {SECRET}",
    ],
)
def test_keys_that_cannot_be_read_are_named_and_not_repeated(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "credentials"
    if text is not None:
        path.write_text(text)
    with pytest.raises(OperatorError, match="credentials") as told:
        Bucket(S3Config(bucket="media", credentials=path))
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None or SECRET not in str(told.value.__cause__)


def test_an_authority_that_is_none_is_told(tmp_path: Path) -> None:
    ca = tmp_path / "root.pem"
    for text in (None, "no certificate"):
        if text is not None:
            ca.write_text(text)
        with pytest.raises(OperatorError):
            Bucket(S3Config(bucket="media", endpoint="https://127.0.0.1:1", ca=ca))
