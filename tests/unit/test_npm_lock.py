"""What comes from npm is pinned by hash, named by no host, and told on the page about dependencies."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "requirements/npm"
LOCK = json.loads((FOLDER / "package-lock.json").read_text())
PROJECT = json.loads((FOLDER / "package.json").read_text())


def test_every_package_of_npm_is_pinned_by_hash_and_no_host_is_named() -> None:
    assert LOCK["lockfileVersion"] == 3
    packages = {name: entry for name, entry in LOCK["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
    assert "://" not in (FOLDER / "package-lock.json").read_text()
    assert "resolved" not in (FOLDER / "package-lock.json").read_text()


def test_the_lock_of_npm_holds_just_what_is_asked_for_and_only_the_player_goes_into_pages() -> None:
    asked = PROJECT["dependencies"] | PROJECT["devDependencies"]
    locked = {name.removeprefix("node_modules/"): entry["version"] for name, entry in LOCK["packages"].items() if name}
    assert locked == asked
    assert list(PROJECT["dependencies"]) == ["hls.js"]
    assert all(LOCK["packages"][f"node_modules/{name}"]["dev"] for name in PROJECT["devDependencies"])


def test_the_page_on_dependencies_tells_each_package_of_npm_with_version_and_licence() -> None:
    page = (ROOT / "docs/reference/dependencies.md").read_text()
    section = page.split("## From npm")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| ([\w.-]+) \| ([\d.]+) \| ([^|]+?) \|", section, re.MULTILINE))
    assert told == {
        (name.removeprefix("node_modules/"), entry["version"], entry["license"])
        for name, entry in LOCK["packages"].items()
        if name
    }
