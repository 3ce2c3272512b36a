"""pyproject.toml, the lock files and the page about dependencies tell one story."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
CORE = PROJECT["project"]["dependencies"]
BUILD = PROJECT["build-system"]["requires"]
WANTED = {
    "run": [*CORE, *BUILD, *EXTRAS["decode"], *EXTRAS["capture"], *EXTRAS["uplink"], *EXTRAS["archive"]],
    "dev": [
        *CORE,
        *BUILD,
        *EXTRAS["decode"],
        *EXTRAS["capture"],
        *EXTRAS["uplink"],
        *EXTRAS["archive"],
        *EXTRAS["dev"],
        *EXTRAS["fuzz"],
    ],
    "station": [*CORE, *EXTRAS["station"]],
    "footage": [],
}


def read_lock(name: str) -> dict[str, set[Version]]:
    """The pinned versions by package; a lock for several Pythons may pin one package twice."""
    pins: dict[str, set[Version]] = {}
    for line in (ROOT / f"requirements/{name}.lock").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            requirement = Requirement(line.removesuffix("\\"))
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", line
            pins.setdefault(canonicalize_name(requirement.name), set()).add(Version(specifier.version))
    return pins


@pytest.mark.parametrize("name", WANTED)
def test_every_requirement_is_locked_at_a_version_it_allows(name: str) -> None:
    pins = read_lock(name)
    assert pins
    for text in WANTED[name]:
        requirement = Requirement(text)
        versions = pins.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement.name} is not in {name}.lock: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), f"{text}: make lock"


@pytest.mark.parametrize("name", WANTED)
def test_every_locked_package_has_a_hash_and_no_lock_names_a_host(name: str) -> None:
    text = (ROOT / f"requirements/{name}.lock").read_text()
    for entry in re.split(r"\n(?=[a-zA-Z0-9])", text):
        if not entry.startswith("#"):
            assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert "index-url" not in text


def test_the_lock_for_tests_holds_the_lock_for_running() -> None:
    run, dev = read_lock("run"), read_lock("dev")
    assert {name: dev.get(name) for name in run} == run


def test_the_pinned_build_backend_is_the_one_that_builds() -> None:
    assert PROJECT["dependency-groups"]["build"] == BUILD


def test_the_page_on_dependencies_names_each_with_its_range_and_extras() -> None:
    page = (ROOT / "docs/reference/dependencies.md").read_text()
    rows = re.findall(r"^\| ([\w-]+) \| ([<>=][^|]+) \| ([^|]+) \|", page, re.MULTILINE)
    documented = {name: (versions, extras) for name, versions, extras in rows}
    groups = {"core": CORE, "build": BUILD, **EXTRAS}
    declared: dict[str, tuple[str, set[str]]] = {}
    for group, texts in groups.items():
        for text in texts:
            requirement = Requirement(text)
            versions, extras = declared.setdefault(requirement.name, (str(requirement.specifier), set()))
            assert versions == str(requirement.specifier), f"{text}: another range than elsewhere"
            extras.add(group)
    assert set(documented) == set(declared)
    for name, (versions, extras) in documented.items():
        # A set of specifiers prints in no fixed order.
        assert set(versions.split(",")) == set(declared[name][0].split(",")), name
        assert set(extras.split(", ")) == declared[name][1], name
