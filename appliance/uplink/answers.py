"""What the archive answers, in the one form that spec/upload.md gives it. Anything else is no answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from appliance.uplink.plan import MOST_LACKS, MOST_RECEIPT
from base.errors import PeerError
from evidence import jws
from evidence.members import DIGEST, HASH, WORD, decode, member, natural, nullable, optional, text, tuple_of
from evidence.receipt import MAX_BYTES

T = TypeVar("T")
MOST_ANSWER_BYTES = 256 << 10
MOST_PAUSE_S = 3_600


class BusyError(PeerError):
    """The archive has too much to do: it is left in peace for ``pause_s``, or for as long as seems wise where None."""

    def __init__(self, message: str, pause_s: float | None) -> None:
        super().__init__(message, retry=True)
        self.pause_s = pause_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A line by its place and digest."""

    seq: int = member(natural)
    sha256: str = member(HASH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why something was not taken; ``seq`` is that of a line."""

    code: str = member(WORD)
    message: str = member(text(1_000))
    seq: int | None = optional(nullable(natural), None)


def _head(value: object) -> Head:
    return decode(Head, _object(value))


def _refused(value: object) -> Refused:
    return decode(Refused, _object(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesAnswer:
    """Section 2."""

    head: Head | None = member(nullable(_head))
    lacks: tuple[str, ...] = member(tuple_of(DIGEST, 0, MOST_LACKS))
    receipt: str | None = member(nullable(text(MAX_BYTES)))
    refused: Refused | None = member(nullable(_refused))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptAnswer:
    """Section 4."""

    receipt: str | None = member(nullable(text(MAX_BYTES)))
    lacks: tuple[str, ...] = member(tuple_of(DIGEST, 0, MOST_RECEIPT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def read(self, cls: type[T]) -> T:
        """The body as what the page says it is. Raises PeerError: then something else than the archive answered."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            if kind != "application/json":
                raise ValueError(f"it is {kind or 'of no type'}")
            return decode(cls, jws.parse(self.body))
        except ValueError as error:
            raise PeerError(f"what answers does not speak as an archive does: {error}", retry=True) from error

    def require(self, *statuses: int) -> None:
        """Raises BusyError for 429 and 503, PeerError for any other status than these."""
        if self.status in statuses:
            return
        if self.status in (429, 503):
            raise BusyError("the archive asks for patience", pause_s(self.headers.get("Retry-After")))
        if self.status == 403:
            raise PeerError("the archive does not know this unit, or not under this certificate (403)", retry=True)
        raise PeerError(f"what answers does not speak as an archive does: status {self.status}", retry=True)


def pause_s(value: str | None, now: datetime | None = None) -> float | None:
    """What Retry-After asks for (RFC 9110, section 10.2.3), at most an hour; None where it says nothing usable."""
    if value is None:
        return None
    seconds = value.strip()
    if seconds.isdecimal():
        return float(min(int(seconds[:9]), MOST_PAUSE_S))
    try:
        until = parsedate_to_datetime(value)
        left_s = (until - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(left_s, 0.0), float(MOST_PAUSE_S))


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("is not an object")
    return value
