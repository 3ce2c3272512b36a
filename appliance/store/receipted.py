"""Media that the archive holds by its signed word, and that may therefore go (spec/receipt.md, section 5).

Whoever delivers lays an entry for each receipt into a folder: a JSON object with ``receipt`` and ``places``, the
``[session, camera, run, index]`` of the media that it is about, in files whose names sort oldest first. Nothing of that
is believed: the receipt is verified here, and of each file the very bytes are hashed before a line lets it go.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from appliance.store.layout import Layout
from appliance.store.pruning import Place, pruned_lines
from evidence.certificate import Trust
from evidence.lines import Pruned
from evidence.members import HASH, NAME, natural
from evidence.receipt import MAX_MEDIA, Acknowledged, Receipt, read_receipt

ENTRY_BYTES = 64 << 10
LOOK_AGAIN_NS = 5_000_000_000
REASON = "receipted"
MOST_ENTRIES = 16
"""Entries that are looked at in one go: the thread that asks has other work."""


class ReceiptedMedia:
    """What may be pruned on receipts, oldest entries first. One thread calls it; it reads only."""

    def __init__(
        self,
        folder: Path | None,
        layout: Layout,
        *,
        trust: Trust,
        election: str,
        station: str,
        unit: str,
        boot_ns: Callable[[], int],
    ) -> None:
        """Without a ``folder``, or without a trusted root, there is never anything."""
        self._folder = folder if trust.roots else None
        self._layout = layout
        self._trust = trust
        self._whose = (election, station, unit)
        self._boot_ns = boot_ns
        self._done = ""
        """The newest entry that has been used up or refused."""
        self._looked_ns: int | None = None
        self._next: tuple[str, str, list[Place]] | None = None
        self.refused = 0
        """Entries that did not verify."""

    @property
    def prunable(self) -> bool:
        """Whether there is anything that may go. Looks at the folder every few seconds, not more often."""
        return self._entry() is not None

    def shrink(self) -> list[Pruned]:
        """Lines for the media of the oldest entry that still has any; none where there is no such entry."""
        entry = self._entry()
        if entry is None:
            return []
        name, receipt, places = entry
        self._done, self._next, self._looked_ns = name, None, None
        return pruned_lines(places, REASON, receipt)

    def _entry(self) -> tuple[str, str, list[Place]] | None:
        now_ns = self._boot_ns()
        if self._next is None and (self._looked_ns is None or now_ns - self._looked_ns >= LOOK_AGAIN_NS):
            names = self._names()
            for name in names[:MOST_ENTRIES]:
                self._next = self._take(name)
                if self._next is not None:
                    break
            # Where there are more, the next look goes on with them at once.
            self._looked_ns = now_ns if len(names) <= MOST_ENTRIES else None
        return self._next

    def _names(self) -> list[str]:
        """The entries that have not been looked at, oldest first."""
        if self._folder is None:
            return []
        try:
            names = sorted(path.name for path in self._folder.iterdir() if path.suffix == ".json")
        except OSError:
            return []
        return [name for name in names if name > self._done]

    def _take(self, name: str) -> tuple[str, str, list[Place]] | None:
        """The entry, if it verifies and some of its media are here; else it is done with."""
        assert self._folder is not None
        try:
            text, places = self._judge(self._folder / name)
        except (OSError, ValueError, RecursionError):
            self.refused += 1
        else:
            if places:
                return name, text, places
        self._done = name
        return None

    def _judge(self, path: Path) -> tuple[str, list[Place]]:
        """The receipt of an entry, and which of its media are here. Raises ValueError where it does not verify."""
        with path.open("rb") as file:
            members = json.loads(file.read(ENTRY_BYTES))
        if not isinstance(members, dict):
            raise ValueError("no entry")
        text, claimed = members.get("receipt"), members.get("places")
        if not isinstance(text, str) or not isinstance(claimed, list):
            raise ValueError("no entry")
        places = sorted({_place(each) for each in claimed[:MAX_MEDIA]})
        places = [place for place in places if self._layout.segment(*place).exists()]
        if not places:
            return text, []
        receipt = read_receipt(text, self._trust)
        if receipt.kind is not Acknowledged.STORED:
            raise ValueError("a receipt for no media")
        if (receipt.election, receipt.station, receipt.unit) != self._whose:
            raise ValueError("another unit's receipt")
        return text, [place for place in places if self._holds(receipt, place)]

    def _holds(self, receipt: Receipt, place: Place) -> bool:
        """Whether the bytes that lie here are those that the archive has acknowledged."""
        try:
            with self._layout.segment(*place).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() in receipt.media
        except OSError:
            return False


def _place(value: object) -> Place:
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError("no place")
    session, camera, run, index = value
    return HASH(session), NAME(camera), natural(run), natural(index)
