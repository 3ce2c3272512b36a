"""The vectors of spec/upload.md for a station: what counts as an answer of an archive, and what does not."""

import json
from dataclasses import dataclass, field
from enum import StrEnum

JSON = "application/json"
HASH, DIGEST = "A" * 43, "0" * 64
LINES: dict[str, object] = {"head": {"seq": 41, "sha256": HASH}, "lacks": [], "receipt": None, "refused": None}
RECEIPT: dict[str, object] = {"receipt": "a.b.c", "lacks": []}


class Outcome(StrEnum):
    """What a station makes of it."""

    TAKEN = "taken"
    BUSY = "busy"
    NO_ANSWER = "no-answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to ``of``: ``lines`` or ``receipts``. ``pause_s`` is what a busy archive asks for, or None."""

    title: str
    outcome: Outcome
    of: str = "lines"
    status: int = 200
    kind: str | None = JSON
    body: object = field(default_factory=lambda: LINES)
    pause: str | None = None
    pause_s: int | None = None

    @property
    def members(self) -> dict[str, object]:
        """As the file has it."""
        headers = {"Content-Type": self.kind, "Retry-After": self.pause}
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        members: dict[str, object] = {
            "title": self.title,
            "of": self.of,
            "status": self.status,
            "headers": {name: value for name, value in headers.items() if value is not None},
            "body": body,
            "outcome": self.outcome,
        }
        return members | ({"pause_s": self.pause_s} if self.outcome is Outcome.BUSY else {})


def _taken(title: str, **members: object) -> Answer:
    return Answer(title=title, outcome=Outcome.TAKEN, **members)  # type: ignore[arg-type]


def _none(title: str, **members: object) -> Answer:
    return Answer(title=title, outcome=Outcome.NO_ANSWER, **members)  # type: ignore[arg-type]


def _busy(title: str, status: int, pause: str | None, pause_s: int | None) -> Answer:
    return Answer(title=title, outcome=Outcome.BUSY, status=status, kind=None, body="", pause=pause, pause_s=pause_s)


def _lines(**bend: object) -> dict[str, object]:
    return LINES | bend


def _without(name: str) -> dict[str, object]:
    return {other: value for other, value in LINES.items() if other != name}


def make_answers() -> list[Answer]:
    """Every one: what is taken, what asks for patience, what is no answer."""
    refused = {"seq": 42, "code": "signature-wrong", "message": "A line's signature does not check."}
    many = [f"{number:064x}" for number in range(513)]
    return [
        _taken("A head, and nothing lacks"),
        _taken("No head yet", body=_lines(head=None)),
        _taken("A receipt, and media that lack", body=_lines(receipt="a.b.c", lacks=[DIGEST])),
        _taken("As many lacking media as an answer may name", body=_lines(lacks=many[:512])),
        _taken("Lines that do not follow", status=409),
        _taken("A refused line", status=422, body=_lines(refused=refused)),
        _taken("Members of a later version", body=_lines(later={"x": [1]})),
        _taken("A type with a parameter", kind="application/json; charset=utf-8"),
        _taken("A receipt for media", of="receipts", body=RECEIPT),
        _taken("Media that lack", of="receipts", body={"receipt": None, "lacks": [DIGEST]}),
        _busy("Busy, and for how long", 503, "5", 5),
        _busy("Busy for more than an hour", 429, "86400", 3_600),
        _busy("Busy until a time that has passed", 503, "Thu, 01 Jan 1970 00:00:00 GMT", 0),
        _busy("Busy, and nothing is said of how long", 503, None, None),
        _busy("Busy for a time that is none", 429, "soon", None),
        _none("The page of a portal", kind="text/html", body="<html><body>Welcome</body></html>"),
        _none("The right words under a wrong type", kind="text/plain"),
        _none("No type", kind=None),
        _none("Sent elsewhere", status=302, kind="text/html", body=""),
        _none("No content", status=204, kind=None, body=""),
        _none("A proxy asks who one is", status=407, kind="text/html", body=""),
        _none("A gateway that reaches nobody", status=502, kind="text/html", body=""),
        _none("Nothing", body=""),
        _none("Cut short", body='{"head": null, "lacks": ['),
        _none("An array", body=[]),
        _none("A name twice", body='{"head":null,"head":null,"lacks":[],"receipt":null,"refused":null}'),
        _none("No head", body=_without("head")),
        _none("No list of what lacks", body=_without("lacks")),
        _none("No receipt, not even null", body=_without("receipt")),
        _none("No word on refusal", body=_without("refused")),
        _none("A head that is a text", body=_lines(head="41")),
        _none("A head without a digest", body=_lines(head={"seq": 41})),
        _none("A negative seq", body=_lines(head={"seq": -1, "sha256": HASH})),
        _none("A seq with a fraction", body=json.dumps(LINES).replace("41", "41.0")),
        _none("A seq beyond all", body=_lines(head={"seq": 2**53, "sha256": HASH})),
        _none("A digest in capitals", body=_lines(lacks=["F" * 64])),
        _none("One lacking medium too many", body=_lines(lacks=many)),
        _none("A receipt that is too long", body=_lines(receipt="x" * 16_385)),
        _none("A refusal without a code", status=422, body=_lines(refused={"seq": 1, "message": "no"})),
        _none("Nested nine deep", body=_lines(later=[[[[[[[[0]]]]]]]])),
        _none("A receipt that is a number", of="receipts", body={"receipt": 1, "lacks": []}),
    ]


def answers_file() -> bytes:
    """``answers.json``."""
    members = [answer.members for answer in make_answers()]
    return (json.dumps(members, indent=2, ensure_ascii=False) + "\n").encode()
