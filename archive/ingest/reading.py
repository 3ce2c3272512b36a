"""Lines as the archive takes them: each verified before it counts (spec/verify.md, steps 1 to 4). No input, no output.

A verifier goes on after damage, since a record may be all that is left. The archive does not: a unit that is well has
a ledger without any, so the first line that does not verify ends what is taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive.finding import Oddity
from archive.names import UnitName
from evidence.certificate import Certified, Trust
from evidence.codes import MEANINGS, Code
from evidence.jws import unseal
from evidence.lines import Close, Line, Start, genesis, line_hash, read_payload
from evidence.verify.keyring import Keyring, Opened, Session, check_signatures


class OtherUnitError(Exception):
    """A line is of another election, station or unit than the connection; ``code`` says which."""

    def __init__(self, code: Oddity, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a line is not taken. ``seq`` is what it claims, or the place where it stands."""

    seq: int
    code: Code
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A line that others may follow. ``closed`` where none may."""

    seq: int
    sha256: str
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodLine:
    """A line that verifies, and the session that signed it."""

    text: bytes
    sha256: str
    line: Line
    session: Session


class Reader:
    """Who may speak at some point of a branch. Built from the ``start`` lines before it, which were verified once.

    After a refusal it is of no use any more: lines behind the refused one may have enrolled keys.
    """

    def __init__(self, name: UnitName, election: str, trust: Trust, starts: Iterable[bytes]) -> None:
        self._name, self._election = name, election
        self.trust = trust
        self._keyring = Keyring(trust)
        self._certified: Certified | None = None
        self.boots: dict[str, str] = {}
        """The kernel boot of each session."""
        for text in starts:
            self._open(text)

    def read(
        self, texts: Sequence[bytes], head: Head | None, *, now_us: int | None
    ) -> tuple[list[GoodLine], Refusal | None]:
        """The lines behind ``head`` that verify, and why the next one does not.

        ``now_us`` is the archive's time: what a certificate signs after its revocation is refused, whatever time the
        line claims. Raises OtherUnitError.
        """
        found: list[tuple[bytes, Opened]] = []
        refusal: Refusal | None = None
        for text in texts:
            opened = self._open(text)
            refusal = self._judge(opened, head, now_us)
            if refusal is not None:
                break
            assert opened.line is not None
            head = Head(seq=opened.line.seq, sha256=opened.digest, closed=isinstance(opened.line.body, Close))
            found.append((text, opened))
        checks = [(at, opened.check) for at, (_, opened) in enumerate(found) if opened.check is not None]
        for (at, _), good in zip(checks, check_signatures([check for _, check in checks]), strict=True):
            if not good:
                line = found[at][1].line
                assert line is not None
                refusal = _refuse(line.seq, Code.SIGNATURE_WRONG)
                del found[at:]
                break
        return [_good(text, opened) for text, opened in found], refusal

    def _open(self, text: bytes) -> Opened:
        opened = self._keyring.open(text)
        body = None if opened.line is None else opened.line.body
        if isinstance(body, Start):
            code = self._other(body)
            if code is not None:
                whose = f"election {body.election}, station {body.station}, unit {body.unit}"
                raise OtherUnitError(code, f"a line is of {whose}")
            if opened.session is not None:
                self._certified = opened.certified
                self.boots[body.kid] = body.boot_id
        return opened

    def _other(self, start: Start) -> Oddity | None:
        if start.election != self._election:
            return Oddity.WRONG_ELECTION
        if start.station != self._name.station:
            return Oddity.WRONG_STATION
        return None if start.unit == self._name.unit else Oddity.WRONG_UNIT

    def _judge(self, opened: Opened, head: Head | None, now_us: int | None) -> Refusal | None:
        line = opened.line
        expected = 0 if head is None else head.seq + 1
        if line is None or opened.session is None:
            seq = expected if line is None else line.seq
            return _refuse(seq, opened.refusal or Code.KEY_UNKNOWN, opened.detail)
        if head is not None and head.closed:
            return _refuse(line.seq, Code.LINE_AFTER_CLOSE)
        if line.seq != expected:
            code = Code.LINE_MISSING if line.seq > expected else Code.LINE_REORDERED
            return _refuse(line.seq, code, f"line {expected} is due")
        before = genesis(self._election, self._name.station, self._name.unit) if head is None else head.sha256
        if line.prev != before:
            return _refuse(line.seq, Code.PREV_MISMATCH if head else Code.HEAD_MISSING)
        if head is None and not isinstance(line.body, Start):
            return _refuse(line.seq, Code.HEAD_MISSING, "line 0 is no start")
        revoked_us = None if self._certified is None else self._certified.revoked_us
        if revoked_us is not None and (now_us is None or now_us >= revoked_us):
            return _refuse(line.seq, Code.CERT_REVOKED)
        return None


def peek(text: bytes) -> Line:
    """What a line says, whoever signed it. Raises EvidenceError."""
    return read_payload(unseal(text).payload)


def split_lines(body: bytes) -> list[bytes]:
    """Whole lines without their LF. Raises ValueError where the last one has none, or one is empty."""
    if not body:
        return []
    if not body.endswith(b"\n"):
        raise ValueError("the last line does not end with LF")
    texts = body[:-1].split(b"\n")
    if not all(texts):
        raise ValueError("a line is empty")
    return texts


def digests(texts: Sequence[bytes]) -> list[str]:
    """The digest of each line, as the next one's ``prev`` names it."""
    return [line_hash(text) for text in texts]


def _good(text: bytes, opened: Opened) -> GoodLine:
    assert opened.line is not None
    assert opened.session is not None
    return GoodLine(text=text, sha256=opened.digest, line=opened.line, session=opened.session)


def _refuse(seq: int, code: Code, detail: str = "") -> Refusal:
    sentence = MEANINGS[code].sentence
    return Refusal(seq=seq, code=code, message=f"{sentence} {detail}".strip())
