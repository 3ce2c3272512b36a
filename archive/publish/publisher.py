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
from archive.publish.profilefile import InForce, ProfileFile
from archive.publish.publications import LiveEntry, NewEntry, Publications, PublicSegment, WithheldSegment
from archive.publish.release import Release, recorded
from archive.publish.release import release as release_of
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
_LINES_A_SECOND = 3
"""At most, of a unit: what a delay lets its head be ahead."""
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
        profile: ProfileFile | None = None,
    ) -> None:
        """``test`` says that TEST recordings are public too; ``profile`` when media are, else at once."""
        self._reader, self._store, self._tree = reader, store, tree
        self._publications, self._clock = publications, clock
        self._modes = {Mode.LIVE, Mode.TEST} if test else {Mode.LIVE}
        self._profile = profile
        self._announced: str | None = None
        self._seen = publications.seen()
        self._newest = deque(publications.newest(_WITNESSES), _WITNESSES)
        self._seen = 0 if self._is_another() else publications.begin()
        self._boots: dict[tuple[UnitName, str], _Boot] = {}
        self._last: dict[tuple[UnitName, str], LiveEntry | NewEntry | None] = {}

    def step(self) -> int:
        """Publish what has arrived since and what is held back no longer; how much was looked at.

        Raises StoreAwayError and OSError: then nothing of it counts, and the next step does it again.
        """
        if self._is_another():
            _log.warning("the index is another one; it is followed from its beginning")
            self._seen = 0
            self._newest.clear()
        in_force = None if self._profile is None else self._profile.now()
        digest = "" if in_force is None else in_force.digest
        if digest != self._announced:
            self._publications.announce(() if in_force is None else in_force.terms.publication.holds)
            self._announced = digest
        return self._judge_again(in_force, digest) + self._release(in_force, digest) + self._arrive(in_force)

    def _arrive(self, in_force: InForce | None) -> int:
        """What the archive has stored since, in the order in which it came."""
        arrived = self._reader.arrivals(self._seen, _AT_ONCE)
        if arrived:
            # UNARMED never comes here; where it does, it stays with the unit.
            shown = [held for held in arrived if held.segment.mode in self._modes]
            held_back = [] if in_force is None else self._held_back(shown, in_force)
            waiting = {(each.name, each.branch, each.seq) for each in held_back}
            free = [held for held in shown if (held.name, held.branch, held.seq) not in waiting]
            self._put(free, in_force, max(held.arrival or 0 for held in arrived), held_back)
        return len(arrived)

    def _release(self, in_force: InForce | None, digest: str) -> int:
        """What is held back no longer. A clock that is not set releases nothing."""
        rows = self._publications.due(digest, self._now_us(), _AT_ONCE)
        if rows:
            found = self._still_there(rows)
            self._put([held for _, held in found], in_force, self._seen, ())
            gone = {held.segment.sha256 for _, held in found if not self._tree.path(held.segment.sha256).exists()}
            self._publications.drop([row for row, held in found if held.segment.sha256 in gone])
        return len(rows)

    def _judge_again(self, in_force: InForce | None, digest: str) -> int:
        """What an earlier profile held back; whatever was published stays so."""
        rows = self._publications.unjudged(digest, _AT_ONCE)
        if rows:
            found = [held for _, held in self._still_there(rows)]
            held_back = [] if in_force is None else self._held_back(found, in_force)
            waiting = {(each.name, each.branch, each.seq) for each in held_back}
            free = [held for held in found if (held.name, held.branch, held.seq) not in waiting]
            self._put(free, in_force, self._seen, held_back)
            gone = [held for held in free if not self._tree.path(held.segment.sha256).exists()]
            lost = {(held.name, held.branch, held.seq) for held in gone}
            self._publications.drop([row for row in rows if (row.name, row.branch, row.seq) in lost])
        return len(rows)

    def _still_there(self, rows: Sequence[WithheldSegment]) -> list[tuple[WithheldSegment, HeldSegment]]:
        """Rows with their lines; what another index has not, or not in this mode, is dropped and comes again."""
        found: list[tuple[WithheldSegment, HeldSegment]] = []
        for row in rows:
            held = self._reader.segment(row.name, row.branch, row.seq)
            if held is not None and held.stored and held.segment.sha256 == row.sha256:
                found.append((row, held))
        there = {id(row) for row, _ in found}
        if gone := [row for row in rows if id(row) not in there]:
            self._publications.drop(gone)
        return found

    def _put(
        self,
        free: Sequence[HeldSegment],
        in_force: InForce | None,
        seen: int,
        held_back: Sequence[WithheldSegment],
    ) -> None:
        public = [held for held in free if self._linked(held)]
        delay_us = 0 if in_force is None else in_force.terms.publication.delay_s * 1_000_000
        entries = self._entries(public, delay_us)
        rows = [
            PublicSegment(name=held.name, branch=held.branch, seq=held.seq, arrival=held.arrival or 0)
            for held in public
        ]
        self._publications.add(rows, entries, seen, self._now_us(), held_back)
        # COMMIT
        self._seen = seen
        self._newest.extend(rows)
        for new in entries:
            self._last[new.name, new.camera] = new

    def _held_back(self, shown: Sequence[HeldSegment], in_force: InForce) -> list[WithheldSegment]:
        """What must wait. One digest that several lines name waits for the last of them."""
        now_us = self._now_us()
        asked = {
            (held.name, held.branch, held.seq): self._asked(held, in_force, now_us)
            for held in shown
            # What is public stays so, also where another profile would hold it now.
            if not self._tree.path(held.segment.sha256).exists()
        }
        latest: dict[str, Release] = {}
        others = self._publications.held_digests([held.segment.sha256 for held in shown])
        for held in shown:
            found = [asked.get((held.name, held.branch, held.seq))]
            found += [
                each.release
                for each in others.get(held.segment.sha256, ())
                if (each.name, each.branch, each.seq) not in asked
            ]
            for release in found:
                if release is not None and release.is_after(latest.get(held.segment.sha256)):
                    latest[held.segment.sha256] = release
        waiting: list[WithheldSegment] = []
        for held in shown:
            release = latest.get(held.segment.sha256)
            key = (held.name, held.branch, held.seq)
            if key in asked and release is not None and (release.at_us is None or release.at_us > now_us):
                waiting.append(_waiting(held.name, held.branch, held.seq, held.segment.sha256, release, in_force))
                waiting += [
                    _waiting(each.name, each.branch, each.seq, each.sha256, release, in_force)
                    for each in others.get(held.segment.sha256, ())
                    if (each.name, each.branch, each.seq) not in asked
                ]
        return waiting

    def _asked(self, held: HeldSegment, in_force: InForce, now_us: int) -> Release | None:
        boot = self._boot(held, None)
        if held.branch != boot.branch or held.seq > boot.seq:
            # All that is known counts here: a line may say that the clock was wrong.
            self._look(boot, held)
        segment = held.segment
        begin, end = (boot.utc.at(held.boot_id, at_ns) for at_ns in (segment.from_ns, segment.to_ns))
        return release_of(in_force.terms, recorded(begin, end, held.stored_us or now_us))

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

    def _entries(self, public: Sequence[HeldSegment], delay_us: int) -> list[NewEntry]:
        # Under a delay the list is of what was live then.
        now_us = self._now_us()
        live_us, lines = now_us - delay_us, delay_us // 1_000_000 * _LINES_A_SECOND
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
            if is_live(held, dating, head_seq=head_seq - lines, now_us=live_us):
                new = entry(held, dating, last)
                if new is not None:
                    mine.append(new)
        return [new for mine in found.values() for new in mine]

    def _date(self, held: HeldSegment, last: LiveEntry | NewEntry | None, now_us: int) -> Dating:
        now_ns, boot = self._clock.boot_ns(), self._boot(held, last)
        known = boot.utc.at(held.boot_id, held.segment.from_ns)
        if known is None or now_ns - boot.looked_ns >= _LOOK_AGAIN_NS:
            self._look(boot, held)
            boot.looked_ns = now_ns
            known = boot.utc.at(held.boot_id, held.segment.from_ns)
        stored_us = now_us if held.stored_us is None else held.stored_us
        boot.dating = date(boot.dating, known, held.segment.from_ns, held.segment.to_ns, stored_us)
        return boot.dating

    def _boot(self, held: HeldSegment, last: LiveEntry | NewEntry | None) -> _Boot:
        key, now_ns = (held.name, held.boot_id), self._clock.boot_ns()
        boot = self._boots.get(key)
        if boot is None:
            boot = self._boots[key] = _Boot(Utc(), None, now_ns - _LOOK_AGAIN_NS, held.branch, held.seq - _LOOK_BACK)
        if boot.dating is None and last is not None and last.boot_id == held.boot_id:
            # Also a publisher that has just started goes on as the list has begun.
            boot.dating = Dating(offset_us=last.offset_us, arrival=last.arrival)
        return boot

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


def _waiting(
    name: UnitName, branch: int, seq: int, sha256: str, release: Release, in_force: InForce
) -> WithheldSegment:
    return WithheldSegment(name=name, branch=branch, seq=seq, sha256=sha256, release=release, judged=in_force.digest)
