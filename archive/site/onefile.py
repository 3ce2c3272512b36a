"""The verifier as one file: all its modules in one page that needs no network, made anew from the same source.

``build`` is pure: the same sources give the same bytes on any machine, so that whoever has the source can compare what
a site hands out. The modules stand in the page as they are written; ``verifypage/loader.js`` joins them when it opens.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import web

NAME = "unbroken-verifier.html"
ENTRY = "verifypage/page.js"
LOADER = "verifypage/loader.js"
STYLE = "verifypage/verifypage.css"
_FOLDER = Path(__file__).parent
_ENDS_SCRIPT = re.compile(r"</script|<!--", re.IGNORECASE)
# The one form of an import, which the loader rewrites by the same pattern.
_IMPORT = re.compile(r"(?<= from ')(\.[^']+)(?=';$)", re.MULTILINE)
_STATEMENT = re.compile(r"^import\b|^export\b[^;(]*? from |\bimport\(", re.MULTILINE)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>unbroken: verifier</title>
<style>{style}</style>
</head>
<body>
<main id="verifier" data-alone="yes">
<noscript>
<p lang="az">Yoxlama proqramı üçün JavaScript lazımdır.</p>
<p lang="en">The verifier needs JavaScript.</p>
<p lang="ru">Программе проверки нужен JavaScript.</p>
</noscript>
</main>
{modules}<script>{loader}</script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneFile:
    """The page and its SHA-256, 64 hexadecimal digits."""

    data: bytes
    sha256: str


def build(sources: Mapping[str, str]) -> bytes:
    """The page of ``sources``: text by path under ``archive/site/``, with at least entry, loader and style.

    Raises ValueError where a module imports in another form than ``… from './name.js';``, in a circle, or what is not
    there, or holds what would end its element.
    """
    loader, style = sources[LOADER], sources[STYLE]
    if "</" in style or _ENDS_SCRIPT.search(loader):
        raise ValueError("loader or style would end its element")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(loader)} blob:",
            f"style-src {_hash(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    modules = "".join(
        f'<script type="text/plain" data-module="{name}">\n{sources[name]}</script>\n' for name in _in_order(sources)
    )
    return _PAGE.format(policy=policy, style=style, loader=loader, modules=modules).encode()


@cache
def one_file() -> OneFile:
    """The page of this very version."""
    paths = [path for folder in ("verifier", "verifypage") for path in sorted((_FOLDER / folder).rglob("*.js"))]
    sources = {str(path.relative_to(_FOLDER)): path.read_text("utf-8") for path in [*paths, _FOLDER / STYLE]}
    data = build(sources)
    return OneFile(data=data, sha256=hashlib.sha256(data).hexdigest())


def routes(_parts: object) -> list[web.RouteDef]:
    """``/verifier/unbroken-verifier.html``, to be saved, and its digest as ``sha256sum -c`` reads it."""

    async def page(_request: web.Request) -> web.Response:
        headers = {"Content-Disposition": f'attachment; filename="{NAME}"'}
        return _answer(one_file().data, "text/html", headers)

    async def digest(_request: web.Request) -> web.Response:
        return _answer(f"{one_file().sha256}  {NAME}\n".encode(), "text/plain", {"Access-Control-Allow-Origin": "*"})

    return [web.get(f"/verifier/{NAME}", page), web.get(f"/verifier/{NAME}.sha256", digest)]


def _answer(data: bytes, kind: str, headers: Mapping[str, str]) -> web.Response:
    cached = {"Cache-Control": "public, max-age=300", "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
    return web.Response(body=data, content_type=kind, charset="utf-8", headers={**cached, **headers})


def _in_order(sources: Mapping[str, str]) -> list[str]:
    """The modules that the entry needs, each behind those that it imports."""
    order: list[str] = []
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in open_:
            raise ValueError(f"{name} imports itself by way of {open_[-1]}")
        if name in order:
            return
        if name not in sources:
            raise ValueError(f"{open_[-1]} imports {name}, which is not there")
        open_.append(name)
        for other in _imports(name, sources[name]):
            visit(other)
        open_.pop()
        order.append(name)

    visit(ENTRY)
    return order


def _imports(name: str, text: str) -> Iterator[str]:
    found = _IMPORT.findall(text)
    if len(found) != len(_STATEMENT.findall(text)):
        raise ValueError(f"{name} imports in a form that the loader does not know")
    if _ENDS_SCRIPT.search(text) or not text.endswith("\n"):
        raise ValueError(f"{name} would end its element")
    for path in found:
        whole: list[str] = name.split("/")[:-1]
        for part in path.split("/"):
            if part == "..":
                whole.pop()
            elif part != ".":
                whole.append(part)
        yield "/".join(whole)


def _hash(text: str) -> str:
    """How a Content-Security-Policy names an element's text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
