"""The publisher: follows what arrives in the archive and makes public what is released.

The order: media have a name in the published tree; then the database says so. COMMIT. What a crash leaves in between is
done again at the next start, which changes nothing that was said.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from archive.index.reading import IndexReader
from archive.index.rows import HeldSegment
from archive.names import UnitName
from archive.publish.dating import Dating, date
from archive.publish.live import entry, is_live, is_newer
from archive.publish.publications import LiveEntry, NewEntry, Publications, PublicSegment
from archive.publish.tree import PublishedTree
from archive.store.local import LocalStore
from archive.store.store import Store
from base.clock import Clock
from evidence.lines import Stamp
from evidence.utc import Utc
from evidence.words import Mode

_AT_ONCE = 256
_LOOK_AGAIN_NS = 60 * 10**9
_WITNESSES = 16
"""Of what was published last, so many are looked for in the index: another one has other media at their numbers."""
_LOOK_BACK = 2_000
"""Lines that are looked at for the time of a boot when it is first met; replay looks at all of them."""
_log = logging.getLogger("archive")


@dataclass(slots=True)
class _Boot:
    """What is known of UTC in a boot of a unit, and what its live entries are dated by."""

    utc: Utc
    dating: Dating | None
    looked_ns: int
    branch: int
    seq: int
    """What was looked at, and when."""


class Publisher:
    """``step`` is called again and again, by one thread."""

    def __init__(
        self,
        *,
        reader: IndexReader,
        store: Store,
        tree: PublishedTree,
        publications: Publications,
        test: bool,
        clock: Clock,
    ) -> None:
        """``test`` says that TEST recordings are public too."""
        self._reader, self._store, self._tree = reader, store, tree
        self._publications, self._clock = publications, clock
        self._modes = {Mode.LIVE, Mode.TEST} if test else {Mode.LIVE}
        self._seen = publications.seen()
        self._newest = deque(publications.newest(_WITNESSES), _WITNESSES)
        self._seen = 0 if self._is_another() else publications.begin()
        self._boots: dict[tuple[UnitName, str], _Boot] = {}
        self._last: dict[tuple[UnitName, str], LiveEntry | NewEntry | None] = {}

    def step(self) -> int:
        """Publish what has arrived since, in the order in which it came; how much of it was looked at.

        Raises StoreAwayError and OSError: then nothing of it counts, and the next step does it again.
        """
        if self._is_another():
            _log.warning("the index is another one; it is followed from its beginning")
            self._seen = 0
            self._newest.clear()
        arrived = self._reader.arrivals(self._seen, _AT_ONCE)
        if not arrived:
            return 0
        # UNARMED never comes here; where it does, it stays with the unit.
        public = [held for held in arrived if held.segment.mode in self._modes and self._linked(held)]
        entries = self._entries(public)
        last = max(held.arrival or 0 for held in arrived)
        rows = [
            PublicSegment(name=held.name, branch=held.branch, seq=held.seq, arrival=held.arrival or 0)
            for held in public
        ]
        self._publications.add(rows, entries, last, self._now_us())
        # COMMIT
        self._seen = last
        self._newest.extend(rows)
        for new in entries:
            self._last[new.name, new.camera] = new
        return len(arrived)

    def _is_another(self) -> bool:
        """Whether the numbers that were seen are not this index's: it was lost and made anew, or an older copy is back.

        What was lost of the store has no number any more, and a rebuild goes on behind the old ones: both are no sign.
        """
        there = self._reader.arrived([each.arrival for each in self._newest])
        if there:
            return any(
                there.get(each.arrival, place) != place
                for each in self._newest
                for place in [(each.name, each.branch, each.seq)]
            )
        return self._seen > self._reader.last_arrival()

    def _linked(self, held: HeldSegment) -> bool:
        """The media have their name; False where the store has lost them, which the archive itself finds."""
        sha256 = held.segment.sha256
        try:
            if isinstance(self._store, LocalStore):
                self._tree.link(sha256, self._store.path(sha256))
            elif not self._tree.has(sha256, held.segment.size):
                with self._store.open(sha256) as file:
                    self._tree.copy(sha256, file)
        except FileNotFoundError:
            _log.error("media to be published are lost", extra={"fields": {"unit": str(held.name), "sha256": sha256}})
            return False
        if held.init_sha256 is not None and not self._tree.put_init(held.init_sha256, sha256):
            fields = {"unit": str(held.name), "sha256": sha256, "init": held.init_sha256}
            _log.error("a run's init segment does not follow from its media", extra={"fields": fields})
        return True

    def _entries(self, public: Sequence[HeldSegment]) -> list[NewEntry]:
        now_us = self._now_us()
        found: dict[tuple[UnitName, str], list[NewEntry]] = {}
        heads: dict[UnitName, dict[int, int]] = {}
        for held in public:
            camera = (held.name, held.segment.camera)
            if camera not in self._last:
                self._last[camera] = next(iter(self._publications.live(*camera, 1)), None)
            mine = found.setdefault(camera, [])
            last = mine[-1] if mine else self._last[camera]
            if not is_newer(held, last):
                continue
            dating = self._date(held, last, now_us)
            if dating.arrival and held.name not in heads:
                heads[held.name] = {row.number: row.head_seq for row in self._reader.branches(held.name)}
            head_seq = heads.get(held.name, {}).get(held.branch, held.seq)
            if is_live(held, dating, head_seq=head_seq, now_us=now_us):
                new = entry(held, dating, last)
                if new is not None:
                    mine.append(new)
        return [new for mine in found.values() for new in mine]

    def _date(self, held: HeldSegment, last: LiveEntry | NewEntry | None, now_us: int) -> Dating:
        key, now_ns = (held.name, held.boot_id), self._clock.boot_ns()
        boot = self._boots.get(key)
        if boot is None:
            dating = None
            if last is not None and last.boot_id == held.boot_id:
                # Also a publisher that has just started goes on as the list has begun.
                dating = Dating(offset_us=last.offset_us, arrival=last.arrival)
            boot = self._boots[key] = _Boot(Utc(), dating, now_ns - _LOOK_AGAIN_NS, held.branch, held.seq - _LOOK_BACK)
        known = boot.utc.at(held.boot_id, held.segment.from_ns)
        if known is None or now_ns - boot.looked_ns >= _LOOK_AGAIN_NS:
            self._look(boot, held)
            boot.looked_ns = now_ns
            known = boot.utc.at(held.boot_id, held.segment.from_ns)
        stored_us = now_us if held.stored_us is None else held.stored_us
        boot.dating = date(boot.dating, known, held.segment.from_ns, held.segment.to_ns, stored_us)
        return boot.dating

    def _look(self, boot: _Boot, held: HeldSegment) -> None:
        if boot.branch != held.branch:
            boot.branch, boot.seq = held.branch, held.seq - _LOOK_BACK
        for row in self._reader.stamps(held.name, held.branch, boot.seq):
            boot.seq = row.seq
            if row.boot_id == held.boot_id:
                stamp = Stamp(boot_ns=row.boot_ns, utc_us=row.utc_us, error_us=row.error_us)
                boot.utc.observe(row.boot_id, stamp)

    def _now_us(self) -> int:
        """The archive's time; its boot time where it has none, which makes nothing live that is not."""
        now = self._clock.read()
        return now.boot_ns // 1_000 if now.utc_us is None else now.utc_us
