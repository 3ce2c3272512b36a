"""Receipts laid where the recorder takes them from: an entry for each, in a file of its own.

An entry is a JSON object with ``receipt`` and ``places``, the ``[session, camera, run, index]`` of its media; names
sort oldest first. The recorder remembers the newest name that it has dealt with, so a new name is greater than every
one before it, also where whoever lays them has lost everything it knew: it begins with the ``seq`` of the head.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from base.durable import Disk

ENTRY_BYTES = 64 << 10
Place = tuple[str, str, int, int]


class ReceiptFolder:
    """The entries. One thread calls it; nobody else writes there."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        """Raises OSError where there can be no such folder."""
        self._folder = folder
        self._disk = disk
        disk.make_directory(folder)

    def names(self) -> list[str]:
        """All entries, oldest first."""
        return sorted(path.name for path in self._folder.iterdir() if path.suffix == ".json")

    def lay(self, head_seq: int, receipt: str, places: Sequence[Place]) -> str:
        """A new entry, durable on return; its name. Raises OSError, as where the disk is full."""
        name = next_name(head_seq, self.names())
        members = {"receipt": receipt, "places": [list(place) for place in sorted(places)]}
        self._disk.put(self._folder / name, json.dumps(members, separators=(",", ":")).encode())
        return name

    def receipt(self, name: str) -> str | None:
        """The receipt of an entry, not checked; None where it is no entry."""
        try:
            with (self._folder / name).open("rb") as file:
                members = json.loads(file.read(ENTRY_BYTES))
        except (OSError, ValueError, RecursionError):
            return None
        text = members.get("receipt") if isinstance(members, dict) else None
        return text if isinstance(text, str) else None

    def remove(self, name: str) -> None:
        """Take an entry away."""
        self._disk.remove(self._folder / name)


def next_name(head_seq: int, names: Sequence[str]) -> str:
    """A name behind all of ``names``."""
    first = f"{head_seq:012d}-{0:06d}.json"
    last = max(names, default="")
    if last < first:
        return first
    begin, _, number = last.removesuffix(".json").rpartition("-")
    if begin.isdecimal() and number.isdecimal():
        return f"{begin}-{int(number) + 1:06d}.json"
    # Not a name of ours: behind it all the same.
    return f"{last.removesuffix('.json')}~{first}"
