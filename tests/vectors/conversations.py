"""The vectors of spec/upload.md for an archive, by its sections."""

import json
from collections.abc import Sequence

from evidence.lines import line_hash
from tests.vectors.conversation import (
    OTHER_UPLINK,
    Body,
    Bytes,
    Conversation,
    Exchange,
    Lines,
    Text,
    post_lines,
    post_receipts,
    put_media,
)
from tests.vectors.delivered import FORK_SEQ, delivery

END = 10
"""Lines of ``ledger.jws`` in most vectors: without its ``close`` and the line behind it."""
ARMED = ("third", "second", "first")
"""The armed segments that those lines name, the newest first."""
NOTHING: dict[str, object] = {"head": None, "lacks": [], "receipt": None, "refused": None}
NONE_YET = "An archive that knows nothing"


def _conversation(section: str, name: str, title: str, *exchanges: Exchange) -> Conversation:
    return Conversation(name=name, title=title, section=section, exchanges=exchanges)


def _head(seq: int, file: str = "ledger.jws") -> dict[str, object]:
    return {"seq": seq, "sha256": line_hash(delivery().ledgers[file][seq])}


def _digests(names: Sequence[str]) -> list[str]:
    return [delivery().digest(f"{name}.m4s") for name in names]


def _at(seq: int, lacks: Sequence[str] = (), *, file: str = "ledger.jws", refused: str = "") -> dict[str, object]:
    """An answer that acknowledges lines up to ``seq``; ``refused`` is why the next one is not taken."""
    head = _head(seq, file)
    no = {"seq": seq + 1, "code": refused} if refused else None
    return {"head": head, "lacks": _digests(lacks), "receipt": {"kind": "logged", **head}, "refused": no}


def _lines(begin: int, end: int = END, file: str = "ledger.jws") -> Lines:
    return Lines(file=file, begin=begin, end=end)


def _all(**others: object) -> Exchange:
    return post_lines(_lines(0), answer=_at(9, ARMED), **others)  # type: ignore[arg-type]


def _segment(name: str, status: int = 201, *, body: Body | None = None, **others: object) -> Exchange:
    """A segment under its own digest."""
    whole = Bytes(file=f"{name}.m4s")
    return put_media(delivery().digest(whole.file), body or whole, status=status, **others)  # type: ignore[arg-type]


def _receipt(names: Sequence[str], *, lacks: Sequence[str] = (), **others: object) -> Exchange:
    """A receipt is asked for."""
    media = sorted(_digests(names))
    receipt = None if lacks else {"kind": "stored", "media": media}
    answer = {"receipt": receipt, "lacks": sorted(_digests(lacks))}
    return post_receipts(json.dumps({"media": media}), answer=answer, **others)  # type: ignore[arg-type]


def _peers() -> list[Conversation]:
    return [
        _conversation(
            "1",
            "lines-of-another-unit",
            "The uplink of another unit brings the lines",
            post_lines(_lines(0), status=403, by=OTHER_UPLINK),
            post_lines(answer=NOTHING),
        ),
        _conversation(
            "1",
            "media-of-another-unit",
            "The uplink of another unit brings media and asks for a receipt",
            _all(),
            _segment("first", 404, by=OTHER_UPLINK),
            _segment("first"),
            _receipt(["first"], lacks=["first"], by=OTHER_UPLINK),
        ),
    ]


def _good_lines() -> list[Conversation]:
    return [
        _conversation("2", "head", f"{NONE_YET} is asked for the head", post_lines(answer=NOTHING)),
        _conversation("2", "first-lines", "The first lines; then the head is asked for", _all(), post_lines(same_as=0)),
        _conversation(
            "2",
            "lines-in-batches",
            "Lines in two batches",
            post_lines(_lines(0, 7), answer=_at(6, ["first"])),
            post_lines(_lines(7), answer=_at(9, ARMED)),
        ),
        _conversation(
            "2",
            "lines-again",
            "The same lines twice, and the last of them once more",
            _all(),
            _all(same_as=0),
            post_lines(_lines(4), same_as=0),
        ),
        _conversation(
            "2",
            "known-lines-before-new-ones",
            "Lines from behind the head come before the new ones",
            post_lines(_lines(0, 7), answer=_at(6, ["first"])),
            post_lines(_lines(2), answer=_at(9, ARMED)),
        ),
    ]


