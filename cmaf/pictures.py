"""Whether samples are what their flags say: whole NAL units, one picture each, an IDR picture or not."""

from cmaf.annexb import NalType
from cmaf.errors import MediaError
from cmaf.read import Data, sample_places

_TYPE_BITS = 0x1F
_FORBIDDEN_BIT = 0x80
_LENGTH_BYTES = 4
_LEFT_OUT = frozenset({NalType.SPS.value, NalType.PPS.value, NalType.AUD.value})
_SLICES = {True: NalType.IDR.value, False: NalType.SLICE.value}


def require_pictures(data: Data) -> None:
    """Look into the samples of a segment that ``read_segment`` accepts, at the headers of their NAL units only.

    Raises MediaError for a sample that is not made of whole NAL units, holds no slice, a slice of the other kind than
    its flags say, or parameter sets or access unit delimiters (spec/segment.md, section 3).
    """
    with memoryview(data) as view:
        for begin, end, keyframe in sample_places(view):
            _require_picture(view, begin, end, keyframe)


def _require_picture(view: memoryview, at: int, end: int, keyframe: bool) -> None:
    wanted, picture = _SLICES[keyframe], False
    while at < end:
        begin = at + _LENGTH_BYTES
        at = begin + int.from_bytes(view[at:begin], "big")
        if begin >= at or at > end:
            raise MediaError(f"byte {begin - _LENGTH_BYTES}: sample is not made of whole NAL units")
        header = view[begin]
        kind = header & _TYPE_BITS
        if kind == wanted:
            picture = True
        elif kind in _LEFT_OUT or kind in _SLICES.values():
            raise MediaError(f"byte {begin}: NAL unit of type {kind} in a sample that must not hold it")
        if header & _FORBIDDEN_BIT:
            raise MediaError(f"byte {begin}: forbidden_zero_bit set")
    if not picture:
        raise MediaError(f"byte {end}: sample without a picture")
