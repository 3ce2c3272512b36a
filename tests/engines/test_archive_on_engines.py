"""The whole archive with its media in S3 and its index in PostgreSQL, both real; and what happens when they go away."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from archive.config import S3Config
from archive.store.bucket import Bucket
from tests.engines.databases import PostgresDatabase
from tests.engines.gateway import SECRET_KEY, Gateway
from tests.engines.places import S3Place
from tests.engines.plugin import PLAIN
from tests.engines.postgres import PASSWORD, Postgres
from tests.fakes.archive import Uplink
from tests.fakes.archive_process import WAIT_S, ArchiveProcess
from tests.fakes.archive_unit import media_of
from tests.fakes.station import Station

pytestmark = pytest.mark.engines


class EnginesArchive(ArchiveProcess):
    """An archive in a process of its own, with two workers."""

    def __init__(self, folder: Path, settings: S3Config, database: str) -> None:
        super().__init__(folder, workers=2)
        self.settings = settings
        text = self.config.read_text().replace('data = "data"\n', f'data = "data"\ndatabase = "{database}"\n')
        self.config.write_text(
            f"{text}[s3]\n"
            f'bucket = "{settings.bucket}"\nprefix = "{settings.prefix}"\nendpoint = "{settings.endpoint}"\n'
            f'credentials = "{settings.credentials}"\nplain_http = true\n'
        )

    def kept(self) -> dict[str, bytes]:
        """What lies in the bucket, by digest."""
        bucket = Bucket(self.settings)
        return {name.rpartition("/")[2]: bucket.read(name, 0, size) for name, size in bucket.names("cas/")}

    def verb(self, verb: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Another command of the archive, to its end."""
        command = [sys.executable, "-m", "unbroken", "archive", verb, "--config", str(self.config), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)


@pytest.fixture
def database(postgres: Postgres) -> PostgresDatabase:
    return PostgresDatabase(postgres)


@pytest.fixture
def archive(gateway: Gateway, database: PostgresDatabase, tmp_path: Path) -> Iterator[EnginesArchive]:
    settings = S3Place(gateway, PLAIN).settings(tmp_path)
    archive = EnginesArchive(tmp_path / "archive", settings, database.postgres.url_with_password(database.name))
    yield archive
    archive.keys.hang_up()
    if archive.process is not None and archive.process.poll() is None:
        archive.process.kill()
        archive.process.wait(WAIT_S)


@pytest.fixture
def station(archive: EnginesArchive) -> Station:
    station = Station(archive.keys.by)
    station.begin()
    station.arm()
    station.segments(6)
    return station


def receipt(uplink: Uplink, media: dict[str, bytes]) -> object:
    answer = uplink.receipts(sorted(media))
    assert (answer.status, answer.json["lacks"]) == (200, []), answer
    return answer.json["receipt"]


def test_what_is_acknowledged_outlives_a_kill_and_the_index(archive: EnginesArchive, station: Station) -> None:
    media = media_of(station)
    first = dict(list(media.items())[:3])
    archive.start()
    uplink = archive.keys.uplink()
    assert uplink.lines(station.lines).status == 200
    for data in first.values():
        assert uplink.media(data).status == 201
    given = receipt(uplink, first)
    archive.keys.hang_up()
    assert archive.end(signal.SIGKILL) == -signal.SIGKILL

    archive.start()
    uplink = archive.keys.uplink()
    assert sorted(uplink.lines([]).json["lacks"]) == sorted(set(media) - set(first))  # type: ignore[call-overload]
    for data in media.values():
        assert uplink.media(data).status in (200, 201)
    assert receipt(uplink, first) == given, "the same bytes"
    whole = receipt(uplink, media)
    archive.keys.hang_up()
    assert archive.end(signal.SIGTERM) == 0

    assert archive.kept() == media
    said = f"Checked 1 units: {len(station.lines)} lines, 6 media.\nNo findings.\n"
    checked = archive.check()
    assert (checked.returncode, checked.stdout) == (0, said), checked.stderr
    checked = archive.check("--rebuild", "--read")
    assert (checked.returncode, checked.stdout) == (0, f"A new index counts 6 media.\n{said}"), checked.stderr

    archive.start()
    assert receipt(archive.keys.uplink(), media) == whole
    told = archive.log.read_text() + archive.verb("config").stdout + checked.stderr
    assert "refuses to write a name twice" in told
    assert SECRET_KEY not in told
    assert PASSWORD not in told
    assert PASSWORD.replace(" ", "%20") not in told


