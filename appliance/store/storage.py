"""The commit: media durable, then their lines, then the head for everyone else."""

import contextlib
import errno
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from appliance.store.layout import Layout, part_of
from appliance.store.media import MediaFiles
from appliance.store.reserve import Reserve
from base.durable import Disk, publish
from evidence.lines import Body, Line


class Head(Protocol):
    """The end of the ledger."""

    @property
    def seq(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


class Batch(Protocol):
    """Signed lines that wait for the disk."""

    @property
    def data(self) -> bytes: ...
    @property
    def lines(self) -> Sequence[Line]: ...
    @property
    def head(self) -> Head: ...


class Chain(Protocol):
    """Stamps, chains and signs lines in memory."""

    def add(self, body: Body) -> None: ...
    def take(self) -> Batch | None: ...


class Storage:
    """All writes of one session. One thread calls it; bodies reach the ledger in the order of ``enqueue``.

    Once any step of ``commit`` has raised, its outcome is unknown and the process must end (invariant 9).
    """

    def __init__(
        self,
        *,
        disk: Disk,
        layout: Layout,
        session: str,
        chain: Chain,
        head_path: Path,
        reserve_bytes: int,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.reserve = Reserve(disk, layout, reserve_bytes)
        self.media = MediaFiles(disk, layout, session, self.reserve)
        self._chain = chain
        self._head_path = head_path
        self._monotonic_ns = monotonic_ns
        self._ledger = disk.append(layout.ledger)
        self._size_bytes = layout.ledger.stat().st_size
        self._queue: list[Body] = []
        self._layout = layout
        self._disk = disk
        self.sync_ns = 0
        """How long the last commit took."""
        self.head: Head | None = None
        """The newest durable line of this session."""

    @property
    def dirty(self) -> bool:
        """Whether ``commit`` has anything to do."""
        return bool(self._queue) or self.media.dirty

    def enqueue(self, body: Body) -> None:
        """A line for the next commit. A ``segment`` line's media must be finished already."""
        self._queue.append(body)

    def commit(self) -> Sequence[Line]:
        """One sync round. On return the lines given back are durable and may leave the unit."""
        began_ns = self._monotonic_ns()
        # Power fails before this returns: part files and unnamed segments; the ledger knows none of them.
        self.media.settle()
        # Power fails here: whole segments under their final names that no line names; recovery signs them as found.
        queue, self._queue = self._queue, []
        for body in queue:
            self._chain.add(body)
        batch = self._chain.take()
        if batch is None:
            self.sync_ns = self._monotonic_ns() - began_ns
            return ()
        # The disk may be full, and the gap that says so must still be written.
        self.reserve.append(self._ledger, batch.data, self._size_bytes)
        self._ledger.sync()
        # COMMIT. From here on the lines stand, whatever fails.
        self._size_bytes += len(batch.data)
        self.head = batch.head
        head = {"seq": batch.head.seq, "sha256": batch.head.sha256, "size_bytes": batch.head.size_bytes}
        # The head is for others; recording does not stop because they cannot be told.
        with contextlib.suppress(OSError):
            publish(self._head_path, json.dumps(head).encode())
        self.sync_ns = self._monotonic_ns() - began_ns
        return batch.lines

    def keep_snapshot(self, data: bytes) -> None:
        """Keep what a start needs of the lines so far. A full disk goes without; any other OSError is final."""
        try:
            self._disk.put(self._layout.snapshot, data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            # What there is of it takes room that lines may need.
            self._disk.remove(part_of(self._layout.snapshot))

    def close(self) -> None:
        """Give the ledger back. Writes nothing."""
        self._ledger.close()
