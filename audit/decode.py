"""Looks inside the pictures of a segment with PyAV (``--decode``); the only module that imports it here."""

import io

from audit.files import printable
from base.errors import OperatorError
from cmaf.errors import MediaError
from cmaf.read import annexb, read_identity
from evidence import identity as identities
from evidence.codes import Code
from evidence.verify.media import Expected, Fault

_MOST_PIXELS = 139_264 * 256
"""Of a picture at the highest level of H.264 (table A-1); more would only be there to exhaust memory."""


def require_decoder() -> None:
    """Raises OperatorError where PyAV is not installed."""
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise OperatorError(
            "--decode needs PyAV, which is not installed.", hint="Install unbroken[decode], or leave --decode out."
        ) from error


def decode_fault(data: bytes, expected: Expected) -> tuple[Fault, ...]:
    """What is wrong with the pictures of a well-formed segment: each must decode, and all must come out."""
    return pictures_fault(data, expected.segment.frames)


def pictures_fault(data: bytes, wanted: int) -> tuple[Fault, ...]:
    """The same, where so many pictures are to come out."""
    import av

    identity = identities.read_identity(read_identity(data))
    try:
        stream = io.BytesIO(annexb(data, identity.avcc))
        options = {"err_detect": "explode", "max_pixels": str(_MOST_PIXELS)}
        with av.open(stream, mode="r", format="h264", options=options) as container:
            if not container.streams.video:
                return (Fault(code=Code.MEDIA_UNDECODABLE, detail="no picture comes out"),)
            container.streams.video[0].codec_context.thread_count = 1
            pictures = sum(1 for _ in container.decode(video=0))
    except (MediaError, OSError, ValueError, av.FFmpegError) as error:
        return (Fault(code=Code.MEDIA_UNDECODABLE, detail=printable(str(error))),)
    if pictures != wanted:
        detail = f"{pictures} of {wanted} pictures come out"
        return (Fault(code=Code.MEDIA_UNDECODABLE, detail=detail),)
    return ()
