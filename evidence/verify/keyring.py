"""Steps 1 to 3 of spec/verify.md: whether a line can be read, and whose it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from evidence.certificate import Certified, Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.jws import Token, unseal
from evidence.keys import PublicKey
from evidence.lines import Line, Start, line_hash, read_payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A recorder process: what its ``start`` line enrolled."""

    kid: str
    point: bytes
    number: int
    start: Start


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """A signature that is still to be checked, by any process: ``signature`` over ``signed`` with ``point``."""

    point: bytes
    signed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A line after steps 1 and 2. Where ``session`` is None, it is refused: ``refusal`` is why, or None where an
    earlier finding covers it. ``line`` is what it says, where that could be read. ``check`` is step 3, where that
    is not yet done.
    """

    digest: str
    line: Line | None
    payload: bytes = b""
    session: Session | None = None
    check: SignatureCheck | None = None
    certified: Certified | None = None
    refusal: Code | None = None
    detail: str = ""


def check_signatures(checks: Sequence[SignatureCheck]) -> list[bool]:
    """Step 3 for many lines."""
    keys: dict[bytes, PublicKey] = {}
    results: list[bool] = []
    for check in checks:
        key = keys.get(check.point)
        if key is None:
            key = keys[check.point] = PublicKey(check.point)
        results.append(key.verifies(check.signed, check.signature))
    return results


class Keyring:
    """Who may sign what. Lines are opened in the order of the file; ``start`` lines enrol session keys.

    The signatures of ``start`` lines are checked at once, since every later line depends on them. A session whose
    ``start`` was refused is disowned: its lines count for nothing, and the finding on the ``start`` covers them.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._session: Session | None = None
        self._enrolled: dict[str, str] = {}
        """Session keys, and the digest of the line that enrolled each."""
        self._disowned: set[str] = set()
        self._unread = False
        """Whether a line was refused unread since the last good one: it may have been a ``start``."""
        self.claimed: Start | None = None
        """The first ``start`` that could be read, whether or not it was refused."""
        self._first: Start | None = None

    def open(self, text: bytes) -> Opened:
        """Steps 1 and 2 for the next line, given without its LF."""
        digest = line_hash(text)
        try:
            token = unseal(text)
            line = read_payload(token.payload)
        except EvidenceError as error:
            self._unread = True
            return Opened(digest, None, refusal=error.code, detail=str(error))
        if isinstance(line.body, Start):
            return self._open_start(digest, token, line, line.body)
        session = self._session
        if session is not None and token.kid == session.kid:
            self._unread = False
            check = SignatureCheck(session.point, token.signed, token.signature)
            return Opened(digest, line, token.payload, session, check)
        return Opened(digest, line, token.payload, refusal=self._stranger(token.kid))

    def _stranger(self, kid: str) -> Code | None:
        """The code for a key that is not the session's; None where an earlier finding covers it."""
        if kid in self._enrolled:
            return Code.KEY_STALE
        if kid in self._disowned:
            return None
        if self._unread:
            self._unread = False
            self._disowned.add(kid)
            return None
        return Code.KEY_UNKNOWN if self.claimed else None

    def _open_start(self, digest: str, token: Token, line: Line, start: Start) -> Opened:
        self.claimed = self.claimed or start
        try:
            certified = self._judge(token, start)
            if self._enrolled.get(start.kid, digest) != digest:
                raise EvidenceError(Code.KEY_STALE, "the start enrols the key of an earlier session once more")
        except EvidenceError as error:
            if start.kid not in self._enrolled:
                self._disowned.add(start.kid)
            return Opened(digest, line, token.payload, refusal=error.code, detail=str(error))
        self._first = self._first or start
        self._unread = False
        session = Session(kid=start.kid, point=start.session, number=len(self._enrolled), start=start)
        if start.kid not in self._enrolled:
            self._enrolled[start.kid] = digest
            self._session = session
        return Opened(digest, line, token.payload, session, certified=certified)

    def _judge(self, token: Token, start: Start) -> Certified:
        certified = self._trust.check(start.certs)
        subject = certified.subject
        if subject.role != "unit":
            raise EvidenceError(Code.CERT_UNTRUSTED, "the certificate is not a unit's")
        for name, code in _SUBJECTS:
            certified_name, started = getattr(subject, name), getattr(start, name)
            if certified_name != started:
                raise EvidenceError(code, f"the certificate names {certified_name}, the line {started}")
        first = self._first or start
        if any(getattr(first, name) != getattr(start, name) for name, _ in _SUBJECTS):
            raise EvidenceError(Code.START_MISMATCH, f"{start.election} {start.station} {start.unit}")
        if token.kid != certified.kid:
            raise EvidenceError(Code.KEY_UNKNOWN, "a start line is not signed by the key of its certificate")
        if not PublicKey(certified.point).verifies(token.signed, token.signature):
            raise EvidenceError(Code.SIGNATURE_WRONG, "")
        try:
            PublicKey(start.session)
        except ValueError as error:
            raise EvidenceError(Code.PAYLOAD_MALFORMED, "session: not a point of P-256") from error
        return certified


_SUBJECTS = (
    ("election", Code.CERT_WRONG_ELECTION),
    ("station", Code.CERT_WRONG_STATION),
    ("unit", Code.CERT_WRONG_UNIT),
)
