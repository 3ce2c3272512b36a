"""The lanes of the media: live, which goes at once, and backfill, which takes what is left of the link.

What happened to a segment is known only by an answer. So before it is sent it is written down as unknown: whenever this
process or the connection ends, the archive is asked first, and nothing goes twice.
"""

from collections.abc import Callable
from pathlib import Path

from appliance.uplink.answers import BusyError, Refused
from appliance.uplink.body import Before
from appliance.uplink.client import Taken, Urgency
from appliance.uplink.mediabook import MediaBook
from appliance.uplink.pace import SECOND_NS
from appliance.uplink.plan import Media, backfill, live
from appliance.uplink.talk import IDLE_S, Talk
from appliance.uplink.thinning import every
from appliance.uplink.way import Rank

GATE_S = 15.0
"""A chunk waits for what goes first at most so long: where nothing moves, somebody cuts the connection."""
JUDGED_NS = 4 * SECOND_NS
"""Transfers that took so long tell what the link carries."""


class MediaLane:
    """One segment at a time, live or backfill."""

    def __init__(self, talk: Talk, urgency: Urgency, *, second: bool = False) -> None:
        """The ``second`` lane of a kind works only while the link is fast: on a slow one it would be in the way."""
        self._talk = talk
        self._at = talk.at
        self._urgency = urgency
        self._second = second

    async def turn(self) -> float:
        """Send the segment whose turn it is; 0, or how many seconds there is none unless the bell rings."""
        at, talk = self._at, self._talk
        if self._second and not at.state.rate.is_fast():
            return IDLE_S
        await talk.way.clear(Rank.LIVE if self._urgency is Urgency.LIVE else Rank.BACKFILL)
        if self._urgency is Urgency.LIVE:
            newest = await at.disk.do(at.media.newest, at.state.every)
            media = live(newest, talk.sending | talk.passed_over, talk.went_live)
            if media is not None:
                talk.went_live[media.camera] = media.seq
                with talk.way.taken(Rank.LIVE) as leave:
                    await self._send(media, self._before_live, leave)
        else:
            waiting, newest = await at.disk.do(_waiting, at.media, at.state.every)
            media = backfill(waiting, newest, talk.sending | talk.passed_over, at.policy)
            if media is not None:
                await self._send(media, self._before_backfill, lambda: None)
        return IDLE_S if media is None else 0

    async def _send(self, media: Media, before: Before, sent: Callable[[], None]) -> None:
        self._talk.sending.add(media.sha256)
        try:
            data = await self._at.disk.do(_take_up, self._at.media, media, self._at.segment(*media.place))
            if data is None:
                return
            # The process or the connection ends here: the archive has it or not.
            try:
                taken = await self._carry(media, data, before, sent)
            except BusyError:
                await self._at.disk.do(self._at.media.want, media.sha256)
                raise
            self._talk.has_changed(media.sha256)
            await self._note(media, taken)
        finally:
            self._talk.sending.discard(media.sha256)

    async def _carry(self, media: Media, data: bytes, before: Before, sent: Callable[[], None]) -> Taken | Refused:
        talk, state = self._talk, self._at.state
        if self._urgency is Urgency.BACKFILL and self._at.backfill_ceiling.is_set:
            # How fast that goes says nothing of the link.
            return await talk.client.media(media.sha256, data, self._urgency, before, bytes_s=talk.bytes_s())
        with talk.carried.going():
            taken = await talk.client.media(
                media.sha256, data, self._urgency, before, bytes_s=talk.bytes_s(), sent=sent
            )
            talk.carried.add(media.size)
        state.every = every(state.every, self._at.made_bytes_s(), talk.carried.bytes_s(JUDGED_NS))
        return taken

    async def _note(self, media: Media, taken: Taken | Refused) -> None:
        state = self._at.state
        match taken:
            case Taken.STORED:
                await self._at.disk.do(self._at.media.acknowledge, [media.sha256])
                state.rate.add(media.size)
                state.acknowledged_sha256, state.acknowledged_boot_ns = media.sha256, self._at.boot_ns()
                state.tries = 0
            case Refused():
                await self._at.disk.do(self._at.media.refuse, media.sha256, f"{taken.code}: {taken.message}")
            case Taken.NAMED_BY_NO_LINE:
                self._talk.passed_over.add(media.sha256)
                self._talk.in_doubt = True
                self._at.news.ring()
            case Taken.NOT_IN_FORM:
                self._talk.passed_over.add(media.sha256)
                state.notes["media"] = f"the archive takes {media.sha256} for no segment"
        self._at.bell.ring()

    async def _before_live(self, size_bytes: int) -> None:
        await self._talk.way.clear(Rank.LIVE, GATE_S)
        await self._wait(self._at.ceiling.wait_s(size_bytes))

    async def _before_backfill(self, size_bytes: int) -> None:
        await self._talk.way.clear(Rank.BACKFILL, GATE_S)
        await self._wait(max(self._at.ceiling.wait_s(size_bytes), self._at.backfill_ceiling.wait_s(size_bytes)))

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self._at.pause(seconds)


# In the disk's thread, and as few calls there as there can be: each costs more than what it does.


def _waiting(book: MediaBook, every: int) -> tuple[list[Media], list[Media]]:
    """What waits, and what of it is live."""
    return book.waiting(), book.newest(every)


def _take_up(book: MediaBook, media: Media, path: Path) -> bytes | None:
    """The segment, in doubt from now on; None where it cannot be sent."""
    try:
        with path.open("rb") as file:
            data = file.read(media.size + 1)
    except FileNotFoundError:
        book.gone(media.sha256)
        return None
    except OSError as error:
        book.refuse(media.sha256, f"it cannot be read here: {error.strerror}")
        return None
    if len(data) != media.size:
        book.refuse(media.sha256, "it is not as long as its line says")
        return None
    book.doubt(media.sha256)
    return data
