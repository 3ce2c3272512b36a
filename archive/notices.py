"""The authority's notices: a folder of signed files, ``1.jws`` onwards, that only grows."""

from dataclasses import dataclass
from pathlib import Path

from base.durable import Disk
from base.errors import OperatorError
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.jws import MAX_BYTES
from evidence.notice import Notice, notice_digest, read_notice

FOLDER = "notices"
"""In the archive's ``data``."""
MOST = 1_000
_HINT = "The authority signs it anew, with the next number and the digest of the notice before."


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A notice that checks, as it was signed, and its SHA-256."""

    notice: Notice
    signed: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """All notices up to the first that does not check; ``broken`` says which file that is and why, else nothing."""

    published: tuple[Published, ...] = ()
    broken: str = ""


def read_notices(folder: Path, election: str, trust: Trust) -> Notices:
    """What the folder holds; nothing where there is none. At most ``MOST``. Raises OSError where it cannot be read."""
    published: list[Published] = []
    prev = ""
    for number in range(1, MOST + 1):
        path = folder / f"{number}.jws"
        try:
            signed = _read(path)
            notice = _next(signed, election, trust, number, prev)
        except FileNotFoundError:
            break
        except ValueError as error:
            return Notices(published=tuple(published), broken=f"{path.name}: {error}")
        prev = notice_digest(signed)
        published.append(Published(notice=notice, signed=signed, sha256=prev))
    return Notices(published=tuple(published))


def append_notice(source: Path, folder: Path, election: str, trust: Trust, disk: Disk) -> Published:
    """Check the signed file ``source`` and put it behind the last notice, durable on return.

    The same file again is no error; another one with a number that is taken is refused. Raises OperatorError.
    """
    try:
        signed = _read(source)
        held = read_notices(folder, election, trust)
        if held.broken:
            raise OperatorError(f"The folder {folder} is damaged: {held.broken}.", hint="Bring it back from a copy.")
        digest = notice_digest(signed)
        for each in held.published:
            if each.sha256 == digest:
                return each
        last = held.published[-1].sha256 if held.published else ""
        number = len(held.published) + 1
        if number > MOST:
            raise OperatorError(f"There are {MOST} notices, more are not taken.")
        notice = _next(signed, election, trust, number, last)
        disk.make_directory(folder)
        disk.put(folder / f"{number}.jws", signed.encode() + b"\n")  # COMMIT
    except EvidenceError as error:
        raise OperatorError(f"{source} is no notice of this election: {error}.", hint=_HINT) from error
    except ValueError as error:
        raise OperatorError(f"{source} is not the next notice: {error}.", hint=_HINT) from error
    except OSError as error:
        raise OperatorError(f"{error.filename or source} cannot be used: {error.strerror}.") from error
    return Published(notice=notice, signed=signed, sha256=digest)


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 2)
    return data.removesuffix(b"\n").decode("ascii")


def _next(signed: str, election: str, trust: Trust, number: int, prev: str) -> Notice:
    """Raises ValueError, EvidenceError among them."""
    if not trust.roots:
        raise ValueError("there is no election root to check it by")
    notice = read_notice(signed, trust)
    if notice.election != election:
        raise ValueError(f"it is of the election {notice.election}")
    if notice.number != number:
        raise ValueError(f"its number is {notice.number}, not {number}")
    if notice.prev != prev:
        raise ValueError("it does not name the notice before it")
    return notice
