"""Members of JSON objects as typed fields of dataclasses: how each is checked, what may be left out.

A class lists its members as fields made by ``member``. ``decode`` builds one from an object and keeps quiet about
members that it does not know; ``encode`` writes the object back, leaving out what equals its default.
"""

import dataclasses
import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast

from evidence.base64url import decode as decode_base64url

T = TypeVar("T")
Check = Callable[[object], T]


def member(check: Check[T]) -> T:
    """A member that must be there."""
    return dataclasses.field(metadata={"check": check})  # type: ignore[no-any-return]


def optional(check: Check[T], default: T) -> T:
    """A member that is left out where it equals ``default``."""
    return dataclasses.field(default=default, metadata={"check": check})


def decode(cls: type[T], members: dict[str, object]) -> T:
    """An instance of ``cls`` from a parsed object. Raises ValueError that names the member."""
    values: dict[str, Any] = {}
    for name, check, required in _fields(cast("Any", cls)):
        if name in members:
            try:
                values[name] = check(members[name])
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        elif required:
            raise ValueError(f"{name} is missing")
    return cls(**values)


@cache
def _fields(cls: type) -> tuple[tuple[str, Check[Any], bool], ...]:
    """Name and check of each member, and whether it must be there."""
    fields = dataclasses.fields(cast("Any", cls))
    return tuple((field.name, field.metadata["check"], field.default is dataclasses.MISSING) for field in fields)


def encode(value: object) -> dict[str, object]:
    """The members of a dataclass instance in the order of its fields, without those that equal their default."""
    members: dict[str, object] = {}
    for field in dataclasses.fields(cast("Any", value)):
        held = getattr(value, field.name)
        if field.default is dataclasses.MISSING or held != field.default:
            members[field.name] = held
    return members


def integer(value: object) -> int:
    """A whole number; JSON's true and false are none."""
    if type(value) is not int:
        raise ValueError("is not an integer")
    return value


def natural(value: object) -> int:
    """A whole number, 0 or more."""
    if type(value) is not int or value < 0:
        raise ValueError("is not an integer of 0 or more")
    return value


def positive(value: object) -> int:
    """A whole number, 1 or more."""
    if type(value) is not int or value < 1:
        raise ValueError("is not an integer of 1 or more")
    return value


def nullable(check: Check[T]) -> Check[T | None]:
    """Null, or what ``check`` takes."""
    return lambda value: None if value is None else check(value)


def matching(pattern: str, what: str) -> Check[str]:
    """Text that matches ``pattern`` from end to end."""
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(f"is not {what}")
        return value

    return check


def text(limit: int) -> Check[str]:
    """Text of at most ``limit`` characters, without lone surrogates."""

    def check(value: object) -> str:
        if not isinstance(value, str) or len(value) > limit or any("\ud800" <= c <= "\udfff" for c in value):
            raise ValueError(f"is not text of at most {limit} characters")
        return value

    return check


Choice = TypeVar("Choice", bound=StrEnum)


def one_of(choices: type[Choice]) -> Check[Choice]:
    """One of the words of a StrEnum."""
    words = {choice.value: choice for choice in choices}

    def check(value: object) -> Choice:
        choice = words.get(value) if isinstance(value, str) else None
        if choice is None:
            raise ValueError(f"is none of {', '.join(words)}")
        return choice

    return check


def tuple_of(check: Check[T], least: int, most: int) -> Check[tuple[T, ...]]:
    """An array of ``least`` to ``most`` values."""

    def check_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise ValueError(f"is not an array of {least} to {most} values")
        return tuple(check(each) for each in value)

    return check_all


def binary(value: object) -> bytes:
    """Bytes, written as base64url."""
    if not isinstance(value, str):
        raise ValueError("is not text")
    return decode_base64url(value.encode())


def facts(value: object) -> dict[str, str | int | None]:
    """An object whose values are texts, integers or null: ``evidence`` and ``data``."""
    if not isinstance(value, dict) or len(value) > 32:
        raise ValueError("is not an object of at most 32 members")
    for held in value.values():
        if held is not None and not isinstance(held, str) and type(held) is not int:
            raise ValueError("holds more than texts, integers and null")
    return value


NAME = matching(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}", "a name of 1 to 32 letters, digits and hyphens")
WORD = matching(r"[a-z0-9][a-z0-9-]{0,47}", "a word in lower case")
DIGEST = matching(r"[0-9a-f]{64}", "a SHA-256 in hexadecimal")
HASH = matching(r"[A-Za-z0-9_-]{43}", "a SHA-256 in base64url")
BOOT_ID = matching(r"[0-9a-f]{32}", "a kernel boot id of 32 hexadecimal digits")
