"""How each segment fares that a durable line names. Called by one thread.

All of it can be had again: the segments from the ledger, what is receipted from the receipts folder, what the archive
holds from the archive. So it is never the only witness of anything.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from appliance.uplink.database import Columns, Database, Row, Value
from appliance.uplink.plan import Media, State, verdicts
from evidence.lines import Pruned

MEDIA_TABLES: dict[str, Columns] = {
    "media": {
        "sha256": str,
        "seq": int,
        "session": str,
        "camera": str,
        "run": int,
        "position": int,
        "size": int,
        "counting": int,
        "state": str,
        "acknowledged": int,
        "gone": int,
        "entry": str,
        "reason": str,
    }
}
"""``gone`` ones lie here no more; ``entry`` is where the recorder finds the receipt; ``reason`` says why refused."""
MEDIA_INDEXES = (
    ("media", "state", "gone", "acknowledged", "seq"),
    ("media", "state", "gone", "size"),
    ("media", "camera", "seq"),
    ("media", "session", "camera", "run", "position"),
    ("media", "entry"),
)
_MEDIA = "sha256, seq, session, camera, run, position, size, counting, state, acknowledged"
_NEWEST = """
WITH RECURSIVE its(camera) AS (
    SELECT min(camera) FROM media
    UNION ALL SELECT (SELECT min(camera) FROM media WHERE camera > its.camera) FROM its WHERE its.camera IS NOT NULL
)
SELECT camera, (
    SELECT seq FROM media WHERE media.camera = its.camera AND position % ? = 0 ORDER BY seq DESC LIMIT 1
) FROM its WHERE camera IS NOT NULL
"""
_AT = "WHERE camera = ? AND seq = ? AND gone = 0"
_PAGE = 2_000
_CANDIDATES = 8
"""More than are ever being sent at a time."""
_AGAIN = "the archive acknowledged it again and again, and lacks it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many segments are in which state; what waits; what the archive lacks and lies here no more."""

    media: dict[State, int]
    waiting_bytes: int
    lost: int


