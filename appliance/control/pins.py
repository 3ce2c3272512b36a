"""Two people's PINs: checked here alone, and slowly where somebody guesses."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from base.errors import OperatorError
from base.pins import pin_matches

LONGEST_WAIT_S = 300
FREE_TRIES = 3


class Role(StrEnum):
    """Who may act. Arming and closing take both."""

    INSTALLER = "installer"
    CHAIR = "chair"


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    locked_until_ns: int = 0


class PinBook:
    """The kept PINs of a unit, and how often each was guessed wrong.

    After three wrong tries for a role each further one doubles the wait, up to five minutes. A right one forgets them.
    """

    def __init__(self, kept: dict[Role, str]) -> None:
        self._kept = kept
        self._tries = {role: _Tries() for role in Role}

    @classmethod
    def load(cls, path: Path | None) -> "PinBook":
        """From a TOML file with ``installer`` and ``chair``. Without a file nobody can act."""
        if path is None:
            return cls({})
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            kept = {role: str(document[role]) for role in Role}
            for value in kept.values():
                pin_matches("0000", value)
        except (OSError, ValueError, KeyError) as error:
            raise OperatorError(
                f"The PINs in {path} cannot be read: {error}.",
                hint="The file holds installer and chair, as the election authority's tool writes them.",
            ) from error
        return cls(kept)

    def check(self, role: Role, pin: str, now_ns: int) -> str | None:
        """None where the PIN is right; else the reason, for the person who typed it."""
        kept, tries = self._kept.get(role), self._tries[role]
        if kept is None:
            return "This unit holds no PINs; ask the election authority to provision it."
        if now_ns < tries.locked_until_ns:
            wait_s = -(-(tries.locked_until_ns - now_ns) // 1_000_000_000)
            return f"Too many wrong PINs for the {role}; wait {wait_s} s and try again."
        if pin_matches(pin, kept):
            tries.wrong = 0
            return None
        tries.wrong += 1
        if tries.wrong >= FREE_TRIES:
            wait_s = min(2 ** (tries.wrong - FREE_TRIES + 1), LONGEST_WAIT_S)
            tries.locked_until_ns = now_ns + wait_s * 1_000_000_000
        return f"The PIN of the {role} is wrong."
