"""Sends what is due, each notifier by itself: one that hangs holds up nobody else."""

import asyncio
from collections.abc import Callable, Sequence

from archive.supervision.notify.message import Notifier, NotSent
from archive.supervision.queue.outbox import Outbox

LOOK_S = 1.0


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
    """Until it is cancelled. Raises OSError where the database fails."""
    async with asyncio.TaskGroup() as group:
        for notifier in notifiers:
            group.create_task(_run(outbox, notifier, now_us))


async def _run(outbox: Outbox, notifier: Notifier, now_us: Callable[[], int]) -> None:
    while True:
        await send_due(outbox, notifier, now_us)
        await asyncio.sleep(LOOK_S)
