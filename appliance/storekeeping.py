"""The room on the disk: what is due as it gets less, and which media may go (design, invariant 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.store.reserve import Reserve
from appliance.store.unarmed import Kept, UnarmedMedia
from appliance.upkeep.space import Due, Space
from evidence.lines import Pruned


class Prunable(Protocol):
    """Media that may go when the disk is full, oldest first."""

    @property
    def prunable(self) -> bool: ...
    @property
    def refused(self) -> int: ...
    def shrink(self) -> Sequence[Pruned]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is to be done now: lines that let media go, media to be stopped, the bitrate to be changed."""

    lines: Sequence[Pruned]
    stop: bool
    new_bitrate: bool


class Storekeeping:
    """Decides; lines, cameras and files are others' work. One thread calls it."""

    def __init__(
        self, *, space: Space, reserve: Reserve, unarmed: UnarmedMedia, receipted: Prunable | None = None
    ) -> None:
        """``receipted`` are media that the archive holds."""
        self.space = space
        self._reserve = reserve
        self._unarmed = unarmed
        self._receipted = receipted
        self.seconds_left = 0
        """How long media can be written at the current rate, as of the last look."""

    @property
    def receipts_refused(self) -> int:
        """Entries with receipts that did not verify."""
        return 0 if self._receipted is None else self._receipted.refused

    def look(self, now_ns: int) -> Step:
        """UNARMED media go first, then those that the archive holds, then the bitrate is lowered, then media stop."""
        was_full = self.space.full
        due = self.space.look(self._reserve.room_bytes(), prunable=self._prunable())
        if was_full and not self.space.full:
            # Whoever filled the disk may do so again at any moment.
            self._reserve.refill()
        step = Step(
            lines=() if due is Due.NOTHING else self._shrink(),
            stop=due is Due.STOP,
            new_bitrate=self.space.new_level(now_ns, prunable=self._prunable()),
        )
        self.seconds_left = self.space.seconds_left(now_ns)
        return step

    def expire(self) -> Sequence[Pruned]:
        """What has become too old, while UTC is proven to be before the window."""
        return self._unarmed.expire()

    def keep(self, segment: Kept) -> None:
        """An UNARMED segment has been committed."""
        self._unarmed.add(segment)

    def _prunable(self) -> bool:
        return self._unarmed.prunable or (self._receipted is not None and self._receipted.prunable)

    def _shrink(self) -> Sequence[Pruned]:
        return self._unarmed.shrink() or (self._receipted.shrink() if self._receipted is not None else ())
