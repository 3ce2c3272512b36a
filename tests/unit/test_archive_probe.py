"""Buckets that behave in every way that stores do, and what the archive makes of it."""

from collections.abc import Iterable

import pytest

from archive.store.probe import Guarantees, probe
from archive.store.store import BucketRefusesError, StoreAwayError, TakenError
from base.errors import OperatorError


class FakeBucket:
    """Honest, unless it is told otherwise."""

    def __init__(self, *, fail_at: int = 0, error: Exception | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self.conditional: bool | None = True
        self.versions = self.stale_reads = self.stale_lists = self.lossy = self.keeps = False
        self._calls, self._fail_at, self._error = 0, fail_at, error

    def put(self, key: str, data: bytes, *, new: bool = False) -> str | None:
        self._step()
        if new and self.conditional is None:
            raise StoreAwayError("the store answers 501 Not Implemented")
        if new and self.conditional and key in self.objects:
            raise TakenError(key)
        if not self.lossy and not (self.stale_reads and key in self.objects):
            self.objects[key] = data
        return "v1" if self.versions else None

    def read(self, key: str, start: int, end: int) -> bytes:
        self._step()
        if key not in self.objects:
            raise FileNotFoundError(key)
        return self.objects[key][start:end]

    def size_bytes(self, key: str) -> int | None:
        self._step()
        return len(self.objects[key]) if key in self.objects else None

    def names(self, folder: str) -> Iterable[tuple[str, int]]:
        self._step()
        return [] if self.stale_lists else [(key, len(data)) for key, data in self.objects.items()]

    def delete(self, key: str) -> None:
        self._step()
        if self.keeps:
            raise BucketRefusesError("the store answers 403 Forbidden")
        self.objects.pop(key, None)

    def _step(self) -> None:
        self._calls += 1
        if self._error is not None and self._calls > self._fail_at:
            raise self._error


def test_a_bucket_that_holds_to_everything_is_taken_and_left_as_it_was() -> None:
    bucket = FakeBucket()
    assert probe(bucket) == Guarantees(refuses_second=True, keeps_versions=False, deletes=True)
    assert bucket.objects == {}


@pytest.mark.parametrize(
    ("conditional", "words"),
    [
        (False, "writes a name twice although told not to"),
        (None, "cannot be asked to write a name once only"),
        (True, "refuses to write a name twice"),
    ],
)
def test_what_only_weakens_is_told_in_words(conditional: bool | None, words: str) -> None:
    bucket = FakeBucket()
    bucket.conditional, bucket.versions = conditional, True
    told = probe(bucket).words()
    assert words in told
    assert "keeps every version" in told


def test_a_bucket_where_nobody_may_delete_is_taken() -> None:
    bucket = FakeBucket()
    bucket.keeps = True
    assert not probe(bucket).deletes
    assert len(bucket.objects) == 1
    assert probe(bucket).words()[-1].startswith("has not let an object be deleted")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("lossy", "cannot be read back"),
        ("stale_lists", "does not list"),
        ("stale_reads", "written anew is not what is read"),
    ],
)
def test_a_bucket_that_is_behind_itself_is_refused(wrong: str, told: str) -> None:
    bucket = FakeBucket()
    setattr(bucket, wrong, True)
    with pytest.raises(OperatorError, match=told):
        probe(bucket)
    assert bucket.objects == {}


@pytest.mark.parametrize("step", range(6))
def test_a_bucket_that_goes_away_is_away_and_one_that_refuses_is_for_a_person(step: int) -> None:
    with pytest.raises(StoreAwayError):
        probe(FakeBucket(fail_at=step, error=StoreAwayError("the store is not reached: it has gone")))
    with pytest.raises(OperatorError, match="403"):
        probe(FakeBucket(fail_at=step, error=BucketRefusesError("the store answers 403 Forbidden")))
