"""A second opinion on a record: spec/ledger.md, sections 2 to 5, read once more and written down from scratch.

It shares no code with the recorder or the verifier but the check of one signature.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from evidence.keys import PublicKey, from_jwk, thumbprint

Json = dict[str, object]


@dataclass
class Camera:
    """Where a camera's record stands, and what it is made of so far."""

    boot: str
    at_ns: int
    pieces: list[Json] = field(default_factory=list)
    recovered_ns: int = 0
    next_index: dict[tuple[str, int], int] = field(default_factory=dict)


@dataclass
class Checked:
    """A record that holds. ``lines`` are payloads."""

    lines: list[Json] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    cameras: dict[str, Camera] = field(default_factory=dict)

    def kinds(self, kind: str) -> list[Json]:
        """The lines of a kind."""
        return [line for line in self.lines if line["kind"] == kind]

    def gaps(self, camera: str = "cam1") -> list[str]:
        """The causes of a camera's gaps, in order."""
        return [str(gap["cause"]) for gap in self.kinds("gap") if gap["camera"] == camera]


def check_record(data: Path) -> Checked:
    """Check the record under ``data``; AssertionError says what does not hold."""
    checked = Checked()
    text = (data / "ledger.jws").read_bytes()
    assert text == b"" or text.endswith(b"\n"), "torn tail"
    prev = ""
    boots: dict[str, str] = {}
    session, boot, newest_ns, closed = "", "", {}, False
    keys: dict[str, PublicKey] = {}
    newest_ns = dict[str, int]()
    for seq, raw in enumerate(text.splitlines()):
        header, payload, signature = raw.split(b".")
        kid = str(json.loads(_decode(header))["kid"])
        line: Json = json.loads(_decode(payload))
        where = f"line {seq}: {line}"
        assert not closed, f"after close, {where}"
        assert line["seq"] == seq, where
        if line["kind"] == "start":
            jwk = line["session"]
            assert isinstance(jwk, dict)
            point = from_jwk(jwk)
            if seq == 0:
                prev = _hash(f"unbroken-1 {line['election']} {line['station']} {line['unit']}".encode())
            session, boot = thumbprint(point), str(line["boot_id"])
            assert session not in boots, "one key, two sessions"
            boots[session], keys[session] = boot, PublicKey(point)
        else:
            assert kid == session, where
            assert keys[session].verifies(header + b"." + payload, _decode(signature)), where
        assert line["prev"] == prev, where
        prev = _hash(raw)
        boot_ns = _int(line, "boot_ns")
        assert boot_ns >= newest_ns.get(boot, 0), where
        newest_ns[boot] = boot_ns
        _piece(checked, line, session, boot, boots, where)
        if line["kind"] in ("segment", "recovered"):
            _media(data, line, session, where)
        if line["kind"] == "close":
            closed = True
            for camera in checked.cameras.values():
                assert (camera.boot, camera.at_ns) == (boot, line["to_ns"]), where
        checked.lines.append(line)
        checked.texts.append(raw)
    _pruned(checked, data)
    return checked


def _piece(checked: Checked, line: Json, session: str, boot: str, boots: dict[str, str], where: str) -> None:
    kind = line["kind"]
    if kind == "start":
        cameras = line["cameras"]
        assert isinstance(cameras, list)
        for name in cameras:
            checked.cameras.setdefault(name, Camera(boot, _int(line, "boot_ns"))).recovered_ns = 0
        return
    if kind not in ("segment", "recovered", "gap", "run"):
        return
    camera = checked.cameras[str(line["camera"])]
    if kind == "run":
        runs = [run for kid, run in camera.next_index if kid == session]
        assert line["run"] == len(runs), where
        camera.next_index[session, _int(line, "run")] = 0
        return
    of_session = str(line.get("session", session))
    from_boot = str(line.get("from_boot", boots[of_session]))
    from_ns, to_ns = _int(line, "from_ns"), _int(line, "to_ns")
    assert (camera.boot, camera.at_ns) == (from_boot, from_ns), f"stands at {camera.boot} {camera.at_ns}, {where}"
    if from_boot == boot or kind != "gap":
        assert from_ns < to_ns, where
    if kind != "gap":
        place = (of_session, _int(line, "run"))
        assert camera.next_index[place] == line["index"], where
        camera.next_index[place] += 1
    if kind == "segment":
        assert to_ns <= _int(line, "boot_ns") + 10**9, where
    if kind == "recovered":
        camera.recovered_ns += to_ns - from_ns
        assert camera.recovered_ns <= 30 * 10**9, where
    camera.boot, camera.at_ns = (boot if kind == "gap" else boots[of_session]), to_ns
    camera.pieces.append(line)


def _media(data: Path, line: Json, session: str, where: str) -> None:
    path = media_path(data, line, session)
    if path.exists():
        held = path.read_bytes()
        assert hashlib.sha256(held).hexdigest() == line["sha256"], where
        assert len(held) == line["size"], where
        line["checked"] = True
    line["path"] = path


def media_path(data: Path, line: Json, session: str) -> Path:
    """Where the media of a line lie."""
    folder = data / "media" / str(line.get("session", session)) / str(line["camera"]) / str(line["run"])
    return folder / f"{_int(line, 'index'):06d}.m4s"


def _pruned(checked: Checked, data: Path) -> None:
    """What is gone was pruned: UNARMED, or named by the receipt in the line (whose signature ``verify`` checks)."""
    pruned = dict[Path, list[str] | None]()
    for line in checked.kinds("pruned"):
        folder = data / "media" / str(line["session"]) / str(line["camera"]) / str(line["run"])
        media = _acknowledged(line)
        pruned |= {folder / f"{n:06d}.m4s": media for n in range(_int(line, "from_index"), _int(line, "to_index"))}
    for line in checked.lines:
        path = line.get("path")
        if isinstance(path, Path):
            assert "checked" in line or path in pruned, f"media missing: {line}"
            if path in pruned:
                media = pruned[path]
                lawful = line["mode"] == "UNARMED" if media is None else line["sha256"] in media
                assert lawful, f"pruned unlawfully: {line}"


def _acknowledged(pruned: Json) -> list[str] | None:
    """What the receipt of a line names; None where there is none."""
    if pruned["reason"] != "receipted":
        return None
    _, payload, _ = str(pruned["receipt"]).encode().split(b".")
    media = json.loads(_decode(payload))["media"]
    assert isinstance(media, list)
    return media


def _decode(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _hash(text: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()


def _int(line: Json, name: str) -> int:
    value = line[name]
    assert isinstance(value, int), f"{name}: {line}"
    return value