def _refused_lines() -> list[Conversation]:
    one, many = "x\n", 2_049
    return [
        _conversation(
            "2",
            "lines-that-skip",
            "Lines that do not follow the head",
            post_lines(_lines(1), status=409, answer=NOTHING),
            post_lines(_lines(0, 7), answer=_at(6, ["first"])),
            post_lines(_lines(8), status=409, answer=_at(6, ["first"])),
        ),
        _conversation(
            "2",
            "line-changed",
            "A signature does not check: the lines before it are kept, and the right one follows",
            post_lines(
                _lines(0, file="changed.jws"),
                status=422,
                answer=_at(5, refused="signature-wrong"),
            ),
            post_lines(_lines(6), answer=_at(9, ARMED)),
        ),
        _conversation(
            "2",
            "line-malformed",
            "What comes is no line",
            post_lines(_lines(0), answer=_at(9, ARMED)),
            post_lines(Text(text=one), status=422, answer=_at(9, ARMED, refused="line-malformed")),
        ),
        _conversation(
            "2",
            "line-after-close",
            "A line behind the end of the record",
            post_lines(_lines(0, 12), status=422, answer=_at(10, ARMED, refused="line-after-close")),
        ),
        _conversation(
            "2",
            "certificate-of-a-stranger",
            "The unit's certificate leads to a root that is not trusted",
            post_lines(
                _lines(0, 2, "strange.jws"),
                status=422,
                answer={**NOTHING, "refused": {"seq": 0, "code": "cert-untrusted"}},
            ),
        ),
        _conversation(
            "2",
            "lines-out-of-form",
            "No LF at the end, an empty line, too many lines, too many bytes, another type, another question",
            post_lines(Text(text="x"), status=400),
            post_lines(Text(text="\n"), status=400),
            post_lines(Text(text=one, times=many), status=413),
            post_lines(Text(text=one, times=1 << 20), status=413),
            post_lines(_lines(0), status=415, headers={"Content-Type": "application/json"}),
            post_lines(query="?from=x", status=400),
            post_lines(query="?from=1&branch=1", status=400),
            post_lines(_lines(0), query="?from=1", status=400),
            post_lines(answer=NOTHING),
        ),
    ]


def _media() -> list[Conversation]:
    first = delivery().digest("first.m4s")
    other = "sha-256=:" + "A" * 43 + "=:"
    size = len(delivery().media["first.m4s"])
    return [
        _conversation(
            "3",
            "media",
            "Each segment once and once more, live and as backfill",
            _all(),
            _segment("third"),
            _segment("first", bend={"Priority": "u=6"}),
            _segment("first", 200),
            post_lines(answer=_at(9, ["second"])),
            _segment("second", bend={"Priority": None}),
            post_lines(answer=_at(9)),
        ),
        _conversation(
            "3",
            "media-before-lines",
            "A segment before the line that names it",
            _segment("first", 404),
            _all(),
            _segment("first"),
        ),
        _conversation("3", "unarmed-media", "An UNARMED segment stays on the unit", _all(), _segment("unarmed", 404)),
        _conversation(
            "3",
            "media-damaged",
            "Cut, changed, and another segment's bytes; then the right ones",
            _all(),
            _segment("first", 422, body=Bytes(file="first.m4s", end=size - 1), answer={"code": "media-changed"}),
            _segment("first", 422, body=Bytes(file="second.m4s"), answer={"code": "media-changed"}),
            _receipt(["first"], lacks=["first"]),
            _segment("first"),
        ),
        _conversation(
            "3",
            "media-out-of-form",
            "A digest that is another's or none, another type, too many bytes, none, and a name that is no digest",
            _all(),
            _segment("first", 400, bend={"Repr-Digest": other}),
            _segment("first", 400, bend={"Repr-Digest": None}),
            _segment("first", 415, bend={"Content-Type": "application/octet-stream"}),
            _segment("first", 413, body=Text(text=""), bend={"Content-Length": str((64 << 20) + 1)}),
            _segment("first", 400, body=Text(text="")),
            Exchange(
                method="PUT",
                path=f"/v1/media/{first.upper()}",
                headers={"Content-Type": "video/mp4"},
                body=Bytes(file="first.m4s"),
                status=400,
            ),
            _segment("first"),
        ),
        _conversation(
            "3",
            "media-that-contradict-their-lines",
            "Signed digests of segments that are not what the lines say; a good one behind them",
            post_lines(_lines(0, 10, "contradicting.jws")),
            _segment("fewer-pictures", 422, answer={"code": "media-mismatch"}),
            _segment("of-another-run", 422, answer={"code": "identity-mismatch"}),
            _segment("test-as-live", 422, answer={"code": "test-as-live"}),
            _segment("no-segment", 422, answer={"code": "media-malformed"}),
            _segment("good"),
        ),
    ]


