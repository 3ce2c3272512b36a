"""A message handed to a program of this machine: a pager, a modem that sends SMS, a siren."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence

from archive.supervision.notify.message import Message, NotSent

LIMIT_S = 30
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
"""Nothing of ours goes along."""


class Command:
    """Runs an argument list, without a shell, with the JSON on its standard input. It takes the message by ending
    with 0; after the limit it is killed with all that it started.
    """

    def __init__(self, name: str, level: int, argv: Sequence[str], *, limit_s: float = LIMIT_S) -> None:
        self.name, self.level = name, level
        self._argv, self._limit_s = tuple(argv), limit_s

    async def send(self, message: Message) -> None:
        """Raises NotSent."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={**_ENVIRONMENT, "UNBROKEN_KEY": message.key},
                start_new_session=True,
            )
        except OSError as error:
            raise NotSent(f"{self._argv[0]}: {error.strerror}") from error
        try:
            async with asyncio.timeout(self._limit_s):
                await process.communicate(message.body.encode())
        except TimeoutError as error:
            raise NotSent(f"not done within {self._limit_s:g} s") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            raise NotSent(f"ended with {process.returncode}")
