"""Sends what is due, each notifier by itself: one that hangs holds up nobody else."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from archive.supervision.notify.message import Notifier, NotSent
from archive.supervision.queue.outbox import Outbox

LOOK_S = 1.0
_log = logging.getLogger("supervision")


async def send_due(outbox: Outbox, notifier: Notifier, now_us: Callable[[], int]) -> bool:
    """Try the one message that is due; False where none is. Raises OSError where the database fails."""
    outgoing = await asyncio.to_thread(outbox.due, notifier.name, now_us())
    if outgoing is None:
        return False
    try:
        await notifier.send(outgoing.message)
    except NotSent as error:
        await asyncio.to_thread(outbox.failed, outgoing, str(error), now_us())
    else:
        await asyncio.to_thread(outbox.sent, outgoing, now_us())
    return True


async def run_calling(outbox: Outbox, notifiers: Sequence[Notifier], now_us: Callable[[], int]) -> None:
    """Until it is cancelled. A database that fails is logged and tried again: nothing is lost by it."""
    async with asyncio.TaskGroup() as group:
        for notifier in notifiers:
            group.create_task(_run(outbox, notifier, now_us))


async def _run(outbox: Outbox, notifier: Notifier, now_us: Callable[[], int]) -> None:
    while True:
        try:
            await send_due(outbox, notifier, now_us)
        except OSError as error:
            _log.error("nobody can be called", extra={"fields": {"notifier": notifier.name, "error": str(error)}})
        await asyncio.sleep(LOOK_S)
