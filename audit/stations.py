"""A station whose unit was replaced: what the records of several units cover together, and what is missing between.

Each unit's record is judged by itself; here their spans are laid side by side on UTC, camera by camera of one name.
What has no UTC cannot be placed, and is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_COVERED = frozenset({"segment", "recovered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Covered time of a unit: two moments of UTC, each at least and at most, in microseconds."""

    unit: str
    begin: tuple[int, int]
    end: tuple[int, int]


def join_stations(answer: dict[str, Any]) -> list[dict[str, object]]:
    """For each station of which several units have a record: spec/verify.md, section 5, ``stations``."""
    stations: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in answer["records"]:
        if record["station"] is not None:
            stations.setdefault((record["election"], record["station"]), []).append(record)
    return [
        {
            "election": election,
            "station": station,
            "units": [record["unit"] for record in own],
            "cameras": [_join(name, own) for name in _cameras(own)],
        }
        for (election, station), own in stations.items()
        if len(own) > 1
    ]


def _cameras(records: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(camera["camera"] for record in records for camera in record["cameras"]))


def _join(name: str, records: Sequence[dict[str, Any]]) -> dict[str, object]:
    pieces: list[_Piece] = []
    undated_ns = 0
    for record in records:
        for camera in record["cameras"]:
            for span in camera["spans"] if camera["camera"] == name else ():
                if span["state"] not in _COVERED:
                    continue
                begin, end = span["from"], span["to"]
                if begin["utc_us"] is None or end["utc_us"] is None:
                    undated_ns += end["boot_ns"] - begin["boot_ns"]
                else:
                    pieces.append(_Piece(unit=record["unit"], begin=tuple(begin["utc_us"]), end=tuple(end["utc_us"])))
    pieces.sort(key=lambda piece: sum(piece.begin))
    covered_us, between = 0, []
    last: _Piece | None = None
    for piece in pieces:
        if last is None or sum(piece.begin) > sum(last.end):
            if last is not None and not _one(last, piece):
                between.append(_between(last, piece))
            covered_us += _length(piece.begin, piece.end)
            last = piece
        elif sum(piece.end) > sum(last.end):
            covered_us += _length(last.end, piece.end)
            last = piece
    return {
        "camera": name,
        "covered_ms": covered_us // 1_000,
        "undated_ms": undated_ns // 1_000_000,
        "between": between,
    }


def _one(before: _Piece, after: _Piece) -> bool:
    """Whether one goes on where the other ended, as far as can be told."""
    return after.begin[0] <= before.end[0] and before.end[1] <= after.begin[1]


def _between(before: _Piece, after: _Piece) -> dict[str, object]:
    least, most = max(0, after.begin[0] - before.end[1]), after.begin[1] - before.end[0]
    return {
        "from_utc_us": list(before.end),
        "to_utc_us": list(after.begin),
        "duration_ms": [least // 1_000, -(-most // 1_000)],
        "after": before.unit,
        "before": after.unit,
    }


def _length(begin: tuple[int, int], end: tuple[int, int]) -> int:
    """From the middle of one moment to the middle of another."""
    return max(0, (sum(end) - sum(begin)) // 2)
