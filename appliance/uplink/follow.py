"""Follows the ledger as it grows: new durable lines are read once, and what they say is put into the books."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from appliance.uplink.database import Database
from appliance.uplink.ledgerfile import DurableHead, PlacedLine, read_head, read_lines, stands
from appliance.uplink.linebook import LineBook, Moment, Stretch
from appliance.uplink.mediabook import MediaBook
from appliance.uplink.plan import Media, State, newest_common
from appliance.uplink.thinning import Made
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.lines import Config, Event, Pruned, Segment, Start
from evidence.profile import profile_digest, read_profile
from evidence.words import ClockState, Mode

STEP_BYTES = 1 << 20


@dataclass(slots=True)
class _Sense:
    """What lines say in the light of those before them."""

    session: str
    counting: bool


class Follower:
    """One step at a time, each bounded, so that whoever calls it can do other things between."""

    def __init__(
        self, *, ledger: Path, head: Path, database: Database, trust: Trust, whose: tuple[str, str, str]
    ) -> None:
        """``whose`` are election, station and unit."""
        self._ledger = ledger
        self._head = head
        self._db = database
        self._lines, self._media = LineBook(database), MediaBook(database)
        self._trust = trust
        self._whose = whose
        self.trouble: str | None = None
        """Why nothing can be read, in words."""
        self.lines_read = 0
        self.durable: DurableHead | None = None
        """The newest head that the recorder has published."""
        self.made_bytes_s: int | None = None
        """How fast armed video is made; None while nobody can tell."""
        self._made = Made()

    def head_mark(self) -> tuple[int, int] | None:
        """Another value whenever another head has been published. Costs a look at a file in memory."""
        try:
            found = self._head.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def step(self) -> bool:
        """Read some of what is new; whether there is more. A ledger that has lost lines is read again from there."""
        head = self.durable = read_head(self._head)
        if head is None:
            self.trouble = "the recorder has published no durable head since the machine was started"
            return False
        tail = self._lines.tail()
        if tail is not None and (tail.end_bytes, tail.head.sha256) == (head.size_bytes, head.sha256):
            self.trouble = None
            return False
        try:
            with self._ledger.open("rb") as file:
                return self._read(file, tail, head)
        except OSError as error:
            self.trouble = f"the ledger cannot be read: {error.strerror}"
            return False

    def _read(self, file: BinaryIO, tail: Stretch | None, head: DurableHead) -> bool:
        if tail is not None and not _lies(file, tail):
            self._go_back(file, tail)
            return True
        begin = 0 if tail is None else tail.end_bytes
        end = min(head.size_bytes, begin + STEP_BYTES)
        lines = list(read_lines(file, begin, end))
        last = end == head.size_bytes
        if last and (not lines or (lines[-1].seq, lines[-1].sha256) != (head.seq, head.sha256)):
            self.trouble = "the ledger does not end with the line that the recorder calls durable"
            return False
        if not lines:
            self.trouble = "the ledger is damaged: a megabyte of it holds no line"
            return False
        stranger = next((each.line.body for each in lines if self._is_strange(each)), None)
        if stranger is not None:
            self.trouble = "the ledger is another unit's"
            return False
        self._keep(lines)
        self.lines_read += len(lines)
        self.trouble = None
        return not last

    def _is_strange(self, placed: PlacedLine) -> bool:
        body = placed.line.body
        return isinstance(body, Start) and (body.election, body.station, body.unit) != self._whose

    def _go_back(self, file: BinaryIO, tail: Stretch) -> None:
        """The lines behind the newest one that still lies there are gone: a power cut took them, or an older image of
        the card is back.
        """
        search = newest_common(tail.head.seq, tail.head.seq)
        while search.ask is not None:
            line = self._lines.line(search.ask)
            search = search.told(search.ask, same=line is not None and _lies(file, line))
        with self._db.transaction():
            self._lines.cut(search.low)
            self._media.cut(search.low)

    def _keep(self, lines: Sequence[PlacedLine]) -> None:
        sense = _Sense(session=self._lines.moment("start") or "", counting=self._lines.moment("counting") is not None)
        profile = self._lines.moment("profile")
        media, moments, marks = list[Media](), list[Moment](), dict[str, int]()
        for placed in lines:
            stamp, body = placed.line.stamp, placed.line.body
            if stamp.state is ClockState.SYNCED and stamp.utc_us is not None:
                marks["line"] = max(marks.get("line", 0), stamp.utc_us)
            match body:
                case Start():
                    sense.session = body.kid
                    moments.append(Moment(seq=placed.seq, kind="start", value=body.kid))
                case Config(what="profile", profile=str(text)):
                    profile = text
                    moments.append(Moment(seq=placed.seq, kind="profile", value=text))
                case Event(event="counting"):
                    sense.counting = True
                    moments.append(Moment(seq=placed.seq, kind="counting", value=""))
                case Event(event="armed"):
                    marks["window"] = self._window_us(profile, body)
                case Segment() if body.mode is not Mode.UNARMED:
                    media.append(_media(placed.seq, body, sense))
                    self._made.add(placed.seq, body.camera, body.size, body.to_ns - body.from_ns)
        self.made_bytes_s = self._made.bytes_s(lines[-1].seq)
        with self._db.transaction():
            self._lines.append(lines, moments)
            self._media.add(media)
            for placed in lines:
                if isinstance(placed.line.body, Pruned):
                    self._media.prune(placed.line.body)
            for name, utc_us in marks.items():
                self._lines.mark(name, utc_us)

    def _window_us(self, profile: str | None, armed: Event) -> int:
        """Two people armed the unit by this profile: the beginning of its window is past, or as good as."""
        try:
            if profile is not None and profile_digest(profile) == armed.data.get("profile_sha256"):
                return read_profile(profile, self._trust).from_us
        except EvidenceError:
            pass
        return 0


def _lies(file: BinaryIO, line: Stretch) -> bool:
    """Whether the last line of ``line`` is still in its place."""
    return stands(file, line.begin_bytes, line.end_bytes, line.head.sha256)


def _media(seq: int, segment: Segment, sense: _Sense) -> Media:
    return Media(
        sha256=segment.sha256,
        seq=seq,
        session=getattr(segment, "session", sense.session),
        camera=segment.camera,
        run=segment.run,
        index=segment.index,
        size=segment.size,
        counting=sense.counting,
        state=State.UNKNOWN,
        acknowledged=0,
    )
