"""Clips cut out of records at random, from a seed, as whoever has a copy or the keys could make them."""

import hashlib
import random
from collections.abc import Mapping, Sequence

from cmaf.boxes import box
from cmaf.clip import carry, proof_box
from cmaf.errors import MediaError
from cmaf.fragment import ticks
from evidence.clip import Proof, peek_line, write_proof
from evidence.lines import Config, Event, Line, Run, Segment, Start

Read = tuple[bytes, Line | None]


def cut_out(files: Mapping[str, bytes], chance: random.Random) -> bytes | None:
    """A range of a record's segments as a clip, sometimes with pieces moved, left out or doubled; None where the
    record names no segment.
    """
    ledgers = sorted(path for path in files if path.endswith(".jws"))
    if not ledgers:
        return None
    lines = [(text, peek_line(text)) for text in files[chance.choice(ledgers)].split(b"\n") if text]
    media = {hashlib.sha256(data).hexdigest(): data for path, data in files.items() if not path.endswith(".jws")}
    cameras = sorted({line.body.camera for _, line in lines if line is not None and isinstance(line.body, Segment)})
    if not cameras:
        return None
    camera = chance.choice(cameras)
    places = [at for at, (_, line) in enumerate(lines) if _is_segment(line, camera)]
    first = chance.randrange(len(places))
    chosen = places[first : chance.randrange(first, len(places)) + 1]
    pieces = _pieces(lines, chosen, camera, media, chance)
    if chance.random() < 0.3 and len(pieces) > 1:
        one, two = chance.sample(range(len(pieces)), 2)
        match chance.randrange(3):
            case 0:
                pieces[one], pieces[two] = pieces[two], pieces[one]
            case 1:
                del pieces[one]
            case _:
                pieces.insert(two, pieces[one])
    if chance.random() < 0.5:
        told = [text for text, line in lines[: chosen[0]] if line and isinstance(line.body, Start | Config | Event)]
        pieces.insert(0, proof_box(write_proof(Proof(lines=tuple(told)))))
    return b"".join(pieces)


def _pieces(
    lines: Sequence[Read], chosen: Sequence[int], camera: str, media: Mapping[str, bytes], chance: random.Random
) -> list[bytes]:
    found: list[bytes] = []
    before = chosen[0] - 1
    base: int | None = None
    for at in chosen:
        line = lines[at][1]
        assert line is not None
        assert isinstance(line.body, Segment)
        earlier = lines[:at]
        starts = [text for text, each in earlier if each is not None and isinstance(each.body, Start)]
        runs = [text for text, each in earlier if each and isinstance(each.body, Run) and each.body.camera == camera]
        between = [text for text, _ in lines[before + 1 : at + 1]]
        before = at
        proof = proof_box(write_proof(Proof(lines=(*starts[-chance.choice((1, 2)) :], *runs[-1:], *between))))
        data = media.get(line.body.sha256, b"")
        base = ticks(line.body.from_ns) if base is None else base
        try:
            boxes = carry(data, base_ticks=base, sequence=line.body.index + 1).head + data if data else b""
        except MediaError:
            boxes = box(b"moof") + box(b"mdat", data)
        found.append(proof + boxes)
    return found


def _is_segment(line: Line | None, camera: str) -> bool:
    return line is not None and isinstance(line.body, Segment) and line.body.camera == camera
