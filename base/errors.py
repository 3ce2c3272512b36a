"""Errors by who must act. The third root, ``EvidenceError``, lives in ``evidence.errors``."""


class OperatorError(Exception):
    """Configuration, disk or a wrong card: a person at the unit can mend it.

    ``hint`` says what to do; it is printed after the message.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text} {self.hint}" if self.hint else text


class PeerError(Exception):
    """The network or the other side said no. ``retry`` says whether trying again can help."""

    def __init__(self, message: str, *, retry: bool) -> None:
        super().__init__(message)
        self.retry = retry
