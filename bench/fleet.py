"""Many stations on a few processes: each has a connection of its own and sends a segment whenever one is due."""

import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from bench.client import Client
from bench.program import cpu_s

PROCESSES = 2
_AHEAD_S = 0.5
"""From the order to its beginning, so that all processes begin together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """A segment that was acknowledged: its station, when it was due and when the answer came, in seconds of the run."""

    client: int
    due_s: float
    done_s: float
    size_bytes: int

    @property
    def latency_s(self) -> float:
        """From the moment at which it was due, not at which it was sent: whoever queues is not hidden."""
        return self.done_s - self.due_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run brought. ``cpu_s`` is what the generator itself took; ``waits`` counts answers 503."""

    acks: tuple[Ack, ...]
    cpu_s: float
    waits: int


class Fleet:
    """A context manager; on entry each client of ``make`` is made in one of the processes and has connected."""

    def __init__(self, make: Callable[[int], Client], clients: int) -> None:
        """``make`` is called for 0 to ``clients`` - 1. What it refers to is shared with the processes, which fork."""
        fork = multiprocessing.get_context("fork")
        self._pipes: list[Connection] = []
        self._processes: list[multiprocessing.process.BaseProcess] = []
        for number in range(PROCESSES):
            here, there = fork.Pipe()
            process = fork.Process(target=_work, args=(there, make, range(number, clients, PROCESSES)), daemon=True)
            self._pipes.append(here)
            self._processes.append(process)

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        for pipe in self._pipes:
            _received(pipe)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.join()

    def run(self, dues: Mapping[int, Sequence[float]]) -> Run:
        """Have each client send a segment at each of its times, in seconds from the beginning, or as soon after it as
        the one before is done. Raises RuntimeError where a client fails.
        """
        before = self._cpu_s()
        begin = time.monotonic() + _AHEAD_S
        for number, pipe in enumerate(self._pipes):
            pipe.send((begin, {client: dues[client] for client in dues if client % PROCESSES == number}))
        runs = [run for run in map(_received, self._pipes) if run is not None]
        return Run(
            acks=tuple(ack for run in runs for ack in run.acks),
            cpu_s=self._cpu_s() - before,
            waits=sum(run.waits for run in runs),
        )

    def _cpu_s(self) -> float:
        return sum(cpu_s(process.pid) for process in self._processes if process.pid is not None)


def _received(pipe: Connection) -> Run | None:
    """What a process says: None when it is ready, then a run each time. Raises RuntimeError where it has failed."""
    said = pipe.recv()
    if said is None or isinstance(said, Run):
        return said
    raise RuntimeError(f"the load generator has failed: {said}")


def _work(pipe: Connection, make: Callable[[int], Client], numbers: Sequence[int]) -> None:
    try:
        clients = {number: make(number) for number in numbers}
        pipe.send(None)
        while True:
            begin, dues = pipe.recv()
            pipe.send(_run(clients, begin, dues))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def _run(clients: Mapping[int, Client], begin: float, dues: Mapping[int, Sequence[float]]) -> Run:
    before = sum(client.waits for client in clients.values())

    def live(number: int) -> list[Ack]:
        client, acks = clients[number], list[Ack]()
        for due_s in dues[number]:
            time.sleep(max(0.0, begin + due_s - time.monotonic()))
            heavy = client.segment()
            done_s = time.monotonic() - begin
            acks.append(Ack(client=number, due_s=due_s, done_s=done_s, size_bytes=heavy.size_bytes))
            client.receipt()
        return acks

    with ThreadPoolExecutor(max(1, len(dues))) as threads:
        acks = tuple(ack for lived in threads.map(live, dues) for ack in lived)
    return Run(acks=acks, cpu_s=0, waits=sum(client.waits for client in clients.values()) - before)
