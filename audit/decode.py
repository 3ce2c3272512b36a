"""Looks inside the pictures of a segment with PyAV (``--decode``); the only module that imports it here."""

import io

from base.errors import OperatorError
from cmaf.errors import MediaError
from cmaf.read import annexb, read_identity
from evidence import identity as identities
from evidence.codes import Code
from evidence.verify.media import Expected, Fault


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
    import av

    identity = identities.read_identity(read_identity(data))
    try:
        stream = io.BytesIO(annexb(data, identity.avcc))
        with av.open(stream, mode="r", format="h264", options={"err_detect": "explode"}) as container:
            container.streams.video[0].codec_context.thread_count = 1
            pictures = len([None for _ in container.decode(video=0)])
    except (MediaError, OSError, ValueError) as error:  # PyAV's errors are OSError and ValueError, too
        return (Fault(code=Code.MEDIA_UNDECODABLE, detail=str(error)),)
    if pictures != expected.segment.frames:
        detail = f"{pictures} of {expected.segment.frames} pictures come out"
        return (Fault(code=Code.MEDIA_UNDECODABLE, detail=detail),)
    return ()
