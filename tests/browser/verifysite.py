"""A vector as a public site has it: files at the addresses that the verify page asks for, and the page."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SITE = Path(__file__).parents[2] / "archive" / "site"
CASES = Path(__file__).parents[1] / "vectors" / "cases"
PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'self'; img-src 'self' data:; base-uri 'none'">
<title>Verify</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/verifypage/verifypage.css">
<script type="module" src="/static/verifypage/page.js"></script></head>
<body><main><h1>Verify</h1><div id="verifier" data-lang="{lang}" data-zone="Asia/Baku"></div></main></body></html>
"""
STATION, UNIT, CAMERA = "57-002", "u-0001", "cam1"


def lay_out(folder: Path, case: Path = CASES / "one-camera") -> None:
    """Everything of a record of one unit and one boot whose clock was right, as a site serves it, under ``folder``."""
    (folder / "static").mkdir()
    for name in ("verifier", "verifypage"):
        (folder / "static" / name).symlink_to(SITE / name)
    for lang in ("az", "en", "ru"):
        _write(folder / lang / "verify.html", PAGE.format(lang=lang).encode())
    _write(folder / "trust.pem", (case / "root.pem").read_bytes())
    ledger = (case / "ledger.jws").read_bytes()
    lines = ledger.splitlines(keepends=True)
    unit = folder / "ledger" / STATION / UNIT
    _write(unit / "0.jws", ledger)
    _write(unit / "branches.json", json.dumps({"branches": [{"branch": 0}]}).encode())
    for seq in range(len(lines)):
        _write(unit / "0" / f"{seq}-{seq}.jws", lines[seq])
        if seq > 0:
            _write(unit / "0" / f"{seq - 1}-{seq}.jws", b"".join(lines[seq - 1 : seq + 1]))
    payloads = [payload(line) for line in lines]
    kinds = {line["kind"]: line["seq"] for line in reversed(payloads)}
    hour = ["#EXTM3U"]
    for line in payloads:
        if line["kind"] != "segment":
            continue
        sha256, begin_us = line["sha256"], began_us(line)
        date = datetime.fromtimestamp(begin_us / 1e6, UTC)
        hour += [
            f"#EXT-X-PROGRAM-DATE-TIME:{date:%Y-%m-%dT%H:%M:%S}.{date.microsecond // 1000:03d}Z",
            f"#EXT-X-UNBROKEN:BRANCH=0,SEQ={line['seq']},RUN={kinds['run']},START={kinds['start']},MODE={line['mode']},DATE=UTC",
            f"#EXTINF:{(line['to_ns'] - line['from_ns']) / 1e9:.6f},",
            f"/media/{sha256[:2]}/{sha256}.m4s",
        ]
        name = f"{date:%Y-%m-%dT%H}Z.m3u8"
        _write(folder / "hls" / STATION / UNIT / CAMERA / name, "\n".join([*hour, ""]).encode())
    for path in case.rglob("*.m4s"):
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        _write(folder / "media" / digest[:2] / f"{digest}.m4s", data)
    told = {"units": [{"unit": UNIT, "branch": 0}], "cameras": [{"unit": UNIT, "camera": CAMERA}]}
    _write(folder / "open" / "stations" / f"{STATION}.json", json.dumps(told).encode())


def payload(line: bytes) -> Any:
    """What a line says."""
    part = line.split(b".")[1]
    return json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))


def began_us(line: Any) -> int:
    """UTC of a segment's first picture by its line's clock."""
    return int(line["utc_us"] - (line["boot_ns"] - line["from_ns"]) // 1000)


def segments(case: str) -> list[Path]:
    """The segment files of a vector, in order of their names."""
    return sorted((CASES / case).rglob("*.m4s"))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
