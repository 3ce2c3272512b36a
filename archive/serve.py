"""The archive's server: builds every object, serves until told to stop, and ends where a durable step has failed."""

import asyncio
import logging
import resource
import signal
from collections.abc import Callable

from aiohttp import web

from archive.config import ArchiveConfig
from archive.ingest.admission import Admission
from archive.ingest.app import Endpoints
from archive.ingest.committer import Committer
from archive.ingest.lines import LineIntake
from archive.ingest.mediaintake import MediaIntake
from archive.ingest.peer import Peers, server_context
from archive.parts import Parts, open_parts
from archive.receipts import Acknowledger, load_certificates, load_signer
from archive.store.spool import Spool
from base.clock import Clock, SystemClock
from base.durable import Disk
from base.errors import OperatorError
from base.service import Service

FAILED = 1
_SHUTDOWN_S = 10
_log = logging.getLogger("archive")


def serve(config: ArchiveConfig) -> int:
    """Serve until SIGTERM or SIGINT: 0. 1 where the disk or the index has failed, which only a new start can judge."""
    _raise_file_limit()
    with open_parts(config, Disk()) as parts:
        try:
            asyncio.run(_until_signalled(parts))
        except (OSError, ValueError) as error:
            _log.error("the archive ends", extra={"fields": {"error": str(error)}})
            return FAILED
    return 0


async def run(
    parts: Parts, *, clock: Clock, service: Service, stop: asyncio.Event, listening: Callable[[int], None]
) -> None:
    """Serve until ``stop``. ``listening`` is told the port. Raises what a durable step raised."""
    config = parts.config
    parts.catch_up()

    def utc_us() -> int | None:
        return clock.read().utc_us

    committer = Committer(
        store=parts.store,
        ledgers=parts.ledgers,
        journal=parts.journal,
        index=parts.index,
        acknowledger=Acknowledger(
            election=config.election,
            archive=config.name,
            signer=load_signer(config.receipt_key),
            certs=load_certificates(config.receipt_certificate),
            trust=parts.trust,
            utc_us=utc_us,
        ),
    )
    limits = config.limits
    admission = Admission(
        most_bytes=limits.in_flight_mib << 20,
        most_backfill_bytes=limits.backfill_mib << 20,
        least_free_bytes=limits.free_mib << 20,
        free_bytes=lambda: parts.disk.free_bytes(config.data),
    )
    lines = LineIntake(
        election=config.election,
        trust=parts.trust,
        clock=clock,
        limits=limits,
        index=parts.index,
        ledgers=parts.ledgers,
        journal=parts.journal,
        committer=committer,
    )
    media = MediaIntake(
        index=parts.index,
        store=parts.store,
        spool=Spool(parts.disk, config.data / "incoming"),
        committer=committer,
        admission=admission,
    )
    endpoints = Endpoints(
        lines_intake=lines,
        media_intake=media,
        admission=admission,
        peers=Peers(parts.trust, config.election, utc_us),
        stall_s=limits.stall_s,
    )
    runner = web.AppRunner(endpoints.application(), access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    committing = asyncio.create_task(committer.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        site = web.TCPSite(runner, config.address, config.port, ssl_context=server_context(config))
        await _start(site, config)
        port = int(runner.addresses[0][1])
        _log.info("the archive listens", extra={"fields": {"address": config.address, "port": port}})
        listening(port)
        service.ready()
        await asyncio.wait({committing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        service.stopping()
        stopping.cancel()
        # Requests that have begun end first, and the committer does what they left.
        await runner.cleanup()
        await committer.stop()
        try:
            await committing
        finally:
            committer.close()


async def _until_signalled(parts: Parts) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(parts, clock=SystemClock(), service=Service(), stop=stop, listening=lambda _: None)


async def _start(site: web.TCPSite, config: ArchiveConfig) -> None:
    try:
        await site.start()
    except OSError as error:
        raise OperatorError(
            f"The archive cannot listen at {config.address}, port {config.port}: {error.strerror}.",
            hint="Set listen.address and listen.port.",
        ) from error


def _raise_file_limit() -> None:
    """A thousand stations are two thousand files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
