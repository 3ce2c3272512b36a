"""A part of a record: which lines of it count, and what a clip is found to hold (spec/verify.md, section 2.4)."""

from dataclasses import dataclass

from evidence.lines import Body, Close, Event, Gap, Pruned, Run, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One camera's record from the line ``first_seq`` on, which names a segment. What is before that line, or of other
    cameras, is here for the chain and for who signed it.
    """

    camera: str
    first_seq: int

    def concerns(self, body: Body, seq: int) -> bool:
        """Whether what the line ``seq`` reports counts."""
        match body:
            case Segment() | Gap():
                return body.camera == self.camera and seq >= self.first_seq
            case Run():
                return body.camera == self.camera
            case Event():
                return body.camera in (None, self.camera)
            case Pruned() | Close():
                return False
            case _:
                return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """What a clip holds of a camera: the lines of its first and its last segment, and where they begin and end, both
    in ``boot_id``; how many segments are in it that check, and how many of these receipts name.
    """

    camera: str
    first_seq: int
    last_seq: int
    boot_id: str
    from_ns: int
    to_ns: int
    segments: int
    receipted: int
