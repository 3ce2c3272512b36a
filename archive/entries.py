"""Receipts laid in a folder for the unit that they are for, so that it may delete, if it lives on."""

from collections.abc import Sequence
from pathlib import Path

from base.durable import Disk
from base.errors import OperatorError
from base.receiptfolder import Place, ReceiptFolder

LOGGED = "logged.jws"


class Entries:
    """One unit's folder; without one nothing is laid. Each receipt once, durable on return. Raises OperatorError."""

    def __init__(self, folder: Path | None, disk: Disk, head_seq: int) -> None:
        """``head_seq`` is the newest line that receipts can be about (base/receiptfolder.py)."""
        self._path, self._disk, self._head_seq = folder, disk, head_seq
        self._folder: ReceiptFolder | None = None
        self._laid: set[str | None] = set()
        if folder is not None:
            try:
                self._folder = ReceiptFolder(folder, disk)
                self._laid = {self._folder.receipt(name) for name in self._folder.names()}
            except OSError as error:
                raise _cannot(folder, error) from error

    def lay_stored(self, receipt: str, places: Sequence[Place]) -> None:
        """An entry for a *stored* receipt, as the recorder takes it."""
        if self._folder is None or self._path is None or receipt in self._laid:
            return
        try:
            self._folder.lay(self._head_seq, receipt, places)
        except OSError as error:
            raise _cannot(self._path, error) from error
        self._laid.add(receipt)

    def lay_logged(self, receipt: str) -> None:
        """The newest *logged* receipt; the recorder needs none, people may."""
        if self._path is None:
            return
        try:
            self._disk.put(self._path / LOGGED, f"{receipt}\n".encode("ascii"))
        except OSError as error:
            raise _cannot(self._path, error) from error


def _cannot(folder: Path, error: OSError) -> OperatorError:
    return OperatorError(f"Receipts cannot be written to {folder}: {error.strerror}.", hint="Name another folder.")
