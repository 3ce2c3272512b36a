"""The verifier in JavaScript gives every vector's answer in Chromium, from a page that asks for nothing else."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.site import Site
from tests.contract.test_vectors import FOLDER, NAMES, compare, load

pytestmark = pytest.mark.browser

VERIFIER = Path(__file__).parents[2] / "archive" / "site" / "verifier"
PAGE = """<!doctype html><meta charset="utf-8"><title>Vectors</title><link rel="icon" href="data:,">
<script type="module">
import { givenFolder } from './verifier/browserfiles.js';
import { verify } from './verifier/verify.js';

const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const source = ([path, text]) => {
  const file = new Blob([bytes(text)]);
  const read = async (from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer());
  return { path, size: file.size, read };
};
window.answers = (async () => {
  const answers = {};
  for (const { name, given, trust, crl } of await (await fetch('cases.json')).json()) {
    const things = given.map(({ path, folder, files, archive }) => {
      const sources = files.map(source);
      if (!folder) return { path, folder, files: sources };
      const whole = givenFolder(archive ?? path, sources);
      return { ...whole, path, files: whole.files.filter((file) => path === '.' || file.path.startsWith(`${path}/`)) };
    });
    answers[name] = await verify({ given: things, trust: trust.map(bytes), crl: crl.map(bytes) });
  }
  return answers;
})();
</script>"""


def encoded(path: Path) -> str:
    """A file as the page takes it."""
    return base64.b64encode(path.read_bytes()).decode()


def given(case: Path, path: str) -> dict[str, Any]:
    """What a person would choose; of a folder in an archive, the archive (spec/verify.md, section 2.3)."""
    if not (case / path).is_dir():
        return {"path": path, "folder": False, "files": [[path, encoded(case / path)]]}
    above = [folder for folder in Path(path, "x").parents if (case / folder / "cas").is_dir()]
    top = case / (above[0] if above else path)
    files = [[str(file.relative_to(case)), encoded(file)] for file in sorted(top.rglob("*")) if file.is_file()]
    return {"path": path, "folder": True, "files": files, "archive": str(above[0]) if above else None}


def describe(name: str) -> dict[str, Any]:
    """A case as the page takes it."""
    arguments, folder = load(name)["arguments"], FOLDER / name
    pem = {option: [encoded(folder / path) for path in arguments[option]] for option in ("trust", "crl")}
    return {"name": name, "given": [given(folder, path) for path in arguments["paths"]], **pem}


@pytest.fixture(scope="module")
def verifier_site(site: Site) -> Site:
    """The page, the verifier and all cases, served on the loopback."""
    (site.folder / "verifier").symlink_to(VERIFIER)
    (site.folder / "vectors.html").write_text(PAGE)
    (site.folder / "cases.json").write_text(json.dumps([describe(name) for name in NAMES]))
    return site


def test_every_vector_gives_its_answer_in_chromium(verifier_site: Site, page: Page) -> None:
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{verifier_site.origin}/vectors.html")
    answers = page.evaluate("window.answers")
    assert complaints == []
    assert sorted(answers) == NAMES
    for name in NAMES:
        try:
            compare(load(name), answers[name])
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
    assert {url.removeprefix(verifier_site.origin).split("/")[1] for url in requests} == {
        "vectors.html",
        "verifier",
        "cases.json",
    }
