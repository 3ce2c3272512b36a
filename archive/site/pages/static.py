"""The files that pages load, under one digest of all of them: whatever has that address never changes."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from evidence.day.glyph import DAY_STYLE

SITE = Path(__file__).parents[1]
FOLDERS = ("player", "verifier", "verifypage", "vendor")
"""Beside each other as in ``archive/site``: their modules import each other by relative address."""

_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_LEFT_OUT = ("package.json",)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """A file with its gzipped form."""

    body: bytes
    gzipped: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFiles:
    """Every file by its name, such as ``player/station.js``."""

    digest: str
    files: dict[str, StaticFile]

    @property
    def prefix(self) -> str:
        """What their addresses begin with, without a slash at the end."""
        return f"/static/{self.digest}"


def collect(site: Path = SITE) -> StaticFiles:
    """All files of the site's folders as they are now. Raises OSError where one cannot be read."""
    found = {"day.css": DAY_STYLE.encode()}
    for folder in (site / "static", *(site / name for name in FOLDERS)):
        base = folder if folder.name == "static" else site
        for path in sorted(folder.rglob("*")):
            if path.suffix in _TYPES and path.name not in _LEFT_OUT and path.is_file():
                found[path.relative_to(base).as_posix()] = path.read_bytes()
    whole = hashlib.sha256()
    for name, body in sorted(found.items()):
        whole.update(f"{name}\0{len(body)}\0".encode() + body)
    files = {
        name: StaticFile(body=body, gzipped=gzip.compress(body, 9, mtime=0), content_type=_TYPES[Path(name).suffix])
        for name, body in found.items()
    }
    return StaticFiles(digest=whole.hexdigest()[:8], files=files)
