"""A supervision centre over an empty archive and a list of stations whose states the test decides."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from archive.account.state import StationState
from archive.account.stations import StationFacts
from archive.config import load_config
from archive.index.index import Index
from archive.publish.publications import Publications
from archive.roster import COLUMNS, Roster
from archive.supervision.parts import SupervisionParts, open_supervision_parts
from archive.supervision.serve import run
from archive.supervision.wall.watch import Watch
from base.clock import SystemClock
from base.service import Service
from provisioning.authority import Authority

ELECTION = "az-2027"
CONSTITUENCIES = 118
_CONFIG = """\
[archive]
election = "az-2027"
name = "centre"
[keys]
trust = "root.pem"
revoked = "revoked.pem"
key = "s.key"
certificate = "s.pem"
receipt_key = "s.key"
receipt_certificate = "s.pem"
[disk]
data = "data"
[site]
roster = "stations.csv"
time_zone = "Asia/Baku"
[supervision]
port = 0
key = "s.key"
certificate = "s.pem"
loopback_operator = "administer"
"""


class SetWatch(Watch):
    """Sees what the test has set."""

    def set(self, stations: Sequence[StationFacts]) -> None:
        self.stations = tuple(stations)

    def look(self) -> tuple[StationFacts, ...]:
        return self.stations


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervised:
    """A running centre: with certificates at ``port``, without at ``loopback``."""

    folder: Path
    authority: Authority
    watch: SetWatch
    parts: SupervisionParts
    port: int
    loopback: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.loopback}"

    def turn(self, name: str, state: StationState) -> None:
        """From the next look on, the station is in this state."""
        self.watch.set([replace(each, state=state) if each.name == name else each for each in self.watch.stations])

    def operator(self, name: str, right: str) -> tuple[Path, Path]:
        """Certificate and key of an operator."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert, place = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert.write_bytes(self.authority.certify_operator(key.public_key(), name, right).public_bytes(Encoding.PEM))
        write_key(place, key)
        return cert, place


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def roster_of(count: int) -> str:
    rows = [",".join(COLUMNS)]
    for number in range(count):
        constituency, place = number % CONSTITUENCIES + 1, number // CONSTITUENCIES + 1
        columns = dict.fromkeys(COLUMNS, "")
        columns |= {"station": f"{constituency}-{place:03d}", "constituency": str(constituency)}
        columns |= {"number": f"{place:03d}", "name_az": f"Məktəb {number}", "cameras": "1", "status": "recorded"}
        rows.append(",".join(columns[column] for column in COLUMNS))
    return "\n".join(rows)


def stations_of(roster: Roster, proven_us: int) -> list[StationFacts]:
    """All live."""
    return [
        StationFacts(name=each.name, listed=each, units=(), state=StationState.LIVE, since_us=None, proven_us=proven_us)
        for each in roster.stations
    ]


@contextmanager
def supervised(folder: Path, count: int = 20) -> Iterator[Supervised]:
    """A centre of so many stations, all live, on ports of its own."""
    authority, key = Authority.generate(ELECTION), ec.generate_private_key(ec.SECP256R1())
    write_key(folder / "s.key", key)
    certificate = authority.certify_archive(key.public_key(), ["127.0.0.1"])
    (folder / "s.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "root.pem").write_bytes(authority.root_pem)
    (folder / "stations.csv").write_text(roster_of(count), encoding="utf-8")
    clock = SystemClock()
    nobody = authority.certify_receipts(key.public_key())
    (folder / "revoked.pem").write_bytes(authority.revoke(nobody, nobody.not_valid_before_utc))
    (folder / "archive.toml").write_text(_CONFIG, encoding="utf-8")
    (folder / "data").mkdir()
    config = load_config(folder / "archive.toml")
    Index(config.database, ELECTION).close()
    Publications(config.publish.database, writes=True).close()
    with open_supervision_parts(config, clock) as parts:
        watch = SetWatch(parts.public.reader, parts.public.roster, parts.now_us)
        watch.set(stations_of(parts.public.roster, parts.now_us()))
        parts = replace(parts, watch=watch)
        ports: list[int] = []
        there, loops = threading.Event(), []

        def listening(port: int, loopback: int | None) -> None:
            ports.extend((port, loopback or 0))
            there.set()

        async def main() -> None:
            stop = asyncio.Event()
            loops.append((asyncio.get_running_loop(), stop))
            await run(parts, service=Service(), stop=stop, listening=listening)

        thread = threading.Thread(target=lambda: asyncio.run(main()), name="centre")
        thread.start()
        try:
            assert there.wait(30)
            yield Supervised(
                folder=folder, authority=authority, watch=watch, parts=parts, port=ports[0], loopback=ports[1]
            )
        finally:
            if loops:
                loop, stop = loops[0]
                loop.call_soon_threadsafe(stop.set)
            thread.join()
