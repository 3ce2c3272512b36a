"""Sections of a TOML file as checked values: what every program's configuration is read with.

Each function raises ValueError with a sentence that names the key; the caller names the file.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from base.errors import OperatorError

T = TypeVar("T")

REQUIRED = ""
"""The default of a key that must be given."""


def read_toml(path: Path, what: str) -> dict[str, object]:
    """The document at ``path``. Raises OperatorError; ``what`` names it where it is not there."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OperatorError(f"{path} is not there.", hint=f"Give {what} with --config.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise OperatorError(f"{path} cannot be read as TOML: {error}.") from error


def sections(document: Mapping[str, object], known: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Every section with every key of ``known``: as the document says, or its default."""
    refuse_unknown(document, list(known), "")
    return {name: section(document.get(name, {}), keys, name) for name, keys in known.items()}


def section(value: object, keys: Mapping[str, object], name: str) -> dict[str, object]:
    """One section, its defaults filled in."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a section")
    refuse_unknown(value, list(keys), f"{name}: ")
    for key, default in keys.items():
        if default == REQUIRED and key not in value:
            raise ValueError(f"{name}: {key} is missing")
    return {**keys, **value}


def refuse_unknown(found: Mapping[str, object], known: Sequence[str], prefix: str) -> None:
    """An unknown key is an error that suggests the right one."""
    for key in found:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            advice = f"; perhaps {close[0]} is meant" if close else f"; known are {', '.join(known)}"
            raise ValueError(f"{prefix}there is no key {key}{advice}")


def checked(check: Callable[[object], T], value: object, key: str) -> T:
    """``value`` after ``check``, whose complaint is given the key's name."""
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{key} {error}") from None


def within(value: object, key: str, least: int, most: int) -> int:
    """An integer from ``least`` to ``most``."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{key} must be an integer from {least} to {most}")
    return value


def place(value: object, key: str, folder: Path) -> Path:
    """A path, relative to ``folder``; ``credential:NAME`` is one that systemd loaded for the program."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} must be a path")
    if value.startswith("credential:"):
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        if not credentials:
            raise ValueError(f"{key} names a credential, but the service manager passed none")
        return Path(credentials) / value.removeprefix("credential:")
    return folder / value
