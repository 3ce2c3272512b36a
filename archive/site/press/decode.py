"""``python -m archive.site.press.decode``: a segment behind its init segment at standard input, its keyframe as
JPEG at the output.

A process of its own: what it reads may be hostile, so it has no file but these two, little time and little memory.
"""

import io
import resource
import sys
from fractions import Fraction

MOST_INPUT_BYTES = 32 << 20
_MEMORY_BYTES = 1 << 30
_CPU_S = 5
_MOST_PIXELS = 4096 * 2304


def jpeg_of(data: bytes) -> bytes:
    """The first picture in its own size. Raises ValueError, or what the library raises."""
    import av
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext

    with av.open(io.BytesIO(data), format="mp4") as container:
        assert isinstance(container, InputContainer)
        frame = next(container.decode(video=0))
        if frame.width * frame.height > _MOST_PIXELS:
            raise ValueError("the picture is too large")
        picture = frame.reformat(format="yuvj420p")
        encoder = av.CodecContext.create("mjpeg", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
        encoder.time_base = picture.time_base = Fraction(1, 25)
        encoder.options = {"qscale": "3"}
        packets = [*encoder.encode(picture), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def main() -> int:
    """0, and the picture; 1 where there is none."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sys.stdout.buffer.write(jpeg_of(sys.stdin.buffer.read(MOST_INPUT_BYTES)))
    except Exception as error:  # whatever it is, there is no picture
        print(f"no picture: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
