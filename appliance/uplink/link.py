"""The link to the archive for as long as the process lives: follow the ledger, connect, upload, fail, wait, tell."""

import asyncio
import contextlib
import json
import logging
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from appliance.uplink.answers import BusyError
from appliance.uplink.backoff import BackOff
from appliance.uplink.client import ANSWER_S, ArchiveClient, Urgency
from appliance.uplink.follow import Follower
from appliance.uplink.linelane import LineLane
from appliance.uplink.mediabook import Totals
from appliance.uplink.medialane import MediaLane
from appliance.uplink.receiptlane import ReceiptLane, adopt_entries, clear_spent
from appliance.uplink.talk import Station, StuckError, Talk
from base.durable import publish
from base.errors import PeerError

log = logging.getLogger("unbroken.uplink")

FOLLOW_S = 0.25
TOOK_S, MOST_TOOK_S = 7.5, 22.5
"""After each failed try questions are taken to need so much longer: on the thinnest link TLS alone takes the most."""
TELL_S = 2.0
TOTALS_SHARE = 200
LOOK_S = 1.0
"""How soon a change of the network is noticed while waiting for the next try."""
REFUSED_TOLD = 10


class Link:
    """Runs until it is cancelled."""

    def __init__(
        self,
        station: Station,
        follower: Follower,
        *,
        url: str,
        context: Callable[[], Awaitable[ssl.SSLContext]],
        network: Callable[[], object],
        status_path: Path,
        answer_s: float = ANSWER_S,
    ) -> None:
        """``context`` is made anew for each connection and may raise OSError or ValueError; ``network`` is another
        value whenever the network has changed.
        """
        self._at = station
        self._follower = follower
        self._url = url
        self._context = context
        self._network = network
        self._status_path = status_path
        self._answer_s = answer_s
        self._caught_up = asyncio.Event()
        self._totals: Totals | None = None
        self._count_ns = 0

    async def run(self) -> None:
        """Never returns. What it raises is a bug, or a database that fails: a new process does better."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._tell())
            group.create_task(self._deliver())

    async def _follow(self) -> None:
        read_to: tuple[int, int] | None = None
        while True:
            mark = self._follower.head_mark()
            if mark is not None and mark == read_to and self._follower.trouble is None:
                await asyncio.sleep(FOLLOW_S)
                continue
            before = self._follower.lines_read
            more = await self._at.disk.do(self._follower.step)
            if self._follower.lines_read != before:
                self._at.news.ring()
            if more:
                continue
            if not self._caught_up.is_set():
                await self._at.disk.do(adopt_entries, self._at)
                await self._at.disk.do(clear_spent, self._at)
                self._caught_up.set()
            read_to = mark
            await asyncio.sleep(FOLLOW_S)

    async def _deliver(self) -> None:
        await self._caught_up.wait()
        back_off, state = BackOff(self._at.chance), self._at.state
        while True:
            network, pause_s = self._network(), 0.0
            try:
                await self._connect()
            except* PeerError as errors:
                state.why, pause_s = _why(errors)
            state.connected = False
            state.notes.clear()
            if state.tries == 0:
                back_off.worked()
            state.tries += 1
            log.warning("no connection", extra={"fields": {"why": state.why, "tries": state.tries}})
            await self._wait(max(back_off.failed(), pause_s), network)

    async def _connect(self) -> None:
        """Until the connection is lost: raises PeerError, alone or in a group."""
        try:
            context = await self._context()
        except (OSError, ValueError) as error:
            raise PeerError(f"the uplink's key, certificate or root cannot be used: {error}", retry=True) from error
        async with ArchiveClient(self._url, context, answer_s=self._answer_s) as client:
            client.expect(min(MOST_TOOK_S, TOOK_S * self._at.state.tries))
            talk = Talk(self._at, client)
            lines = LineLane(talk)
            await lines.agree()
            self._at.state.connected = True
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lane("lines", lines.turn))
                group.create_task(self._lane("live", MediaLane(talk, Urgency.LIVE).turn))
                group.create_task(self._lane("backfill", MediaLane(talk, Urgency.BACKFILL).turn))
                second = MediaLane(talk, Urgency.BACKFILL, second=True)
                group.create_task(self._lane("second backfill", second.turn))
                group.create_task(self._lane("receipts", ReceiptLane(talk).turn))

    async def _lane(self, name: str, turn: Callable[[], Awaitable[float]]) -> None:
        """One turn after the other; where there was nothing to do, wait as long as the turn says, or for a change."""
        back_off = BackOff(self._at.chance)
        bell = self._at.news if name == "lines" else self._at.bell
        while True:
            ticket = bell.ticket()
            try:
                idle_s = await turn()
                if idle_s > 0:
                    await bell.after(ticket, idle_s)
                else:
                    back_off.worked()
                    self._at.state.notes.pop(name, None)
            except (BusyError, StuckError) as error:
                pause_s = error.pause_s if isinstance(error, BusyError) else None
                self._at.state.notes[name] = str(error)
                await self._at.pause(back_off.failed() if pause_s is None else pause_s)

    async def _wait(self, seconds: float, network: object) -> None:
        """``seconds``, or until the network is another one."""
        while seconds > 0 and self._network() == network:
            await self._at.pause(min(seconds, LOOK_S))
            seconds -= LOOK_S

    async def _tell(self) -> None:
        while True:
            status = await self._at.disk.do(self._status)
            # What lies there is for others; delivery does not stop because they cannot be told.
            with contextlib.suppress(OSError):
                publish(self._status_path, json.dumps(status).encode())
            await asyncio.sleep(TELL_S)

    def _status(self) -> dict[str, object]:
        durable, began_ns = self._follower.durable, self._at.boot_ns()
        if self._totals is None or began_ns >= self._count_ns:
            self._totals = self._at.media.totals()
            # After days there is much to count: it takes one part in TOTALS_SHARE of the time at most.
            self._count_ns = began_ns + TOTALS_SHARE * (self._at.boot_ns() - began_ns)
        return self._at.state.told(
            boot_ns=self._at.boot_ns(),
            durable_seq=None if durable is None else durable.seq,
            ledger_trouble=self._follower.trouble,
            totals=self._totals,
            refused=self._at.media.refused(REFUSED_TOLD),
        )


def _why(errors: BaseExceptionGroup[PeerError]) -> tuple[str, float]:
    """The reason that was given first, and for how many seconds the archive asks for peace."""
    inner = errors.exceptions[0]
    if isinstance(inner, BaseExceptionGroup):
        return _why(inner)
    return str(inner), (inner.pause_s or 0.0) if isinstance(inner, BusyError) else 0.0
