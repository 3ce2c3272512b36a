"""Every receipt that was ever given, one a line in the order of their signing: so that each can be given again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from base.durable import Disk, DurableFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A receipt, and where its line begins in the journal."""

    text: str
    offset: int

    @property
    def size_bytes(self) -> int:
        """How long the text is; its line is one LF longer."""
        return len(self.text)


class ReceiptJournal:
    """The file ``receipts.jws``. One thread calls ``append``, any the rest."""

    def __init__(self, disk: Disk, path: Path) -> None:
        """Makes the file where it is missing. Before ``append``, ``settle`` says where it ends."""
        self._disk, self._path = disk, path
        if not path.exists():
            disk.make_directory(path.parent)
            disk.create(path).close()
        # A process that died here before may have left a name that is not durable yet.
        disk.sync_directory(path.parent)
        self._file: DurableFile = disk.append(path)
        self.end = path.stat().st_size
        """Its length in bytes."""

    def append(self, texts: Sequence[str]) -> list[Written]:
        """All are durable on return. An OSError is final."""
        written: list[Written] = []
        end = self.end
        for text in texts:
            written.append(Written(text=text, offset=end))
            end += len(text) + 1
        if written:
            self._file.write("".join(f"{text}\n" for text in texts).encode("ascii"))
            self._file.sync()
            self.end = end
        return written

    def read(self, offset: int, size_bytes: int) -> str:
        """A receipt, by its place."""
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(size_bytes).decode("ascii")

    def behind(self, offset: int) -> Iterator[Written]:
        """The lines from ``offset`` on, where one begins, as the disk itself holds them; the last may be torn."""
        with self._disk.reread(self._path) as file:
            file.seek(offset)
            for line in file:
                yield Written(text=line.decode("ascii", "replace").removesuffix("\n"), offset=offset)
                offset += len(line)

    def settle(self, end: int) -> None:
        """What is behind ``end`` was given to nobody and goes; the rest is durable on return."""
        if end < self.end:
            self._file.cut(end)
        self._file.sync()
        self.end = end

    def close(self) -> None:
        """Give the descriptor back."""
        self._file.close()