class MediaBook:
    """One row for each segment."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, media: Sequence[Media]) -> None:
        """Segments that lines name. One that is known already keeps its state."""
        marks = ", ".join("?" * 10)
        self._db.change_many(
            f"INSERT INTO media ({_MEDIA}, gone) VALUES ({marks}, 0) ON CONFLICT (sha256) DO NOTHING",  # noqa: S608
            (_row(each) for each in media),
        )

    def cut(self, seq: int) -> None:
        """Forget the segments that lines behind ``seq`` named."""
        self._db.change("DELETE FROM media WHERE seq > ?", (seq,))

    def prune(self, line: Pruned) -> None:
        """These lie here no more."""
        self._db.change(
            "UPDATE media SET gone = 1 WHERE session = ? AND camera = ? AND run = ? AND position >= ? AND position < ?",
            (line.session, line.camera, line.run, line.from_index, line.to_index),
        )

    def gone(self, sha256: str) -> None:
        """It lies here no more."""
        self._db.change("UPDATE media SET gone = 1 WHERE sha256 = ?", (sha256,))

    def newest(self, every: int = 1) -> list[Media]:
        """The newest segment of each camera, of those whose index ``every`` divides. A few steps down an index."""
        rows = self._db.rows(_NEWEST, (every,))
        return [each for camera, seq in rows for each in self._media(_AT, (camera, seq))]

    def waiting(self) -> list[Media]:
        """The oldest that the archive lacks and that lie here, and the oldest of those of the counting."""
        order = f"ORDER BY acknowledged, seq LIMIT {_CANDIDATES}"
        where = "WHERE state = 'waiting' AND gone = 0"
        since = self._db.rows("SELECT min(seq) FROM moment WHERE kind = 'counting'")[0][0]
        counting = [] if since is None else self._media(f"{where} AND seq > ? {order}", (since,))
        return [*self._media(f"{where} {order}"), *counting]

    def unproven(self, up_to: int, limit: int) -> list[Media]:
        """The oldest of which the archive may have all and has signed nothing. It knows lines up to ``up_to``."""
        return self._media(
            "WHERE state IN ('held', 'unknown') AND seq <= ? ORDER BY state, seq LIMIT ?", (up_to, limit)
        )

    def settle(self, lacks: Collection[str], up_to: int, *, complete: bool, but: Collection[str]) -> None:
        """Take in what the archive says that it lacks (plan.verdicts); it knows the lines up to ``up_to``.

        It asks for nothing that lies here no more, so of that its silence says nothing: a receipt does.
        """
        with self._db.transaction():
            self._change(verdicts(self.named(lacks), lacks, complete=complete, but=but), _AGAIN)
            last = -1
            while complete:
                page = self._media(
                    "WHERE state IN ('unknown', 'waiting') AND gone = 0 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                    (last, up_to, _PAGE),
                )
                if not page:
                    break
                self._change(verdicts(page, lacks, complete=True, but=but), _AGAIN)
                last = page[-1].seq

    def acknowledge(self, digests: Sequence[str]) -> None:
        """The archive says that it has them."""
        sql = "UPDATE media SET state = 'held', acknowledged = acknowledged + 1 WHERE sha256 = ?"
        with self._db.transaction():
            self._db.change_many(sql, ((each,) for each in digests))

    def doubt(self, sha256: str) -> None:
        """The answer was lost: the archive may have it or not."""
        self._db.change("UPDATE media SET state = 'unknown' WHERE sha256 = ? AND state != 'refused'", (sha256,))

    def want(self, sha256: str) -> None:
        """The archive did not take it, and may later."""
        self._db.change("UPDATE media SET state = 'waiting' WHERE sha256 = ? AND state != 'refused'", (sha256,))

    def doubt_behind(self, seq: int) -> None:
        """The archive does not know the lines behind ``seq``: whatever it said of their segments is void."""
        self._db.change("UPDATE media SET state = 'unknown' WHERE seq > ? AND state != 'refused'", (seq,))

    def refuse(self, sha256: str, reason: str) -> None:
        """Hold it back until a person has looked at it."""
        self._change({sha256: State.REFUSED}, reason)

    def refused(self, limit: int) -> list[tuple[str, str]]:
        """Digest and reason of what is held back, the newest first."""
        sql = "SELECT sha256, reason FROM media WHERE state = 'refused' ORDER BY seq DESC LIMIT ?"
        return [(str(sha256), str(reason)) for sha256, reason in self._db.rows(sql, (limit,))]

    def release(self, digests: Collection[str] | None) -> list[str]:
        """Hold these back no longer, or all (None): the archive is asked anew. Which of them were held back."""
        held = [sha256 for sha256, _ in self.refused(-1)]
        freed = held if digests is None else [each for each in held if each in digests]
        sql = "UPDATE media SET state = 'unknown', acknowledged = 0, reason = NULL WHERE sha256 = ?"
        with self._db.transaction():
            self._db.change_many(sql, ((each,) for each in freed))
        return freed

    def receipted(self, digests: Collection[str], entry: str) -> None:
        """The archive has signed that it has them; the recorder finds that in ``entry``."""
        sql = "UPDATE media SET state = 'receipted', entry = ? WHERE sha256 = ? AND state != 'refused'"
        with self._db.transaction():
            self._db.change_many(sql, ((entry, each) for each in digests))

    def named(self, digests: Collection[str]) -> list[Media]:
        """Those of ``digests`` that lines name."""
        marks = ", ".join("?" * len(digests))
        return self._media(f"WHERE sha256 IN ({marks})", tuple(digests)) if digests else []

    def entry_is_known(self, name: str) -> bool:
        """Whether segments are receipted by an entry of that name."""
        return bool(self._db.rows("SELECT 1 FROM media WHERE entry = ? LIMIT 1", (name,)))

    def spent_entries(self) -> list[str]:
        """Entries of which no segment lies here any more."""
        rows = self._db.rows("SELECT entry FROM media WHERE entry IS NOT NULL GROUP BY entry HAVING min(gone) = 1")
        return [str(entry) for (entry,) in rows]

    def drop_entry(self, name: str) -> None:
        """That entry is there no more."""
        self._db.change("UPDATE media SET entry = NULL WHERE entry = ?", (name,))

    def totals(self) -> Totals:
        """Counts over all segments."""
        media, waiting_bytes, lost = dict.fromkeys(State, 0), 0, 0
        sql = "SELECT state, gone, count(*), sum(size) FROM media GROUP BY state, gone"
        for word, gone, count, size in self._db.rows(sql):
            state, number = State(str(word)), int(count or 0)
            if gone and state is State.WAITING:
                lost += number
            elif not (gone and state is State.UNKNOWN):
                media[state] += number
                waiting_bytes += int(size or 0) if state is State.WAITING else 0
        return Totals(media=media, waiting_bytes=waiting_bytes, lost=lost)

    def _change(self, states: dict[str, State], reason: str) -> None:
        self._db.change_many(
            "UPDATE media SET state = ?, reason = ? WHERE sha256 = ?",
            ((state, reason if state is State.REFUSED else None, sha256) for sha256, state in states.items()),
        )

    def _media(self, rest: str, values: Sequence[Value] = ()) -> list[Media]:
        return [_read(row) for row in self._db.rows(f"SELECT {_MEDIA} FROM media {rest}", values)]  # noqa: S608


def _row(media: Media) -> Row:
    return (
        media.sha256,
        media.seq,
        *media.place,
        media.size,
        int(media.counting),
        media.state,
        media.acknowledged,
    )


def _read(row: Row) -> Media:
    sha256, seq, session, camera, run, index, size, counting, state, acknowledged = row
    return Media(
        sha256=str(sha256),
        seq=int(seq or 0),
        session=str(session),
        camera=str(camera),
        run=int(run or 0),
        index=int(index or 0),
        size=int(size or 0),
        counting=bool(counting),
        state=State(str(state)),
        acknowledged=int(acknowledged or 0),
    )
