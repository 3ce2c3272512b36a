"""What a notifier carries, and what it is to whoever sends."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``key`` stays the same however often it is tried, so that a receiver can tell; ``body`` is JSON."""

    key: str
    subject: str
    body: str


class NotSent(Exception):  # noqa: N818 - an answer of the other side
    """It was not taken, or nobody knows whether it was: it is to be tried again under the same key."""


class Notifier(Protocol):
    """One way to reach people."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""

    @property
    def level(self) -> int:
        """From which level on it is called: 1 is at once."""

    async def send(self, message: Message) -> None:
        """The other side has taken it on return. Ends within the notifier's time limit. Raises NotSent."""
