"""One vector of spec/upload.md: requests of a station in order, and what an archive must answer."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

UPLINK, OTHER_UPLINK = "uplink", "other-uplink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Whole lines of a ledger, from ``begin`` up to, not including, ``end``."""

    file: str = "ledger.jws"
    begin: int
    end: int

    @property
    def members(self) -> dict[str, object]:
        return {"file": self.file, "lines": [self.begin, self.end]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """A file, or its beginning."""

    file: str
    end: int | None = None

    @property
    def members(self) -> dict[str, object]:
        return {"file": self.file, **({} if self.end is None else {"bytes": [0, self.end]})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The text itself, so many times in a row."""

    text: str
    times: int = 1

    @property
    def members(self) -> dict[str, object]:
        return {"text": self.text, **({} if self.times == 1 else {"times": self.times})}


Body = Lines | Bytes | Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what is compared of its answer. ``same_as`` is the number of an exchange with the same bytes."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    by: str = UPLINK
    answer: Mapping[str, object] | None = None
    same_as: int | None = None

    @property
    def members(self) -> dict[str, object]:
        """As the vector's JSON has it."""
        request: dict[str, object] = {"by": self.by, "method": self.method, "path": self.path}
        request["headers"] = dict(self.headers)
        if self.body is not None:
            request["body"] = self.body.members
        expected: dict[str, object] = {"status": self.status}
        if self.answer is not None:
            expected["answer"] = dict(self.answer)
        if self.same_as is not None:
            expected["same_as"] = self.same_as
        return {"request": request, "expected": expected}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Exchanges with an archive that knows nothing yet. ``name`` is the file's."""

    name: str
    title: str
    section: str
    exchanges: tuple[Exchange, ...]

    @property
    def description(self) -> bytes:
        """The vector's file."""
        members = {
            "title": self.title,
            "section": self.section,
            "exchanges": [exchange.members for exchange in self.exchanges],
        }
        return (json.dumps(members, indent=2, ensure_ascii=False) + "\n").encode()


def post_lines(body: Body | None = None, *, query: str = "", status: int = 200, **others: object) -> Exchange:
    """``POST /v1/lines``. ``others`` are members of Exchange."""
    headers = {} if body is None else {"Content-Type": "application/vnd.unbroken.lines"}
    members: dict[str, object] = {"headers": headers} | others
    return Exchange(method="POST", path=f"/v1/lines{query}", body=body, status=status, **members)  # type: ignore[arg-type]


def put_media(
    sha256: str, body: Body, *, status: int, bend: Mapping[str, str | None] | None = None, **others: object
) -> Exchange:
    """``PUT /v1/media/…`` with the headers of section 3; ``bend`` replaces them, and takes away those that are None."""
    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    right = {"Content-Type": "video/mp4", "Repr-Digest": f"sha-256=:{digest}:", "Priority": "u=1"}
    headers = {name: value for name, value in {**right, **(bend or {})}.items() if value is not None}
    members: dict[str, object] = {"headers": headers} | others
    return Exchange(method="PUT", path=f"/v1/media/{sha256}", body=body, status=status, **members)  # type: ignore[arg-type]


def post_receipts(text: str, *, status: int = 200, times: int = 1, **others: object) -> Exchange:
    """``POST /v1/receipts``."""
    members: dict[str, object] = {"headers": {"Content-Type": "application/json"}} | others
    body = Text(text=text, times=times)
    return Exchange(method="POST", path="/v1/receipts", body=body, status=status, **members)  # type: ignore[arg-type]


def sha256(data: bytes) -> str:
    """As paths and ``lacks`` name it."""
    return hashlib.sha256(data).hexdigest()
