"""A station on a disk with its uplink: a recorder-like writer commits segments, a real uplink process delivers them."""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

from appliance.delivery import DATABASE, STATUS
from appliance.store.layout import Layout
from archive.names import UnitName
from base.durable import publish
from bench.centre import Centre
from bench.heavy import CAMERA, Heavy, HeavyStation
from bench.program import PATIENCE_S, POLL_S, Program
from evidence.lines import line_hash
from tests.fakes.station import NOON_US

NAME = UnitName(station="57-002", unit="u1")
_ACKNOWLEDGED = "state IN ('held', 'receipted')"


class Post:
    """One unit. ``filler_bytes`` is the size of its segments, ``utc_us`` the true time at its boot time 0."""

    def __init__(self, folder: Path, centre: Centre, filler_bytes: int, *, utc_us: int | None = NOON_US) -> None:
        folder.mkdir(parents=True)
        self._folder, self._centre = folder, centre
        self._station = HeavyStation(
            centre.authority, filler_bytes, station=NAME.station, unit=NAME.unit, utc_us=utc_us
        )
        self._layout = Layout(folder / "disk")
        self._run = folder / "run"
        self._layout.root.mkdir()
        self._run.mkdir()
        self._written = 0
        """Lines that lie in the ledger."""
        self._size_bytes = 0
        self._commit()

    @property
    def ledger(self) -> Path:
        return self._layout.ledger

    @property
    def lines(self) -> int:
        """How many lines are durable."""
        return self._written

    def files(self) -> list[Path]:
        """All segments, oldest first."""
        return sorted(self._layout.media.rglob("*.m4s"))

    def record(self, count: int = 1) -> Heavy:
        """Commit ``count`` segments together; the last of them. On return their lines lie below the durable head."""
        assert count > 0
        made = [self._station.heavy() for _ in range(count)]
        for heavy in made:
            path = self._layout.segment(*heavy.place)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(heavy.head)
                file.write(heavy.tail)
                if count == 1:
                    file.flush()
                    os.fdatasync(file.fileno())
        self._commit()
        return made[-1]

    def uplink(self, port: int) -> Program:
        """``unbroken station uplink``, which delivers to ``port``."""
        config = self._folder / "station.toml"
        config.write_text(
            _CONFIG.format(
                election=self._centre.authority.election,
                station=NAME.station,
                unit=NAME.unit,
                root=self._centre.root.resolve(),
                port=port,
                certificate=self._centre.certificate(NAME.station, NAME.unit).resolve(),
                key=self._centre.uplink_key.resolve(),
                camera=CAMERA,
            )
        )
        command: list[str | Path] = [sys.executable, "-m", "unbroken", "station", "uplink", "--config", config]
        return Program(command, self._folder / "uplink.log")

    def status(self) -> dict[str, object]:
        """What the uplink tells of itself; empty while it tells nothing. It is up to two seconds old."""
        path = self._run / STATUS
        told: dict[str, object] = json.loads(path.read_bytes()) if path.exists() else {}
        return told

    def books(self) -> "Books":
        """What the uplink has written down. It must have begun."""
        return Books(self._folder / "uplink" / DATABASE)

    def wait(self, condition: Callable[[], bool], uplink: Program, patience_s: float = PATIENCE_S) -> None:
        """Raises RuntimeError where ``condition`` does not come true while the uplink lives."""
        deadline = time.monotonic() + patience_s
        while not condition():
            uplink.require_alive()
            if time.monotonic() > deadline:
                raise RuntimeError(f"the uplink took too long: {self.status()} {uplink.said()}")
            time.sleep(POLL_S)

    def _commit(self) -> None:
        """What a recorder does: the lines, synced, then the durable head for others to read."""
        lines = self._station.lines[self._written :]
        data = b"".join(line + b"\n" for line in lines)
        with self.ledger.open("ab") as file:
            file.write(data)
            file.flush()
            os.fdatasync(file.fileno())
        self._written += len(lines)
        self._size_bytes += len(data)
        head = {"seq": self._written - 1, "sha256": line_hash(lines[-1]), "size_bytes": self._size_bytes}
        publish(self._run / "head.json", json.dumps(head).encode())


class Books:
    """The uplink's database, read while it is written."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)

    def acknowledged_bytes(self) -> int:
        """Of all segments that the archive has answered for."""
        return self._number(f"SELECT total(size) FROM media WHERE {_ACKNOWLEDGED}")  # noqa: S608

    def is_acknowledged(self, sha256: str) -> bool:
        """Whether the archive has answered for this segment."""
        return self._number(f"SELECT count(*) FROM media WHERE sha256 = ? AND {_ACKNOWLEDGED}", sha256) > 0  # noqa: S608

    def is_receipted(self) -> bool:
        """Whether there is a receipt for each segment that was committed."""
        return self._number("SELECT count(*) FROM media WHERE state IS NOT 'receipted'") == 0

    def close(self) -> None:
        self._connection.close()

    def _number(self, question: str, *values: str) -> int:
        return int(self._connection.execute(question, values).fetchone()[0])


_CONFIG = """\
[station]
election = "{election}"
station = "{station}"
unit = "{unit}"

[keys]
trust = "{root}"
key = "none.key"
certificate = "none.pem"

[disk]
data = "disk"
run = "run"

[uplink]
url = "https://127.0.0.1:{port}"
certificate = "{certificate}"
key = "{key}"
data = "uplink"

[[camera]]
id = "{camera}"
source = "pattern"
"""
