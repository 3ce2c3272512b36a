"""Lines cut in two where a ledger's blocks do not lie one behind the other, and no inode says how they follow.

A line that checks tells the digest of the line before it. Where that one is missing, its end stands right before the
line that checks, from the border of a block on, and its beginning at the end of some other block. Which one, the
digest decides, so nothing is guessed. A beginning that is no more than a header need not be found: all lines of a
session have the same.
"""

import re
from collections.abc import Iterable, Iterator

from audit.salvage.medium import Bytes
from evidence.jws import MAX_BYTES
from evidence.lines import line_hash

BLOCK_BYTES = 4_096
"""The usual block of ext4. Where blocks are smaller, what was cut at other borders is not found."""
MOST_TRIES = 4_000_000
_PART = re.compile(rb"[A-Za-z0-9_.-]+")


def join(source: Bytes, beginnings: Iterable[int], wanted: Iterable[tuple[str, int]]) -> Iterator[tuple[int, bytes]]:
    """The lines that come together: where each begins, and its bytes.

    ``beginnings`` is where in ``source`` lines begin; ``wanted`` are digests, as ``prev`` has them, each with where the
    line lies that names it.
    """
    ends: list[tuple[str, bytes]] = []
    for digest, at in wanted:
        end = _end(source, at)
        if end is not None:
            headed = _with_header(source.read(at, MAX_BYTES), end, digest)
            if headed is None:
                ends.append((digest, end))
            else:
                yield at, headed
    tries = 0
    for at in beginnings if ends else ():
        border = (at // BLOCK_BYTES + 1) * BLOCK_BYTES
        begin = source.read(at, border - at)
        if _PART.fullmatch(begin) is None:  # the line ends before the border, or is damaged
            continue
        for digest, end in ends:
            tries += 1
            if tries > MOST_TRIES:
                return
            if line_hash(begin + end) == digest:
                yield at, begin + end


def _with_header(following: bytes, end: bytes, digest: str) -> bytes | None:
    """The line, if all that ``end`` lacks is a part of the header that the line behind it has, too."""
    header = following[: following.find(b".") + 1]
    for length in range(len(header) + 1):
        if line_hash(header[:length] + end) == digest:
            return header[:length] + end
    return None


def _end(source: Bytes, at: int) -> bytes | None:
    """What stands between the border of the block and the line at ``at``: the end of another, without its LF."""
    border = at // BLOCK_BYTES * BLOCK_BYTES
    text = source.read(border, at - border)
    if not text.endswith(b"\n"):
        return None
    end = text[:-1]
    return end if not end or _PART.fullmatch(end) is not None else None
