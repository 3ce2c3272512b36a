"""``python -m archive.keyframe [WIDTH]``: a segment behind its init segment at standard input, its keyframe as JPEG at
the output, at most so wide.

A process of its own, since what it reads may be damaged or hostile: it has no file but these two, little time and
little memory, and nobody minds how it ends.
"""

import io
import resource
import sys
from collections.abc import Sequence
from fractions import Fraction

MOST_INPUT_BYTES = 32 << 20
_MEMORY_BYTES = 1 << 30
_CPU_S = 5
_MOST_PIXELS = 4096 * 2304


def jpeg_of(data: bytes, most_width: int | None) -> bytes:
    """The first picture, at most ``most_width`` pixels wide, or in its own size. Raises ValueError, or what the library
    raises.
    """
    import av
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext

    with av.open(io.BytesIO(data), format="mp4") as container:
        assert isinstance(container, InputContainer)
        frame = next(container.decode(video=0))
        if frame.width * frame.height > _MOST_PIXELS:
            raise ValueError("the picture is too large")
        width, height = frame.width, frame.height
        if most_width is not None:
            width = min(most_width, frame.width) & ~1
            height = max(2, frame.height * width // frame.width & ~1)
        picture = frame.reformat(width=width, height=height, format="yuvj420p")
        encoder = av.CodecContext.create("mjpeg", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
        encoder.time_base = picture.time_base = Fraction(1, 25)
        encoder.options = {"qscale": "3" if most_width is None else "5"}
        packets = [*encoder.encode(picture), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def main(words: Sequence[str]) -> int:
    """0, and the picture; 1 where there is none."""
    most_width = int(words[0]) if words else None
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sys.stdout.buffer.write(jpeg_of(sys.stdin.buffer.read(MOST_INPUT_BYTES), most_width))
    except Exception as error:  # whatever it is, there is no picture
        print(f"no picture: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