def test_what_is_gone_from_the_bucket_is_found_out(archive: EnginesArchive, station: Station) -> None:
    media = media_of(station)
    archive.start()
    uplink = archive.keys.uplink()
    uplink.lines(station.lines)
    for data in media.values():
        assert uplink.media(data).status == 201
    lost, damaged = sorted(media)[:2]
    bucket = Bucket(archive.settings)
    bucket.delete(f"cas/{lost[:2]}/{lost}")
    bucket.put(f"cas/{damaged[:2]}/{damaged}", media[damaged][:-1] + b"?")
    answer = uplink.receipts(sorted(media))
    assert (answer.json["receipt"], answer.json["lacks"]) == (None, [lost])
    assert uplink.lines([]).json["lacks"] == [lost]
    assert uplink.media(media[lost]).status == 201
    archive.keys.hang_up()
    assert archive.end(signal.SIGTERM) == 0
    checked = archive.check("--read")
    assert (checked.returncode, damaged in checked.stdout, lost in checked.stdout.partition("Findings of")[0]) == (
        1,
        True,
        False,
    )


def test_while_the_store_is_away_lines_go_and_media_wait(
    archive: EnginesArchive, station: Station, gateway: Gateway
) -> None:
    media = list(media_of(station).values())
    archive.start()
    uplink = archive.keys.uplink()
    assert uplink.lines(station.lines[:4]).status == 200
    gateway.stop_gateway()
    try:
        for text in station.lines[4:-1]:
            assert uplink.lines([text]).status == 200
        for data in media[:2]:
            refused = uplink.media(data)
            assert (refused.status, int(refused.headers["Retry-After"]) > 0) == (503, True)
        assert not list((archive.config.parent / "data" / "incoming").rglob("*.part")), "no draft is left"
        checked = archive.check()
        assert checked.returncode == 2, "the archive runs"
        archive.keys.hang_up()
        assert archive.end(signal.SIGTERM) == 0

        # A start meanwhile: lines are what matters most after an outage.
        archive.start()
        uplink = archive.keys.uplink()
        assert uplink.lines(station.lines[-1:]).status == 200
        assert uplink.media(media[0]).status == 503
    finally:
        gateway.start_gateway()
    for data in media:
        assert uplink.media(data).status == 201
    receipt(uplink, media_of(station))
    archive.keys.hang_up()
    assert archive.end(signal.SIGTERM) == 0
    assert archive.check().returncode == 0
    gateway.stop_gateway()
    try:
        checked = archive.check()
    finally:
        gateway.start_gateway()
    assert (checked.returncode, "The store cannot be reached" in checked.stderr) == (2, True), checked.stderr
    assert "Traceback" not in checked.stderr


def test_a_database_that_is_restarted_ends_the_archive_and_the_next_start_goes_on(
    archive: EnginesArchive, station: Station, postgres: Postgres
) -> None:
    archive.start()
    uplink = archive.keys.uplink()
    assert uplink.lines(station.lines[:5]).status == 200
    postgres.stop()
    try:
        unread = archive.verb("findings")
    finally:
        postgres.resume()
    assert (unread.returncode, "The index cannot be read" in unread.stderr) == (2, True), unread.stderr
    assert "Traceback" not in unread.stderr
    for _ in range(3):  # a reader's connection may break first, and be made again
        try:
            answered = uplink.lines(station.lines[5:6])
            assert (answered.status, answered.headers["Retry-After"] != "") == (503, True)
        except (OSError, HTTPException):
            break
    assert archive.wait() == 1
    assert "the archive ends" in archive.log.read_text()
    archive.keys.hang_up()

    archive.start()
    uplink = archive.keys.uplink()
    assert uplink.lines(station.lines[5:]).status == 200
    for data in media_of(station).values():
        assert uplink.media(data).status == 201
    archive.keys.hang_up()
    assert archive.end(signal.SIGTERM) == 0
    assert archive.check().returncode == 0


def test_a_second_archive_on_the_same_database_is_refused_in_a_sentence(
    archive: EnginesArchive, database: PostgresDatabase, tmp_path: Path
) -> None:
    archive.start()
    other = EnginesArchive(tmp_path / "other", archive.settings, database.postgres.url_with_password(database.name))
    refused = other.verb("ingest")
    assert refused.returncode == 2
    assert "Another archive works on this database." in refused.stderr
    assert "Traceback" not in refused.stderr
