"""The workers of an archive as its parent sees them: started together, watched, ended together."""

import asyncio
import logging
import multiprocessing
import os
import socket
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from archive.config import ArchiveConfig
from archive.ingest.reception import SHUTDOWN_S
from archive.worker import LISTENING, STOP, work

_START_S = 60
_END_S = SHUTDOWN_S + 20
_log = logging.getLogger("archive")


class Crew:
    """One worker for each of ``listeners``, which are bound and given away. A worker never outlives this process."""

    def __init__(self, config: ArchiveConfig, listeners: Sequence[socket.socket]) -> None:
        self._config, self._listeners = config, listeners
        self._members: list[_Member] = []

    async def run(self, stop: asyncio.Event, listening: Callable[[], None]) -> None:
        """Until ``stop``; then all finish what they have begun. ``listening`` is called when all listen.

        Raises OSError where one has failed, or had to be killed.
        """
        stopping = asyncio.create_task(stop.wait())
        try:
            await self._start()
            listening()
            ends = {asyncio.create_task(member.ended.wait()) for member in self._members}
            await asyncio.wait({stopping, *ends}, return_when=asyncio.FIRST_COMPLETED)
            for each in ends:
                each.cancel()
            for member in self._members:
                member.raise_ended()
        finally:
            stopping.cancel()
            await self._stop()

    async def _start(self) -> None:
        # A process that has threads must not fork.
        context = multiprocessing.get_context("spawn")
        for number, listener in enumerate(self._listeners):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=work,
                args=(self._config, number, listener, theirs, os.getpid()),
                name=f"worker-{number}",
                # Ended at the latest with the interpreter.
                daemon=True,
            )
            process.start()
            theirs.close()
            listener.close()
            self._members.append(_Member(process, ours))
        async with asyncio.timeout(_START_S):
            for member in self._members:
                await member.listening.wait()
                member.raise_ended()

    async def _stop(self) -> None:
        for member in self._members:
            member.tell_stop()
        errors: list[OSError] = []
        for member in self._members:
            try:
                await member.finish()
            except OSError as error:
                errors.append(error)
        if errors:
            raise errors[0]


class _Member:
    def __init__(self, process: SpawnProcess, pipe: Connection) -> None:
        self._process, self._pipe = process, pipe
        self.listening, self.ended = asyncio.Event(), asyncio.Event()
        """Both are set where it has ended."""
        loop = asyncio.get_running_loop()
        loop.add_reader(pipe.fileno(), self._hear)
        loop.add_reader(process.sentinel, self._end)

    def raise_ended(self) -> None:
        if self.ended.is_set():
            raise OSError(f"{self._process.name} has ended with {self._process.exitcode}")

    def tell_stop(self) -> None:
        try:
            self._pipe.send_bytes(STOP)
        except OSError:
            self._process.kill()

    async def finish(self) -> None:
        try:
            async with asyncio.timeout(_END_S):
                await self.ended.wait()
        except TimeoutError:
            _log.error("a worker does not end", extra={"fields": {"worker": self._process.name}})
            self._process.kill()
            await self.ended.wait()
        asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        self._pipe.close()
        if self._process.exitcode:
            raise OSError(f"{self._process.name} has ended with {self._process.exitcode}")

    def _hear(self) -> None:
        try:
            if self._pipe.recv_bytes(len(LISTENING)) == LISTENING:
                self.listening.set()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._process.join()
        self.listening.set()
        self.ended.set()
