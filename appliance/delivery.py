"""The uplink: ledger, media and receipts joined to the archive into one program. It has no camera and no evidence key.

ledger up to the durable head ─▶ books ─▶ lanes ─▶ archive ─▶ receipts ─▶ recorder
"""

import asyncio
import contextlib
import logging
import random
import signal
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from appliance.config import StationConfig
from appliance.control.server import ControlServer
from appliance.store.layout import Layout
from appliance.uplink.bell import Bell, DiskThread
from appliance.uplink.client import ANSWER_S
from appliance.uplink.database import open_database
from appliance.uplink.follow import Follower
from appliance.uplink.linebook import LINE_INDEXES, LINE_TABLES, LineBook
from appliance.uplink.link import Link
from appliance.uplink.mediabook import MEDIA_INDEXES, MEDIA_TABLES, MediaBook
from appliance.uplink.network import network_mark
from appliance.uplink.pace import Ceiling, Rate
from appliance.uplink.plan import RECEIPT_NS
from appliance.uplink.proven import proven_time
from appliance.uplink.receipts import Whose
from appliance.uplink.status import LinkState
from appliance.uplink.talk import Station
from appliance.uplink.tls import archive_context
from base.clock import PLAUSIBLE_AFTER_US, Clock, SystemClock
from base.durable import Disk
from base.errors import OperatorError
from base.receiptfolder import ReceiptFolder
from base.service import Service
from evidence.certificate import Trust
from evidence.members import DIGEST

log = logging.getLogger("unbroken.uplink")

DATABASE = "uplink.sqlite"
STATUS = "uplink.json"


def deliver(config: StationConfig) -> int:
    """Deliver to the archive until SIGTERM or SIGINT; the exit code. Raises OperatorError where a person must act."""
    with contextlib.suppress(OSError):
        config.run.mkdir(parents=True, exist_ok=True)
    asyncio.run(_until_told(Delivery(config, SystemClock()), Service()))
    return 0


class Delivery:
    """Everything that delivers for one station, built and joined."""

    def __init__(
        self,
        config: StationConfig,
        clock: Clock,
        *,
        chance: random.Random | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        answer_s: float = ANSWER_S,
        receipt_ns: int = RECEIPT_NS,
    ) -> None:
        """Raises OperatorError where the configuration names no archive, or what it names cannot be used."""
        if config.uplink is None:
            raise OperatorError("The configuration names no archive.", hint="Write the section [uplink].")
        self._config, self._uplink, self._clock = config, config.uplink, clock
        self._trust = _trust(config.trust)
        try:
            disk = Disk()
            disk.make_directory(config.uplink.data)
            receipts = ReceiptFolder(config.uplink.receipts, disk)
        except OSError as error:
            raise OperatorError(
                f"{config.uplink.data} cannot be written: {error.strerror}.", hint="Mend uplink.data."
            ) from error
        self._database = open_database(
            config.uplink.data / DATABASE, LINE_TABLES | MEDIA_TABLES, LINE_INDEXES + MEDIA_INDEXES
        )
        layout, self._thread = Layout(config.data), DiskThread()
        self._lines = LineBook(self._database)
        self.books = MediaBook(self._database)
        """How each segment fares."""
        self.state = LinkState(rate=Rate(clock.boot_ns))
        try:
            self._context_by(self._lines.marks())
        except (OSError, ValueError) as error:
            self.close()
            raise OperatorError(
                f"The uplink's key or certificate cannot be used: {error}.",
                hint="Mend uplink.key and uplink.certificate in the configuration.",
            ) from error
        follower = Follower(
            ledger=layout.ledger,
            head=config.run / "head.json",
            database=self._database,
            trust=self._trust,
            whose=(config.election, config.station, config.unit),
        )
        self._bell = Bell()
        station = Station(
            disk=self._thread,
            lines=self._lines,
            media=self.books,
            receipts=receipts,
            ledger=layout.ledger,
            segment=layout.segment,
            trust=self._trust,
            whose=Whose(election=config.election, station=config.station, unit=config.unit),
            policy=config.uplink.policy,
            made_bytes_s=lambda: follower.made_bytes_s,
            ceiling=Ceiling(config.uplink.rate_kbit, clock.boot_ns),
            backfill_ceiling=Ceiling(config.uplink.backfill_kbit, clock.boot_ns),
            boot_ns=clock.boot_ns,
            chance=chance or random.Random(),
            pause=pause,
            receipt_ns=receipt_ns,
            state=self.state,
            bell=self._bell,
            news=Bell(),
        )
        self._link = Link(
            station,
            follower,
            url=config.uplink.url,
            context=self._context,
            network=network_mark,
            status_path=config.run / STATUS,
            answer_s=answer_s,
        )

    async def run(self) -> None:
        """Deliver until cancelled, and answer who asks."""
        async with contextlib.AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(ControlServer(self._config.uplink_socket, self._answer).listening())
            except OSError as error:
                # What nobody can speak to still delivers.
                log.error("no socket", extra={"fields": {"reason": str(error)}})
            await self._link.run()

    async def _answer(self, request: dict[str, object]) -> dict[str, object]:
        """docs/reference/control.md. Raises OperatorError."""
        asked = request.get("media")
        if request.get("verb") != "release" or not (asked is None or isinstance(asked, list)):
            raise OperatorError("The uplink knows only the verb release, for media or for all.")
        try:
            digests = None if asked is None else {DIGEST(each) for each in asked}
        except ValueError as error:
            raise OperatorError(f"This is no digest of a segment: {error}.") from error
        released = await self._thread.do(self.books.release, digests)
        self._bell.ring()
        log.info("released", extra={"fields": {"media": released}})
        return {"released": len(released)}

    def close(self) -> None:
        """Give everything back. What was told of the link is true no longer."""
        self._thread.close()
        self._database.close()
        with contextlib.suppress(OSError):
            (self._config.run / STATUS).unlink()

    async def _context(self) -> ssl.SSLContext:
        return self._context_by(await self._thread.do(self._lines.marks))

    def _context_by(self, marks: list[int]) -> ssl.SSLContext:
        return archive_context(
            trust=self._trust,
            certificate=self._uplink.certificate,
            key=self._uplink.key,
            election=self._config.election,
            proven=lambda: proven_time(self._clock.read(), [PLAUSIBLE_AFTER_US, *marks]),
        )


async def _until_told(delivery: Delivery, service: Service) -> None:
    work = asyncio.create_task(delivery.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    service.ready()
    try:
        await work
    except asyncio.CancelledError:
        service.stopping()
    finally:
        delivery.close()


def _trust(path: Path) -> Trust:
    try:
        return Trust.from_pem(path.read_bytes())
    except (OSError, ValueError) as error:
        raise OperatorError(
            f"The election root cannot be read: {error}.", hint="Mend keys.trust in the configuration."
        ) from error
