"""A film that claims to be a clip, verified: the bytes of whoever sent it."""

from tests.fuzz.programs import CASES, verify_file


def clips() -> list[bytes]:
    """The clips of the vectors, the good ones and the others."""
    return [path.read_bytes() for path in sorted(CASES.glob("clip*/clip.mp4"))]


def clip(data: bytes) -> None:
    """A file as it was dropped on a verifier."""
    verify_file("clip.mp4", data)
