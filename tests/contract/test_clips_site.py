"""Clips and bulk downloads of a real archive over HTTP: they play and prove themselves."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import pytest

from archive.index.reading import IndexReader
from archive.names import UnitName
from audit.summary import summarise
from audit.verify import verify
from cmaf.clip import PROOF_UUID
from evidence.words import Cause
from tests.contract.test_vectors_js import VERIFIER, node
from tests.fakes.archive import Reply, RunningArchive, timeless_authority
from tests.fakes.archive_unit import deliver, media_of
from tests.fakes.listsite import ListSite
from tests.fakes.station import NOON_US, SECOND, Station

UNIT = UnitName(station="57-002", unit="u1")
CLIP = "/clip/57-002/u1/cam-0"
BULK = "/bulk/57-002/u1"


def address(station_ns: int, until_ns: int, ending: str = ".mp4") -> str:
    """Of a range in nanoseconds of the first boot, which UTC is known of."""
    begin, end = (
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=NOON_US + ns // 1_000)
        for ns in (station_ns, until_ns)
    )
    return f"{CLIP}/{begin:%Y%m%dT%H%M%SZ}-{end:%Y%m%dT%H%M%SZ}{ending}"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    running = RunningArchive(tmp_path_factory.mktemp("archive"), timeless_authority())
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def station(archive: RunningArchive) -> Station:
    """Two cameras: a first run of ten segments, a gap of the camera and a second run of five; closed. Of it all that
    the archive takes is delivered, and acknowledged.
    """
    station = Station(archive.by, cameras=("cam-0", "cam-1"))
    station.begin()
    station.arm()
    for _ in range(10):
        station.segment("cam-0")
        station.segment("cam-1")
    station.gap("cam-0", seconds=6)
    station.run("cam-0")
    for _ in range(5):
        station.segment("cam-0")
    station.close()
    archive.clock.set_utc(NOON_US + station.boot_ns // 1_000)
    deliver(archive.uplink(), station)
    return station


@pytest.fixture(scope="module")
def site(archive: RunningArchive, station: Station) -> Iterator[ListSite]:
    assert station.lines
    with ListSite(archive) as running:
        running.publish()
        yield running


@pytest.fixture(scope="module")
def began_ns(site: ListSite, archive: RunningArchive) -> int:
    """Boot time of the first picture of cam-0."""
    reader = IndexReader(archive.config.database, archive.config.election)
    try:
        return reader.segments(UNIT, camera="cam-0")[0].segment.from_ns
    finally:
        reader.close()


def answer_of(data: bytes, archive: RunningArchive, folder: Path) -> Any:
    """What both verifiers say, which is the same."""
    (folder / "clip.mp4").write_bytes(data)
    (folder / "root.pem").write_bytes(archive.by.root_pem)
    python = json.loads(json.dumps(verify([folder / "clip.mp4"], trust=archive.trust)))
    case = {"folder": str(folder), "paths": ["clip.mp4"], "trust": ["root.pem"], "crl": []}
    javascript = json.loads(node(str(VERIFIER / "many.mjs"), said=json.dumps(case) + "\n").stdout)
    for one in (python, javascript):
        assert [each["code"] for each in one["records"][0]["findings"]] == ["part-only"], one["records"][0]["findings"]
    assert python["records"][0]["clip"] == javascript["records"][0]["clip"]
    return python


def records(answer: Any) -> Any:
    """The records of an answer."""
    return answer["records"]


def frames(path: Path) -> int:
    """How many pictures ffprobe decodes, without a complaint."""
    command = ["ffprobe", "-v", "warning", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "json"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return int(json.loads(done.stdout)["streams"][0]["nb_read_frames"])


def film(site: ListSite, path: str) -> Reply:
    answer = site.get(path)
    assert answer.status == 200, answer.body[:200]
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Accept-Ranges"] == "none"
    return answer


def test_a_clip_is_whole_segments_that_verify_and_play(
    site: ListSite, archive: RunningArchive, began_ns: int, tmp_path: Path
) -> None:
    answer = film(site, address(began_ns + 3 * SECOND, began_ns + 9 * SECOND))
    record = answer_of(answer.body, archive, tmp_path)["records"][0]
    assert (record["station"], record["unit"], record["verdict"]) == ("57-002", "u1", "verified")
    assert record["time_zone"] is not None, "the profile stands in the first proof"
    (camera,) = record["cameras"]
    assert camera["missing_ms"] == [0, 0]
    said = record["clip"]
    assert said["segments"] == said["receipted"] == camera["segments"]
    assert said["from"]["boot_ns"] <= began_ns + 3 * SECOND
    assert said["to"]["boot_ns"] >= began_ns + 9 * SECOND
    assert frames(tmp_path / "clip.mp4") == camera["frames"]
    name = answer.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="57-002_u1_cam-0_')
    assert "incomplete" not in name


def test_every_mdat_of_a_clip_is_a_segment_as_the_station_wrote_it(
    site: ListSite, station: Station, began_ns: int
) -> None:
    data = film(site, address(began_ns, began_ns + 4 * SECOND)).body
    held = media_of(station)
    at, found = 0, 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"mdat":
            assert hashlib.sha256(data[at + 8 : at + size]).hexdigest() in held
            found += 1
        at += size
    assert found >= 2


def test_a_range_with_a_new_run_is_several_films_and_a_list_of_them(
    site: ListSite, archive: RunningArchive, began_ns: int, tmp_path: Path
) -> None:
    whole = address(began_ns, began_ns + 120 * SECOND)
    several = site.get(whole)
    assert several.status == 300
    assert several.headers["Content-Type"].startswith("text/html")
    listed = site.get(whole.replace(".mp4", ".json")).json
    parts = listed["parts"]
    assert isinstance(parts, list)
    assert [part["segments"] for part in parts] == [10, 5]
    assert [part["complete"] for part in parts] == [True, True]
    for part in parts:
        assert part["address"] in several.body.decode()
        record = answer_of(film(site, part["address"]).body, archive, tmp_path)["records"][0]
        assert record["cameras"][0]["segments"] == part["segments"]
    assert site.get(whole.replace(".mp4", "-3.mp4")).status == 404


def test_a_segment_that_is_not_public_is_not_in_a_clip_and_the_clip_says_so(
    archive: RunningArchive, site: ListSite, began_ns: int, tmp_path: Path
) -> None:
    path = address(began_ns, began_ns + 10 * SECOND)
    published = site.parts.publications.published
    hidden = min(published(UNIT, 0, 0, 1_000)) + 4

    class Fewer:
        def published(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> set[int]:
            return published(name, branch, from_seq, to_seq) - {hidden}

    from archive.site.clips.asked import read_asked
    from archive.site.clips.film import film as made
    from archive.site.clips.plan import Planner

    asked = read_asked("57-002", "u1", "cam-0", path.rpartition("/")[2])
    (part,) = Planner(site.parts.reader, Fewer()).plan(asked)
    assert not part.complete
    ledger = archive.config.data / "ledgers/57-002/u1/0.jws"
    data = b"".join(made(part, media=site.parts.tree, ledger=ledger, receipts={}))
    (tmp_path / "clip.mp4").write_bytes(data)
    record = records(verify([tmp_path / "clip.mp4"], trust=archive.trust))[0]
    assert {each["code"] for each in record["findings"]} == {"media-missing", "part-only"}


@pytest.mark.parametrize(
    ("file", "status", "says"),
    [
        ("20260501T120000Z-20260501T140001Z.mp4", 400, "/bulk/57-002/u1/manifest.json"),
        ("20260501T120000Z-20260501T120000Z.mp4", 400, "ends before it begins"),
        ("20269901T120000Z-20269901T120010Z.mp4", 400, "does not match"),
        ("20200101T000000Z-20200101T000010Z.mp4", 404, "nothing of this range is public"),
        ("00010101T000000Z-00010101T000010Z.mp4", 404, "nothing of this range is public"),
        ("99991231T000000Z-99991231T000010Z.mp4", 404, "nothing of this range is public"),
        ("20260501T120000-20260501T120010.mp4", 404, "no such clip"),
        ("..%2f..%2fetc%2fpasswd", 404, ""),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence(site: ListSite, file: str, status: int, says: str) -> None:
    answer = site.get(f"{CLIP}/{file}")
    assert answer.status == status
    assert says in answer.body.decode()


def test_a_clip_whose_media_go_away_is_broken_off_and_does_not_pass_for_whole(
    site: ListSite, archive: RunningArchive, began_ns: int
) -> None:
    reader = IndexReader(archive.config.database, archive.config.election)
    row = reader.segments(UNIT, camera="cam-0")[4]
    reader.close()
    path = site.parts.tree.path(row.segment.sha256)
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        with pytest.raises((IncompleteRead, ConnectionError)):
            site.get(address(began_ns, began_ns + 20 * SECOND))
    finally:
        aside.rename(path)


def test_an_unknown_unit_has_no_lists(site: ListSite) -> None:
    for file in ("manifest.json", "SHA256SUMS", "urls.txt"):
        assert site.get(f"/bulk/57-002/nobody/{file}").status == 404


def test_the_manifest_names_every_public_segment_with_its_digest_and_time(site: ListSite, station: Station) -> None:
    manifest = site.get(f"{BULK}/manifest.json").json
    segments = manifest["segments"]
    assert isinstance(segments, list)
    assert [each["sha256"] for each in segments] == list(media_of(station))
    first = segments[0]
    assert first["address"] == f"/media/{first['sha256'][:2]}/{first['sha256']}.m4s"
    assert first["from_utc_us"][0] <= NOON_US + first["from_ns"] // 1_000 <= first["from_utc_us"][1]
    assert manifest["ledgers"][0]["size_bytes"] == len(station.ledger)  # type: ignore[index]


def test_what_plain_tools_fetch_checks_and_verifies_also_after_an_interruption(
    site: ListSite, archive: RunningArchive, tmp_path: Path
) -> None:
    """curl with the addresses, sha256sum with the sums, and the verifier on the folder."""
    urls = site.get(f"{BULK}/urls.txt").body.decode().splitlines()
    assert len(urls) == len(set(urls))

    def fetch(some: list[str]) -> None:
        lines = [f'url = "{url}"\noutput = "{url.partition("//")[2].partition("/")[2]}"' for url in some]
        (tmp_path.parent / "fetch").write_text("\n".join(lines) + "\n")
        command = ["curl", "-sS", "--fail", "--create-dirs", "-C", "-", "-K", str(tmp_path.parent / "fetch")]
        subprocess.run(command, cwd=tmp_path, check=True, timeout=60)

    fetch(urls[: len(urls) // 2])
    cut = max((path for path in tmp_path.rglob("*.m4s")), key=lambda path: path.stat().st_size)
    cut.write_bytes(cut.read_bytes()[:100])
    fetch(urls)
    subprocess.run(
        ["sha256sum", "--quiet", "--strict", "-c", "bulk/57-002/u1/SHA256SUMS"], cwd=tmp_path, check=True, timeout=60
    )
    answer = verify([tmp_path], trust=archive.trust)
    assert answer["verdict"] == "verified", records(answer)[0]["findings"]
    (tmp_path / "root.pem").write_bytes(archive.by.root_pem)
    case = {"folder": str(tmp_path), "paths": ["."], "trust": ["root.pem"], "crl": []}
    assert json.loads(node(str(VERIFIER / "many.mjs"), said=json.dumps(case) + "\n").stdout)["verdict"] == "verified"


def test_a_head_request_is_told_of_the_film_and_gets_none_of_it(site: ListSite, began_ns: int) -> None:
    answer = site.get(address(began_ns, began_ns + 4 * SECOND), method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.fixture(scope="module")
def troubled(archive: RunningArchive, site: ListSite) -> Station:
    """A unit whose clock was never set, and whose power failed: a piece of its first boot was found in the second."""
    station = Station(archive.by, station="57-003", unit="u2", seed="two", utc_us=None, error_us=None)
    station.begin()
    station.arm()
    station.segments(3)
    lost, session, ended = station.record(), station.kid, station.boot
    left_ns = lost.to_ns
    station.reboot()
    station.start("power")
    station.recovered(lost, session)
    station.cameras["cam-0"].end_ns = left_ns
    station.gap(to_ns=station.boot_ns, cause=Cause.POWER, from_boot=ended)
    station.gap(seconds=1, cause=Cause.STARTING)
    station.run()
    station.segments(2)
    station.close()
    deliver(archive.uplink("57-003", "u2", key="uplink-two"), station)
    site.publish()
    return station


def test_video_without_utc_is_found_by_when_it_came_and_what_was_found_after_a_restart_proves_itself(
    site: ListSite, archive: RunningArchive, troubled: Station, tmp_path: Path
) -> None:
    assert troubled.lines
    came = datetime.fromtimestamp(NOON_US / 1e6, UTC)
    begin, end = came - timedelta(minutes=30), came + timedelta(minutes=30)
    span = f"{begin:%Y%m%dT%H%M%SZ}-{end:%Y%m%dT%H%M%SZ}"
    parts = site.get(f"/clip/57-003/u2/cam-0/{span}.json").json["parts"]
    assert isinstance(parts, list)
    assert {part["date"] for part in parts} == {"ARRIVAL"}
    assert sorted(part["segments"] for part in parts) == [1, 2, 3]
    for part in parts:
        answer = film(site, part["address"])
        assert "by-arrival" in answer.headers["Content-Disposition"]
        (tmp_path / "clip.mp4").write_bytes(answer.body)
        record = records(verify([tmp_path / "clip.mp4"], trust=archive.trust))[0]
        assert {each["code"] for each in record["findings"]} == {"part-only"}
        (camera,) = record["cameras"]
        assert camera["segments"] + camera["recovered"] == part["segments"]


def test_clips_as_they_go_round_are_told_apart(
    site: ListSite, archive: RunningArchive, began_ns: int, tmp_path: Path
) -> None:
    """Story F7: discs with footage of unknown stations, and clips that each side calls a montage of the other."""
    data = film(site, address(began_ns, began_ns + 16 * SECOND)).body
    starts = [at for at in range(len(data)) if data.startswith(b"uuid" + PROOF_UUID, at)]
    begin, middle = starts[3] - 4, starts[6] - 4
    files = {
        "whole": data,
        "cut at both ends": data[: starts[0] - 4] + data[starts[2] - 4 : starts[-1] - 4],
        "cut in the middle": data[:begin] + data[middle:],
        "altered": data[: middle - 9] + bytes([data[middle - 9] ^ 1]) + data[middle - 8 :],
    }
    for name, bytes_of_it in files.items():
        (tmp_path / f"{name}.mp4").write_bytes(bytes_of_it)
    for name, codec in (("remuxed", ["-c", "copy"]), ("encoded anew", ["-c:v", "libx264", "-preset", "ultrafast"])):
        command = ["ffmpeg", "-v", "error", "-i", str(tmp_path / "whole.mp4"), *codec, str(tmp_path / f"{name}.mp4")]
        subprocess.run(command, check=True, timeout=60)
    said: dict[str, tuple[str, str | None]] = {}
    for path in sorted(tmp_path.glob("*.mp4")):
        answer = json.loads(json.dumps(verify([path], trust=archive.trust)))
        said[path.stem] = (summarise(answer).partition(":")[0], records(answer)[0]["station"])
    assert said == {
        "whole": ("Verified", "57-002"),
        "cut at both ends": ("Verified", "57-002"),
        "cut in the middle": ("Cut", "57-002"),
        "altered": ("Findings", "57-002"),
        "remuxed": ("Cannot tell", None),
        "encoded anew": ("Cannot tell", None),
    }


def test_who_asks_for_many_clips_at_once_gets_all_of_them_and_so_does_everybody_else(
    site: ListSite, began_ns: int
) -> None:
    path = address(began_ns, began_ns + 10 * SECOND)
    whole = film(site, path).body
    askers = ["10.0.0.1"] * 12 + ["10.0.0.2", "10.0.0.3"]
    with ThreadPoolExecutor(len(askers)) as threads:
        answers = list(threads.map(lambda asker: site.get(path, X_Forwarded_For=asker), askers))
    assert [answer.status for answer in answers] == [200] * len(askers)
    assert {answer.body for answer in answers} == {whole}, "nobody's is worse for it"
