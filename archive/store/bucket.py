"""A bucket of an S3 store: the only door to obstore. Names in, bytes out, and errors by what can be done about them.

Each call ends within a bounded time, its retries included. What an error says holds no body of an answer: there a
server may repeat what was signed.
"""

import configparser
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from archive.config import S3Config as Settings
from archive.store.store import BucketRefusesError, StoreAwayError, TakenError
from base.errors import OperatorError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

_CONNECT_S = 5
_ASK_S, _MOVE_S = 10, 60
"""For a question, and for an object of at most 64 MiB."""
_RETRIES = 2
_PIECE_BYTES = 1 << 20
_PAGE = 1_000
_STATUS = re.compile(r"non-2xx status code: (\d{3}[ A-Za-z]*)")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")
_NO = ("answers 401", "answers 403", "NoSuchBucket", "PermanentRedirect", "InvalidBucketName")


class Bucket:
    """Any thread may call it. Every method may raise StoreAwayError, of which BucketRefusesError is one."""

    def __init__(self, settings: Settings) -> None:
        """Asks nobody yet. Raises OperatorError for files that cannot be read."""
        self._prefix = settings.prefix
        self._asking = _client(settings, timeout_s=_ASK_S)
        self._moving = _client(settings, timeout_s=_MOVE_S)

    def put(self, key: str, data: bytes, *, new: bool = False) -> str | None:
        """Durable on return, as the store promises. Returns the version, where the bucket keeps them.

        Raises TakenError where it was to be ``new`` and the bucket sees that it is not.
        """
        try:
            with _reaching(nothing_is_no=True):
                result = self._moving.put(
                    self._prefix + key, data, mode="create" if new else "overwrite", use_multipart=False
                )
        except AlreadyExistsError as error:
            raise TakenError(key) from error
        return result["version"]

    def size_bytes(self, key: str) -> int | None:
        """How long the object is; None where there is none, or no bucket: ``names`` tells the two apart."""
        try:
            with _reaching():
                found = self._asking.head(self._prefix + key)
        except FileNotFoundError:
            return None
        _require_store(found["e_tag"])
        return found["size"]

    def read(self, key: str, start: int, end: int) -> bytes:
        """Bytes from ``start`` to before ``end``, neither beyond the object's. Raises FileNotFoundError."""
        with _reaching():
            return bytes(self._moving.get_range(self._prefix + key, start=start, end=end))

    def sha256(self, key: str) -> str | None:
        """The digest of all its bytes, read now; None where there is no object, or no bucket."""
        digest = hashlib.sha256()
        try:
            with _reaching():
                found = self._moving.get(self._prefix + key)
                _require_store(found.meta["e_tag"])
                for piece in found.stream(min_chunk_size=_PIECE_BYTES):
                    digest.update(piece)
        except FileNotFoundError:
            return None
        return digest.hexdigest()

    def copy(self, key: str, to: str) -> None:
        """The same bytes under another name as well."""
        with _reaching(nothing_is_no=True):
            self._moving.copy(self._prefix + key, self._prefix + to, overwrite=True)

    def delete(self, key: str) -> None:
        """Take an object away. Idempotent."""
        with _reaching():
            self._asking.delete(self._prefix + key)

    def names(self, folder: str, after: str = "") -> Iterator[tuple[str, int]]:
        """Every name below ``folder`` that comes behind ``after``, in ascending order, and how long it is."""
        offset = self._prefix + after if after else None
        with _reaching():
            for page in self._asking.list(self._prefix + folder, offset=offset, chunk_size=_PAGE):
                for each in page:
                    yield each["path"].removeprefix(self._prefix), each["size"]


@contextmanager
def _reaching(*, nothing_is_no: bool = False) -> Iterator[None]:
    """Errors of obstore as this module's; ``nothing_is_no``: that nothing is there can only be said of the bucket."""
    try:
        yield
    except AlreadyExistsError:
        raise
    except FileNotFoundError as error:
        if nothing_is_no:
            raise BucketRefusesError(_words(error)) from error
        raise
    except BaseError as error:
        told = _words(error)
        raise (BucketRefusesError if any(each in told for each in _NO) else StoreAwayError)(told) from error


def _require_store(e_tag: str | None) -> None:
    """Every store names the state of an object; a page that stands before it does not."""
    if e_tag is None:
        raise StoreAwayError("what answers is no store")


def _words(error: Exception) -> str:
    """What happened, without addresses of proxies, signatures and bodies."""
    text = str(error).partition("\n")[0]
    status, code = _STATUS.search(text), _CODE.search(text)
    if status is not None:
        return f"the store answers {status[1].strip()}" + (f" ({code[1]})" if code else "")
    return f"the store is not reached: {text.rpartition(' - ')[2].partition('<')[0].strip()[:200]}"


def _client(settings: Settings, *, timeout_s: int) -> S3Store:
    options: ClientConfig = {
        "allow_http": settings.plain_http,
        "connect_timeout": timedelta(seconds=_CONNECT_S),
        "timeout": timedelta(seconds=timeout_s),
    }
    if settings.ca is not None:
        options["root_certificate"] = _read(settings.ca)
    retries: RetryConfig = {
        "max_retries": _RETRIES,
        "retry_timeout": timedelta(seconds=timeout_s),
        "backoff": {"max_backoff": timedelta(seconds=1)},
    }
    config: S3Config = {"region": settings.region, "virtual_hosted_style_request": not settings.path_style}
    if settings.endpoint is not None:
        config["endpoint"] = settings.endpoint
    if settings.credentials is not None:
        config |= _credentials(settings.credentials)
    try:
        return S3Store(settings.bucket, config=config, client_options=options, retry_config=retries)
    except (BaseError, ValueError) as error:
        raise OperatorError(f"The bucket cannot be used: {_words(error)}.", hint="Look at the section [s3].") from error


def _credentials(path: Path) -> "S3Config":
    """Profile ``default`` of a file of Amazon's form."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_read(path))
        values = parser["default"]
        config: S3Config = {
            "access_key_id": values["aws_access_key_id"],
            "secret_access_key": values["aws_secret_access_key"],
        }
    except (KeyError, configparser.Error) as error:
        # Of the file itself nothing is repeated.
        raise OperatorError(
            f"{path} holds no keys.",
            hint="It wants a section [default] with aws_access_key_id and aws_secret_access_key.",
        ) from (error if isinstance(error, KeyError) else None)
    if "aws_session_token" in values:
        config["session_token"] = values["aws_session_token"]
    return config


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise OperatorError(f"{path} cannot be read: {error}.", hint="Look at the section [s3].") from error
