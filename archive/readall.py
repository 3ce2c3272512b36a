"""``unbroken archive check --read``: every object of the store is read and hashed now, as fast as it goes."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from archive.hashing import Objects, Reading
from archive.index.index import Index
from archive.names import UnitName
from archive.parts import Parts
from archive.store.store import StoreAwayError
from base.errors import OperatorError

_AT_ONCE = 1_024


def bytes_to_read(index: Index) -> int:
    """How much media the index counts as stored; what two units share counts twice."""
    stored = ((index.stored(name), index.digests(name)) for name in index.units())
    return sum(size_bytes for held, named in stored for sha256, size_bytes in named if sha256 in held)


def read_all(parts: Parts, *, threads: int, progress: Callable[[int], None]) -> list[tuple[str, str]]:
    """What is damaged or cannot be read: digest and fault. It counts as stored no more, so that units are asked for it.

    ``progress`` is told of bytes. Raises OperatorError where the store is away.
    """
    found: list[tuple[str, str]] = []
    digests = iter(parts.store.digests())
    with ThreadPoolExecutor(threads, "read-all") as pool:
        try:
            while some := list(islice(digests, _AT_ONCE)):
                read = pool.map(lambda sha256: _read(parts.store, sha256, progress), some)
                found += [(sha256, fault) for sha256, fault in zip(some, read, strict=True) if fault is not None]
        except StoreAwayError as error:
            raise OperatorError(f"The store is away: {error}.", hint="Try again when it can be reached.") from error
    for name in parts.index.units():
        _lose(parts.index, name, [sha256 for sha256, _ in found])
    return found


def _read(store: Objects, sha256: str, progress: Callable[[int], None]) -> str | None:
    reading = Reading(store, sha256)
    try:
        while size_bytes := reading.advance():
            progress(size_bytes)
    finally:
        reading.close()
    return reading.fault


def _lose(index: Index, name: UnitName, digests: Sequence[str]) -> None:
    for at in range(0, len(digests), _AT_ONCE // 4):
        held = index.stored(name, digests[at : at + _AT_ONCE // 4])
        if held:
            index.lose(name, sorted(held))
