"""What a real S3 server says to keys, buckets and names; and what the archive says of that server."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from archive.config import S3Config
from archive.store.bucket import Bucket
from archive.store.probe import FOLDER, Guarantees, probe
from archive.store.s3 import S3Store
from archive.store.store import BucketRefusesError, StoreAwayError, TakenError
from base.errors import OperatorError
from tests.engines.gateway import SECRET_KEY, Gateway, write_credentials
from tests.engines.places import S3Place
from tests.engines.plugin import PLAIN, VERSIONED

pytestmark = pytest.mark.engines


@pytest.fixture
def settings(gateway: Gateway, tmp_path: Path) -> S3Config:
    return S3Place(gateway, PLAIN).settings(tmp_path)


def test_a_plain_bucket_refuses_a_second_write_and_a_versioned_one_keeps_both(settings: S3Config) -> None:
    plain, versioned = Bucket(settings), Bucket(replace(settings, bucket=VERSIONED))
    assert probe(plain) == Guarantees(refuses_second=True, keeps_versions=False, deletes=True)
    # Ceph 16 takes the second write silently, although told not to; a later one need not.
    found = probe(versioned)
    assert (found.keeps_versions, found.deletes, found.refuses_second in (True, False)) == (True, True, True)
    assert list(plain.names(FOLDER)) == list(versioned.names(FOLDER)) == [], "no litter"


def test_of_many_writers_at_once_one_is_first(settings: S3Config) -> None:
    bucket = Bucket(settings)

    def put(key: str) -> bool:
        try:
            bucket.put(key, b"x", new=True)
        except TakenError:
            return False
        return True

    keys = [f"race/{number}" for number in range(20)]
    with ThreadPoolExecutor(16) as threads:
        won = list(threads.map(put, keys * 8))
    assert [sum(won[number::20]) for number in range(20)] == [1] * 20


def test_a_second_write_is_refused_as_the_probe_has_said(settings: S3Config) -> None:
    bucket = Bucket(settings)
    bucket.put("x", b"one", new=True)
    with pytest.raises(TakenError):
        bucket.put("x", b"two", new=True)
    assert bucket.read("x", 0, 3) == b"one"


def test_what_the_bucket_guarantees_is_logged_in_words(settings: S3Config, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "archive"):
        S3Store(Bucket(settings)).probe()
    (record,) = caplog.records
    assert record.getMessage() == "the bucket was probed"
    assert "refuses to write a name twice" in record.__dict__["fields"]["it"]


@pytest.mark.parametrize(
    ("key", "secret", "told"),
    [("unbroken-tests", "wrong", "SignatureDoesNotMatch"), ("nobody", SECRET_KEY, "InvalidAccessKeyId")],
)
def test_wrong_keys_are_for_a_person(settings: S3Config, tmp_path: Path, key: str, secret: str, told: str) -> None:
    write_credentials(tmp_path / "wrong", key=key, secret=secret)
    bucket = Bucket(replace(settings, credentials=tmp_path / "wrong"))
    with pytest.raises(OperatorError, match=told) as refused:
        S3Store(bucket).probe()
    assert SECRET_KEY not in str(refused.value)
    with pytest.raises(BucketRefusesError):
        bucket.names("cas/").__next__()


def test_a_bucket_that_is_not_there_is_for_a_person_and_loses_nothing(settings: S3Config) -> None:
    store = S3Store(Bucket(replace(settings, bucket="nowhere")))
    with pytest.raises(OperatorError, match="NoSuchBucket"):
        store.probe()
    with pytest.raises(BucketRefusesError):
        store.missing(["0" * 64])
    with pytest.raises(BucketRefusesError):
        store.open("0" * 64)


def test_keys_of_the_environment_count_where_no_file_is_named(
    settings: S3Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "unbroken-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    S3Store(Bucket(replace(settings, credentials=None))).probe()


def test_tls_where_there_is_none_is_away_and_not_plain_after_all(settings: S3Config) -> None:
    assert settings.endpoint is not None
    endpoint = settings.endpoint.replace("http:", "https:")
    with pytest.raises(StoreAwayError, match="not reached"):
        S3Store(Bucket(replace(settings, endpoint=endpoint, plain_http=False))).probe()
