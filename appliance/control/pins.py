"""Two people's PINs: checked here alone, and slowly where somebody guesses."""

import threading
import tomllib
from collections.abc import Callable
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a PIN was not taken, for the person who typed it. ``guessed``: it was compared, and wrong."""

    reason: str
    guessed: bool


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    locked_until_ns: int = 0


class PinBook:
    """The kept PINs of a unit, and how often each was guessed wrong.

    After three wrong tries for a role each further one doubles the wait, up to five minutes. A right one forgets them.
    One try is judged at a time, so many at once are no way around the wait.
    """

    def __init__(self, kept: dict[Role, str]) -> None:
        self._kept = kept
        self._tries = {role: _Tries() for role in Role}
        self._lock = threading.Lock()

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
        except (OSError, ValueError, KeyError, RecursionError) as error:
            raise OperatorError(
                f"The PINs in {path} cannot be read: {error}.",
                hint="The file holds installer and chair, as the election authority's tool writes them.",
            ) from error
        return cls(kept)

    def check(self, role: Role, pin: str, now_ns: Callable[[], int]) -> Refusal | None:
        """None where the PIN is right; else why not. From any thread; takes as long as scrypt does."""
        with self._lock:
            return self._check(role, pin, now_ns)

    def _check(self, role: Role, pin: str, clock: Callable[[], int]) -> Refusal | None:
        now_ns = clock()
        kept, tries = self._kept.get(role), self._tries[role]
        if kept is None:
            reason = "This unit holds no PINs; ask the election authority to provision it."
            return Refusal(reason=reason, guessed=False)
        if now_ns < tries.locked_until_ns:
            wait_s = -(-(tries.locked_until_ns - now_ns) // 1_000_000_000)
            return Refusal(reason=f"Too many wrong PINs for the {role}; wait {wait_s} s and try again.", guessed=False)
        if pin_matches(pin, kept):
            tries.wrong = 0
            return None
        tries.wrong += 1
        if tries.wrong >= FREE_TRIES:
            wait_s = min(2 ** (tries.wrong - FREE_TRIES + 1), LONGEST_WAIT_S)
            tries.locked_until_ns = clock() + wait_s * 1_000_000_000
        return Refusal(reason=f"The PIN of the {role} is wrong.", guessed=True)
