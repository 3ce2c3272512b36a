"""How the archive says no (spec/upload.md): a status, and words for a program and for a person."""

from base.errors import PeerError


class RefusedError(PeerError):
    """A request that is answered with ``status`` and not taken. ``retry_after_s`` goes with 429 and 503."""

    def __init__(self, status: int, code: str, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message, retry=retry_after_s is not None)
        self.status, self.code = status, code
        self.retry_after_s = retry_after_s
