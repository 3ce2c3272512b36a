"""A load generator for what is small or large and asked for again and again: raw HTTP/1.1 in a closed loop.

Each process has some connections; it asks on all of them, then reads all answers, over and over. Nothing is hashed.
"""

import multiprocessing
import re
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

WAIT_S = 30
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came in ``seconds``: answers, their bytes with heads, and the CPU that the generator itself took."""

    answers: int
    received_bytes: int
    seconds: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.answers / self.seconds

    @property
    def mb_s(self) -> float:
        return self.received_bytes / 1e6 / self.seconds


def ask(
    port: int,
    paths: Sequence[str],
    *,
    connections: int,
    processes: int,
    seconds: float,
    tls: ssl.SSLContext | None = None,
) -> Asked:
    """Ask for ``paths`` in turn for so long, over TLS where a context is given. Raises RuntimeError for any answer but
    200.
    """
    fork = multiprocessing.get_context("fork")
    requests = [
        b"GET %s HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n" % path.encode()
        for path in paths
    ]
    pipes: list[Connection] = []
    workers: list[multiprocessing.process.BaseProcess] = []
    for number in range(processes):
        here, there = fork.Pipe()
        order = (there, port, tls, requests, connections // processes, number, seconds)
        worker: multiprocessing.process.BaseProcess = fork.Process(target=_work, args=order, daemon=True)
        worker.start()
        pipes.append(here)
        workers.append(worker)
    told = [pipe.recv() for pipe in pipes]
    for worker in workers:
        worker.join()
    wrong = [each for each in told if isinstance(each, str)]
    if wrong:
        raise RuntimeError(f"the load generator has failed: {wrong[0]}")
    return Asked(
        answers=sum(each[0] for each in told),
        received_bytes=sum(each[1] for each in told),
        seconds=max(each[2] for each in told),
        cpu_s=sum(each[3] for each in told),
    )


def connect(port: int, tls: ssl.SSLContext | None) -> socket.socket:
    """A connection to the loopback, over TLS where a context is given."""
    plain = socket.create_connection(("127.0.0.1", port), WAIT_S)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plain if tls is None else tls.wrap_socket(plain, server_hostname="127.0.0.1")


def _work(
    pipe: Connection,
    port: int,
    tls: ssl.SSLContext | None,
    requests: Sequence[bytes],
    share: int,
    first: int,
    seconds: float,
) -> None:
    try:
        sockets = [connect(port, tls) for _ in range(share)]
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        answers = received = 0
        number = first
        began, cpu_s = time.monotonic(), time.process_time()
        while time.monotonic() - began < seconds:
            for each in sockets:
                each.sendall(requests[number % len(requests)])
                number += 1
            for each in sockets:
                received += _answer(each, buffer)
            answers += len(sockets)
        pipe.send((answers, received, time.monotonic() - began, time.process_time() - cpu_s))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def _answer(connection: socket.socket, buffer: memoryview) -> int:
    """Read one answer; its bytes. Raises RuntimeError for one that is not 200."""
    size = connection.recv_into(buffer)
    head = bytes(buffer[: min(size, 4096)])
    end = head.find(b"\r\n\r\n")
    length = _LENGTH.search(head)
    if not head.startswith(b"HTTP/1.1 200") or end < 0 or length is None:
        raise RuntimeError(f"an answer of {size} bytes: {head[:200]!r}")
    whole = end + 4 + int(length[1])
    while size < whole:
        more = connection.recv_into(buffer)
        if not more:
            raise RuntimeError("the server has hung up")
        size += more
    return size
