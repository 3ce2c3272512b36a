"""Every store of the archive as one place, so that one contract can be held against each."""

import hashlib
from pathlib import Path
from typing import Protocol

from archive.config import S3Config
from archive.store.bucket import Bucket
from archive.store.local import LocalStore
from archive.store.s3 import S3Store
from archive.store.store import Store
from base.durable import Disk
from tests.engines.gateway import REGION, Gateway


class Place(Protocol):
    """Where a store keeps its objects. ``folder`` says which: the same folder is the same place."""

    def open(self, disk: Disk, folder: Path) -> Store:
        """A store, as a new process opens it."""

    def damage(self, folder: Path, sha256: str, data: bytes) -> None:
        """Other bytes under a name."""

    def aside(self, folder: Path) -> list[bytes]:
        """What was set aside, in ascending order."""


class LocalPlace:
    """A folder."""

    def open(self, disk: Disk, folder: Path) -> Store:
        return LocalStore(disk, folder / "cas")

    def damage(self, folder: Path, sha256: str, data: bytes) -> None:
        (folder / "cas" / sha256[:2] / sha256).write_bytes(data)

    def aside(self, folder: Path) -> list[bytes]:
        return sorted(each.read_bytes() for each in (folder / "cas" / "damaged").iterdir())


class S3Place:
    """A bucket of a gateway."""

    def __init__(self, gateway: Gateway, bucket: str) -> None:
        self._gateway, self._bucket = gateway, bucket

    def settings(self, folder: Path) -> S3Config:
        """A prefix of its own for each folder."""
        return S3Config(
            bucket=self._bucket,
            prefix=f"{hashlib.sha256(bytes(folder)).hexdigest()[:16]}/",
            endpoint=self._gateway.endpoint,
            region=REGION,
            credentials=self._gateway.credentials,
            plain_http=True,
        )

    def open(self, disk: Disk, folder: Path) -> Store:
        return S3Store(Bucket(self.settings(folder)))

    def damage(self, folder: Path, sha256: str, data: bytes) -> None:
        Bucket(self.settings(folder)).put(f"cas/{sha256[:2]}/{sha256}", data)

    def aside(self, folder: Path) -> list[bytes]:
        bucket = Bucket(self.settings(folder))
        return sorted(bucket.read(name, 0, size) if size else b"" for name, size in bucket.names("damaged/"))
