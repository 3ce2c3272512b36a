"""The one-file verifier: reproducible, strict about what it takes in, and written by one command."""

import asyncio
import base64
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from archive.site.onefile import ENTRY, LOADER, NAME, STYLE, build, one_file, routes

LEAST = {ENTRY: "export {};\n", LOADER: "1;\n", STYLE: "p {}\n"}


def with_modules(**texts: str) -> dict[str, str]:
    """The least that makes a page, and modules of these names under ``verifypage/``."""
    return {**LEAST, **{f"verifypage/{name}.js": text for name, text in texts.items()}}


def modules(page: bytes) -> list[str]:
    """The names of the modules in a page, in order."""
    return re.findall(r'data-module="([^"]+)"', page.decode())


def test_the_same_sources_give_the_same_bytes_in_whatever_order_they_come() -> None:
    sources = with_modules(page="import { b } from './b.js';\n", b="export const b = 1;\n")
    assert build(sources) == build(dict(reversed(sources.items())))


def test_each_module_stands_behind_those_that_it_imports_and_once() -> None:
    page = build(
        with_modules(
            page="import {\n  b,\n} from './b.js';\nimport { c } from './c.js';\n",
            b="import { c } from './c.js';\nexport const b = c;\n",
            c="export const c = 1;\n",
            unused="export const d = 1;\n",
        )
    )
    assert modules(page) == ["verifypage/c.js", "verifypage/b.js", ENTRY]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import { b } from './b.js';\n", "which is not there"),
        ("import { a } from './page.js';\n", "imports itself"),
        ('import { b } from "./b.js";\n', "in a form"),
        ("import './b.js';\n", "in a form"),
        ("const b = import('./b.js');\n", "in a form"),
        ("const a = '</script>';\n", "would end its element"),
        ("const a = '<!--';\n", "would end its element"),
        ("const a = 1;", "would end its element"),
    ],
)
def test_what_the_page_could_not_hold_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        build(with_modules(page=text))


def test_the_page_lets_nothing_in_but_its_own_loader_and_style_and_asks_nobody() -> None:
    page = one_file().data.decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    directives = dict(part.split(" ", 1) for part in policy[1].split("; "))
    loader = page[page.rindex("<script>") + len("<script>") : page.rindex("</script>")]
    style = page[page.index("<style>") + len("<style>") : page.index("</style>")]
    assert directives == {
        "default-src": "'none'",
        "script-src": f"{hashed(loader)} blob:",
        "style-src": hashed(style),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "http://" not in page
    assert "https://" not in page


def hashed(text: str) -> str:
    """A source expression of CSP."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_its_modules_stand_in_it_as_they_are_written() -> None:
    page, folder = one_file().data.decode(), Path(__file__).parents[2] / "archive" / "site"
    names = modules(one_file().data)
    assert names[-1] == ENTRY
    assert "verifier/verify.js" in names
    for name in names:
        assert f'data-module="{name}">\n{(folder / name).read_text("utf-8")}</script>' in page


def test_the_digest_is_that_of_the_page() -> None:
    assert one_file().sha256 == hashlib.sha256(one_file().data).hexdigest()
    assert {route.path for route in routes(None)} == {f"/verifier/{NAME}", f"/verifier/{NAME}.sha256"}


def test_a_command_writes_it_and_says_its_digest(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "unbroken", "archive", "verifier"]
    done = subprocess.run([*command, str(tmp_path / NAME)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{one_file().sha256}  {tmp_path / NAME}\n"), done.stderr
    assert (tmp_path / NAME).read_bytes() == one_file().data
    done = subprocess.run(
        [*command, str(tmp_path / "no" / NAME)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_the_site_has_it_saved_and_never_opened_as_a_page_of_its_own() -> None:
    async def ask() -> list[tuple[bytes, str, str | None]]:
        app = web.Application()
        app.add_routes(routes(None))
        async with TestClient(TestServer(app)) as client:
            answers = [await client.get(route.path) for route in routes(None)]
            return [
                (await answer.read(), answer.headers["ETag"], answer.headers.get("Content-Disposition"))
                for answer in answers
            ]

    (page, page_tag, kept), (digest, digest_tag, plain) = asyncio.run(ask())
    assert (page, page_tag) == (one_file().data, f'"{one_file().sha256}"')
    assert kept == f'attachment; filename="{NAME}"'
    assert (digest.decode(), plain) == (f"{one_file().sha256}  {NAME}\n", None)
    assert digest_tag != page_tag