def _receipts() -> list[Conversation]:
    digest, ascending = "0" * 64, [f"{number:064x}" for number in range(129)]
    wrong = [
        {"media": []},
        {"media": [digest, digest]},
        {"media": list(reversed(ascending[:2]))},
        {"media": ascending},
        {"media": ["F" * 64]},
        {"media": digest},
        [digest],
    ]
    return [
        _conversation(
            "4",
            "receipts",
            "What is held and what is not; the same question twice has the same bytes",
            _all(),
            _segment("first"),
            _segment("second"),
            _receipt(["first"]),
            _receipt(ARMED, lacks=["third"]),
            _receipt(["first", "second"]),
            _receipt(["first"], same_as=3),
            _segment("third"),
            _receipt(ARMED),
            _receipt(["first", "second"], same_as=5),
        ),
        _conversation(
            "4",
            "receipts-out-of-form",
            "None, one twice, out of order, too many, no digest, no list, no object, no JSON, too long, another type",
            *(post_receipts(json.dumps(document), status=400) for document in wrong),
            post_receipts("x", status=400),
            post_receipts(" ", times=1 << 20, status=413),
            post_receipts("{}", status=415, headers={"Content-Type": "text/plain"}),
        ),
    ]


def _branches() -> list[Conversation]:
    file, last = "branch.jws", 12
    return [
        _conversation(
            "5",
            "branch",
            "The unit has lost its last lines: it asks for the newest common one and sends its branch",
            _all(),
            post_lines(_lines(FORK_SEQ, 11, file), status=409, answer=_at(9, ARMED)),
            post_lines(query="?from=50", answer={"head": None}),
            post_lines(query=f"?from={FORK_SEQ}", answer={"head": _head(FORK_SEQ)}),
            post_lines(query=f"?from={FORK_SEQ - 1}", answer={"head": _head(FORK_SEQ - 1)}),
            post_lines(_lines(FORK_SEQ, 11, file), query=f"?branch={FORK_SEQ}", answer=_at(10, ARMED, file=file)),
            post_lines(_lines(11, last + 1, file), answer=_at(last, ("after-power-cut", *ARMED), file=file)),
            post_lines(query=f"?from={FORK_SEQ}", answer={"head": _head(FORK_SEQ, file)}),
            post_lines(same_as=6),
            _segment("after-power-cut"),
            _segment("third"),
            _receipt(["after-power-cut", "third"]),
        ),
        _conversation(
            "5",
            "branch-that-follows-nothing",
            "A branch whose first line follows no line that the archive has",
            post_lines(_lines(0, 4), answer=_at(3)),
            post_lines(_lines(FORK_SEQ, 11, file), query=f"?branch={FORK_SEQ}", status=409, answer=_at(3)),
            post_lines(query="?from=0", answer={**NOTHING, "head": _head(0)}),
        ),
    ]


def make_conversations() -> list[Conversation]:
    """Every vector, in the order of the specification."""
    return [*_peers(), *_good_lines(), *_refused_lines(), *_media(), *_receipts(), *_branches()]
