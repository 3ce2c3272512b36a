"""The generated parts of pages: the list of cases, and the examples of the specification."""

import hashlib
import json
import textwrap
from collections.abc import Sequence

from evidence import base64url
from tests.vectors.case import Case, Layer
from tests.vectors.conversation import Conversation
from tests.vectors.media import list_boxes

_EXAMPLE_SEQ = 5
"""The line of one-camera that names its first segment."""


def between(page: str, marker: str, text: str) -> str:
    """``page`` with ``text`` between its ``begin`` and ``end`` comments of that name."""
    begin, end = f"<!-- {marker}:begin -->", f"<!-- {marker}:end -->"
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no {begin} … {end}")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def table(cases: Sequence[Case]) -> str:
    """The cases as two tables."""
    good = [case for case in cases if case.layer is Layer.NONE]
    wrong = [case for case in cases if case.layer is not Layer.NONE]
    lines = [f"### Nothing is wrong ({len(good)})", "", "| case | what | verdict | codes |", "|---|---|---|---|"]
    lines += [f"| `{case.name}` | {case.heading} | {case.verdict} | {_codes(case)} |" for case in good]
    lines += ["", f"### Something is wrong or missing ({len(wrong)})", ""]
    lines += ["| case | what is wrong | layer | verdict | codes |", "|---|---|---|---|---|"]
    lines += [f"| `{case.name}` | {case.wrong} | {case.layer} | {case.verdict} | {_codes(case)} |" for case in wrong]
    return "\n".join(lines)


def list_conversations(conversations: Sequence[Conversation]) -> str:
    """The vectors of spec/upload.md as a table."""
    lines = ["| conversation | section | what |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| `{each.name}` | {each.section} | {each.title} |" for each in conversations)])


def _codes(case: Case) -> str:
    return ", ".join(f"`{code}`" for code in sorted(case.codes))


def ledger_example(case: Case) -> str:
    """One line of the case: raw, and taken apart."""
    line = case.files["ledger.jws"].split(b"\n")[_EXAMPLE_SEQ]
    header, payload, signature = (base64url.decode(part) for part in line.split(b"."))
    after = json.loads(base64url.decode(case.files["ledger.jws"].split(b"\n")[_EXAMPLE_SEQ + 1].split(b".")[1]))
    return "\n".join(
        (
            f"Line {_EXAMPLE_SEQ} of `tests/vectors/cases/one-camera/ledger.jws`, wrapped here, {len(line)} bytes:",
            "",
            _fenced(_wrapped(line.decode())),
            "",
            "Its three parts, decoded: header, payload (one line in the file; indented here), signature in hex:",
            "",
            _fenced(header.decode()),
            "",
            _fenced(_indented(payload), "json"),
            "",
            _fenced(_wrapped(signature.hex())),
            "",
            "`prev` is the SHA-256 of line 4. The SHA-256 of this line, without its LF, is the `prev` of line 6:",
            "",
            _fenced(after["prev"]),
        )
    )


def segment_example(case: Case) -> str:
    """The file that the ledger's example names: its boxes and its identity."""
    payload = json.loads(base64url.decode(case.files["ledger.jws"].split(b"\n")[_EXAMPLE_SEQ].split(b".")[1]))
    path = next(name for name in case.files if name.endswith("cam1/0/000000.m4s"))
    data = case.files[path]
    rows = [f"{'offset':>6}  {'size':>5}  type"]
    rows += [f"{line.offset:6}  {line.size:5}  {line.kind}" for line in list_boxes(data)]
    identity = data[24 : int.from_bytes(data[:4], "big")]
    return "\n".join(
        (
            f"The first segment of `tests/vectors/cases/one-camera`, {len(data)} bytes, ten pictures in two seconds:",
            "",
            _fenced(_wrapped(path)),
            "",
            _fenced("\n".join(rows)),
            "",
            f"The identity, from byte 24 to byte {24 + len(identity) - 1} (one line in the file; indented here):",
            "",
            _fenced(_indented(identity), "json"),
            "",
            "`sha256sum` of the file is what its ledger line says (spec/ledger.md, section 1):",
            "",
            _fenced(payload["sha256"]),
        )
    )


def clip_example(case: Case) -> str:
    """A clip's boxes, the lines in its second segment's proof, and that segment's digest."""
    data = case.files["clip.mp4"]
    boxes = list_boxes(data)
    rows = [f"{'offset':>6}  {'size':>5}  type"]
    rows += [f"{line.offset:6}  {line.size:5}  {line.kind}" for line in boxes]
    second = boxes[6]
    texts = data[second.offset + 24 : second.offset + second.size].splitlines()
    told = []
    for text in texts:
        said = json.loads(base64url.decode(text.split(b".")[1]))
        told.append(f"line {said['seq']:2}  {said['kind']:8} {len(text):5} bytes")
    last = json.loads(base64url.decode(texts[-1].split(b".")[1]))
    begin = boxes[8].offset + 8
    assert hashlib.sha256(data[begin : begin + last["size"]]).hexdigest() == last["sha256"]
    return "\n".join(
        (
            f"`tests/vectors/cases/clip/clip.mp4`, three segments of two seconds, {len(data)} bytes:",
            "",
            _fenced("\n".join(rows)),
            "",
            "The texts in the proof box of the second segment:",
            "",
            _fenced("\n".join(told)),
            "",
            f"Line {last['seq']} names the segment that is the payload of the `mdat` behind it, by its SHA-256:",
            "",
            _fenced(f"tail -c +{begin + 1} clip.mp4 | head -c {last['size']} | sha256sum"),
            "",
            _fenced(last["sha256"]),
        )
    )


def _wrapped(text: str) -> str:
    return "\n".join(text[at : at + 100] for at in range(0, len(text), 100))


def _indented(payload: bytes) -> str:
    return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)


def _fenced(text: str, language: str = "") -> str:
    return f"```{language}\n{textwrap.dedent(text)}\n```"
