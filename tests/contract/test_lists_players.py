"""Lists of a real archive as others read them: m3u8, ffprobe and ffmpeg, over HTTP."""

import gzip
import json
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import m3u8
import pytest

from archive.site.lists.hours import HOUR_US, BootHour, UtcHour
from evidence.words import Cause
from tests.fakes.archive import RunningArchive, timeless_authority
from tests.fakes.archive_unit import armed_station, deliver, media_of
from tests.fakes.listsite import ListSite
from tests.fakes.station import NOON_US, SECOND, Station

LIVE = "/hls/57-002/u1/cam-0/live.m3u8"
NOON = f"/hls/57-002/u1/cam-0/{UtcHour(number=NOON_US // HOUR_US)}.m3u8"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    running = RunningArchive(tmp_path_factory.mktemp("archive"), timeless_authority())
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def station(archive: RunningArchive) -> Station:
    """Four segments, seven seconds without a picture, a new run of two; the power fails for a minute; three more."""
    station = armed_station(archive, 4)
    station.gap(seconds=7)
    station.run()
    station.segments(2)
    ended = station.reboot()
    station.start("power")
    station.gap(to_ns=station.boot_ns + SECOND, cause=Cause.POWER, from_boot=ended)
    station.run()
    station.segments(3)
    deliver(archive.uplink(), station)
    return station


@pytest.fixture(scope="module")
def site(archive: RunningArchive, station: Station) -> Iterator[ListSite]:
    assert station.lines
    with ListSite(archive) as running:
        running.publish()
        yield running


def probe(url: str) -> tuple[list[float], str]:
    """When each picture is shown, as ffmpeg's demuxer says, and what it complains of."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "json", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [float(packet["pts_time"]) for packet in json.loads(done.stdout)["packets"]], done.stderr


def followed(site: ListSite, path: str) -> str:
    """A live list of a camera that has just been published: it is there within a look or two."""
    until = time.monotonic() + 30
    while (answer := site.get(path)).status != 200:
        assert time.monotonic() < until
        time.sleep(0.02)
    return answer.body.decode()


def test_an_hour_says_to_m3u8_what_the_ledger_says(site: ListSite, station: Station) -> None:
    answer = site.get(NOON)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert answer.headers["Cache-Control"] == "max-age=2"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    told = m3u8.loads(answer.body.decode())
    assert told.is_endlist
    assert [segment.gap_tag is not None for segment in told.segments] == [False] * 4 + [True] * 4 + [False] * 5
    assert [segment.discontinuity for segment in told.segments].index(True) == 8
    assert [at for at, segment in enumerate(told.segments) if segment.discontinuity] == [8, 10]
    media = [segment.uri.rpartition("/")[2][:64] for segment in told.segments if segment.gap_tag is None]
    assert media == list(media_of(station))
    dates = [segment.program_date_time.timestamp() for segment in told.segments]
    first = NOON_US / 1e6 + 21
    assert dates[:9] == pytest.approx([first + at for at in (0, 2, 4, 6, 8, 9.75, 11.5, 13.25, 15)], abs=0.002)
    assert dates[10] - dates[9] == pytest.approx(2 + 60 + 1, abs=0.2)


def test_ffprobe_reads_every_picture_of_an_hour(site: ListSite, station: Station) -> None:
    pictures, _ = probe(site.url(NOON))
    assert len(pictures) == len(media_of(station)) * 2 * station.fps


def test_ffmpeg_decodes_an_hour_and_a_live_list(site: ListSite, station: Station) -> None:
    for path in (NOON, LIVE):
        begin, end = ([], []) if path == NOON else (["-live_start_index", "0"], ["-t", "4"])
        command = ["ffmpeg", "-v", "error", *begin, "-i", site.url(path), *end, "-f", "null", "-"]
        subprocess.run(command, capture_output=True, timeout=60, check=True)


def test_the_live_list_is_the_same_packed_and_not(site: ListSite, station: Station) -> None:
    plain, packed = site.get(LIVE), site.get(LIVE, Accept_Encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["Cache-Control"] == "max-age=1"
    assert plain.headers["Vary"] == "Accept-Encoding"
    told = m3u8.loads(plain.body.decode())
    assert told.server_control.can_block_reload == "YES"
    assert [segment.uri.rpartition("/")[2][:64] for segment in told.segments] == list(media_of(station))
    assert site.get(LIVE, Accept_Encoding="gzip;q=0").headers.get("Content-Encoding") is None


def test_a_reload_is_held_until_its_entry_is_published(
    site: ListSite, archive: RunningArchive, station: Station
) -> None:
    other = armed_station(archive, 2, unit="u2", seed="two")
    uplink = archive.uplink(unit="u2")
    deliver(uplink, other)
    site.publish()
    path = "/hls/57-002/u2/cam-0/live.m3u8"
    newest = len(m3u8.loads(followed(site, path)).segments) - 1
    assert site.get(f"{path}?_HLS_msn={newest}").status == 200
    assert site.get(f"{path}?_HLS_msn={newest + 3}").status == 400
    other.segments(1)
    deliver(uplink, other)
    held = HTTPConnection("127.0.0.1", site.port, timeout=30)
    held.request("GET", f"{path}?_HLS_msn={newest + 1}")
    site.publish()
    answer = held.getresponse()
    told = m3u8.loads(answer.read().decode())
    held.close()
    assert answer.headers["Cache-Control"] == "max-age=1"
    assert len(told.segments) == newest + 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{LIVE}?_HLS_msn=x", 400),
        (f"{LIVE}?_HLS_msn=01", 400),
        (f"{LIVE}?a=1", 400),
        (f"{NOON}?a=1", 400),
        ("/hls/57-002/u1/cam-9/live.m3u8", 404),
        ("/hls/57-002/u1/cam-0/gap", 404),
        (NOON.replace("/u1/", "/u9/"), 404),
        (NOON.replace("cam-0", "..%2f"), 404),
        (NOON.replace("T12Z", "T99Z"), 404),
        (NOON.replace("T12Z", "T13Z"), 404),
    ],
)
def test_what_is_not_there_is_said_in_a_line_of_text(site: ListSite, path: str, status: int) -> None:
    answer = site.get(path)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    if status == 404:
        assert answer.headers["Cache-Control"] == "max-age=1"


def test_who_has_the_list_of_an_hour_is_not_sent_it_again(site: ListSite) -> None:
    answer = site.get(NOON)
    again = site.get(NOON, If_None_Match=answer.headers["ETag"])
    assert again.status == 304
    assert again.body == b""
    head = site.get(NOON, "HEAD")
    assert head.status == 200
    assert head.body == b""
    assert head.headers["Content-Length"] == str(len(answer.body))


def test_a_boot_whose_utc_was_never_known_is_replayed_by_boot_time(site: ListSite, archive: RunningArchive) -> None:
    lost = armed_station(archive, 2, unit="u3", seed="three", utc_us=None)
    deliver(archive.uplink(unit="u3"), lost)
    site.publish()
    told = site.get(f"/hls/57-002/u3/cam-0/{BootHour(boot_id=lost.boot, number=0)}.m3u8").body.decode()
    assert told.count("DATE=BOOT") == 2
    assert "1970-01-01T00:00:21.000Z" in told
    assert "DATE=ARRIVAL" in followed(site, "/hls/57-002/u3/cam-0/live.m3u8")
