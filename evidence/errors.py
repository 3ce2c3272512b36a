"""The third root of our errors: bytes are not what they claim to be."""

from evidence.codes import Code


class EvidenceError(ValueError):
    """Bytes do not verify. Never retried, never hidden. ``code`` is one of spec/verify.md, section 4."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
