"""What a segment file holds, as the facts that step 8 of spec/verify.md judges. Bytes in, facts out."""

import hashlib
from typing import Protocol

from evidence import identity as identities
from evidence.identity import Identity
from evidence.verify.media import Facts

Data = bytes | bytearray | memoryview


class Content(Protocol):
    """What a whole, well-formed segment file holds, in ticks of its timescale; see ``Facts``."""

    @property
    def decode_time(self) -> int: ...

    @property
    def duration(self) -> int: ...

    @property
    def pictures(self) -> int: ...

    @property
    def spacing(self) -> int: ...

    @property
    def init_sha256(self) -> str: ...


class Container(Protocol):
    """Who knows the file format: ``cmaf.content.ContentReader``. Both raise ValueError for bytes that are not in it."""

    def identity(self, data: Data) -> bytes:
        """The payload of the identity box."""

    def content(self, data: Data, stream: tuple[int, int, int, bytes] | None) -> Content:
        """The whole file, whose identity gives ``stream`` (width, height, timescale, avcC), or none."""


def read_claim(data: Data, container: Container) -> Identity | None:
    """What the file that begins with ``data`` says that it is; None where that cannot be read."""
    try:
        return identities.read_identity(container.identity(data))
    except ValueError:
        return None


def read_facts(data: Data, container: Container, sha256: str | None = None) -> Facts:
    """What the whole segment file ``data`` holds; ``sha256`` is its digest where that is known already."""
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    identity = read_claim(data, container)
    stream = None if identity is None else (identity.width, identity.height, identity.timescale, identity.avcc)
    try:
        content = container.content(data, stream)
    except ValueError as error:
        return Facts(size=len(data), sha256=sha256, identity=identity, malformed=str(error))
    return Facts(
        size=len(data),
        sha256=sha256,
        identity=identity,
        malformed=None,
        decode_time=content.decode_time,
        duration=content.duration,
        pictures=content.pictures,
        spacing=content.spacing,
        init_sha256=content.init_sha256,
    )
