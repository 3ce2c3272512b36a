"""A real nginx with the project's configuration: what it serves by itself, what it keeps, what it never tells."""

import gzip
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

import pytest

from archive.config import ArchiveConfig
from archive.publish.tree import PublishedTree
from archive.site.nginx import Front, render
from base.errors import OperatorError
from tests.fakes.archive import RunningArchive, timeless_authority
from tests.fakes.nginx import NGINX, RunningNginx, Said, free_port
from tests.fakes.origin import Answer, Origin

WAIT_S = 30
LIST = "/hls/57-002/u1/cam1/live.m3u8"
HOUR = "/hls/57-002/u1/cam1/2027-02-07T05Z.m3u8"
PUBLIC, HELD = b"public " * 4_000, b"held back"


class Front57:
    """nginx before a site of the test's, with one published segment and one that is not."""

    def __init__(self, folder: Path) -> None:
        archive = RunningArchive(folder / "archive", timeless_authority())
        self.origin = Origin()
        self.origin.start()
        config = archive.config
        self.config = replace(config, site=replace(config.site, port=self.origin.port, origin="https://video.example"))
        self.tree = PublishedTree(self.config.publish.folder)
        self.public = self.keep(PUBLIC, public=True)
        self.held = self.keep(HELD, public=False)
        self.nginx = RunningNginx(folder / "nginx", self.config)

    def keep(self, data: bytes, *, public: bool) -> str:
        """Into the store, and into the tree where it is public; the digest."""
        digest = sha256(data).hexdigest()
        path = self.config.data / "cas" / digest[:2] / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if public:
            self.tree.link(digest, path)
        return digest

    def media(self, digest: str, kind: str = "m4s") -> str:
        return f"/media/{digest[:2]}/{digest}.{kind}"

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def fresh(self, path: str, body: bytes) -> Said:
        """Ask until the answer is ``body``: what was kept has become old."""
        last: list[Said] = []

        def asked() -> bool:
            last[:] = [self.nginx.ask(path)]
            return last[0].body == body

        self.until(asked)
        return last[0]


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front57]:
    front = Front57(tmp_path)
    front.nginx.start()
    try:
        yield front
    finally:
        front.nginx.stop()
        front.origin.stop()


def test_a_published_segment_is_served_for_good_under_its_digest(front: Front57) -> None:
    said = front.nginx.ask(front.media(front.public))
    assert (said.status, said.body) == (200, PUBLIC)
    assert said.headers["content-type"] == "video/mp4"
    assert said.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert said.headers["etag"] == f'"{front.public}"'
    assert said.headers["access-control-allow-origin"] == "*"
    assert said.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in said.headers
    assert not front.origin.asked
    head = front.nginx.ask(front.media(front.public), method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(PUBLIC)))


def test_a_part_of_it_can_be_had_and_whoever_has_it_is_told_so(front: Front57) -> None:
    part = front.nginx.ask(front.media(front.public), Range="bytes=7-20")
    assert (part.status, part.body) == (206, PUBLIC[7:21])
    assert part.headers["content-range"] == f"bytes 7-20/{len(PUBLIC)}"
    assert front.nginx.ask(front.media(front.public), Range=f"bytes={len(PUBLIC)}-").status == 416
    several = front.nginx.ask(front.media(front.public), Range="bytes=0-1,5-6,9-10")
    assert (several.status, several.body) == (200, PUBLIC)
    tag = f'"{front.public}"'
    same = front.nginx.ask(front.media(front.public), If_None_Match=tag)
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", tag)
    assert front.nginx.ask(front.media(front.public), If_None_Match=f'"{front.held}"').status == 200
    rest = front.nginx.ask(front.media(front.public), If_Range=tag, Range="bytes=27990-")
    assert (rest.status, rest.body) == (206, PUBLIC[27990:])


def test_an_init_segment_lies_beside_the_segments(front: Front57) -> None:
    path = front.tree.init_path(front.public)
    path.write_bytes(b"init")
    assert front.nginx.ask(front.media(front.public, "mp4")).body == b"init"
    assert front.nginx.ask(front.media(front.held, "mp4")).status == 404


def test_what_becomes_public_can_be_had_at_once_also_where_it_was_asked_for_before(front: Front57) -> None:
    data = b"later"
    digest = front.keep(data, public=False)
    assert front.nginx.ask(front.media(digest)).status == 404
    front.keep(data, public=True)
    assert front.nginx.ask(front.media(digest)).body == data


def attempts(digest: str) -> list[str]:
    """Every way that comes to mind of asking for the media of a digest."""
    shard, upper = digest[:2], digest.upper()
    names = [digest, f"{digest}.m4s", f"{digest}.mp4", f"{digest}.m4s.part", f"{digest}.part", f"{digest}.jws"]
    folders = ["/media", "/cas", "/data/cas", "/published", "/incoming", "/static", "/ledger", ""]
    plain = [f"{folder}/{shard}/{name}" for folder in folders for name in names]
    plain += [f"{folder}/{name}" for folder in folders for name in names]
    media = f"/media/{shard}/{digest}.m4s"
    tricks = [
        f"/media/{shard}/../../cas/{shard}/{digest}",
        f"/media/../cas/{shard}/{digest}",
        f"/media/{shard}/..%2f..%2fcas%2f{shard}%2f{digest}",
        f"/media/%2e%2e/cas/{shard}/{digest}",
        f"/media/{shard}/%2e%2e/%2e%2e/cas/{shard}/{digest}",
        f"/media/{shard}/..%252f..%252fcas/{shard}/{digest}",
        f"/media/{shard}/..\\..\\cas\\{shard}\\{digest}",
        f"/media/./{shard}/./{digest}.m4s",
        f"/media//{shard}//{digest}.m4s",
        f"//media/{shard}/{digest}.m4s",
        f"/media/{shard}/{digest}.m4s/",
        f"/media/{shard}/{digest}.m4s/..",
        f"/media/{shard}/{digest}.m4s%00",
        f"/media/{shard}/{digest}.m4s%0d%0ax",
        f"/media/{shard}/{digest}.m4s%20",
        f"/media/{shard}/{digest}%2em4s",
        f"/media/{shard}/%{ord(digest[0]):02x}{digest[1:]}.m4s",
        f"/%6dedia/{shard}/{digest}.m4s",
        f"/media/{shard.upper()}/{upper}.m4s",
        f"/MEDIA/{shard}/{digest}.m4s",
        f"/media/{shard}/{digest}.M4S",
        f"/media/00/{digest}.m4s",
        f"{media}?x=1",
        f"{media};x",
        f"{media}#x",
        f"http://video.example{media}",
        f"http://video.example/cas/{shard}/{digest}",
        f"/media/{shard}/{digest}.m4s~",
        f"/x/..{media}",
        f"/hls/57-002/u1/cam1/live.m3u8/../../../../..{media}",
    ]
    return plain + tricks


def test_what_is_not_published_cannot_be_had_at_any_address(front: Front57) -> None:
    for path in attempts(front.held):
        said = front.nginx.ask(path)
        assert said.status in (400, 404), path
        assert HELD not in said.body
    for path in map(front.media, (front.held, front.held), ("m4s", "mp4")):
        for headers in ({"Range": "bytes=0-3"}, {"If_None_Match": f'"{front.held}"'}, {"Accept_Encoding": "gzip"}):
            assert front.nginx.ask(path, told=headers).status == 404
        assert front.nginx.ask(path, method="HEAD").status == 404


def test_what_is_not_published_looks_like_what_never_was(front: Front57) -> None:
    held, unknown = front.nginx.ask(front.media(front.held)), front.nginx.ask(front.media("ab" * 32))
    date = {"date": ""}
    assert (held.status, held.body, {**held.headers, **date}) == (
        unknown.status,
        unknown.body,
        {**unknown.headers, **date},
    )
    assert held.headers["cache-control"] == "max-age=1"


def test_nothing_else_of_the_data_folder_can_be_had(front: Front57) -> None:
    secret = b"nobody's business"
    data = front.config.data
    for name in ("index.sqlite", "publish.sqlite", "receipts.jws", "ledgers/57-002/u1/0.jws", "published/lock"):
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(secret)
        up = "/..".join(["/media/ab", "", "", ""])
        for address in (
            f"/{name}",
            f"/media/{name}",
            f"/media/ab/{name}",
            f"/media/ab/../{name}",
            f"{up}/{name}",
            f"/media/ab/..%2f..%2f{name.replace('/', '%2f')}",
            f"/media/ab/%2e%2e/%2e%2e/{name}",
        ):
            said = front.nginx.ask(address)
            assert said.status in (400, 404), address
            assert secret not in said.body
    shard = front.config.publish.folder / front.public[:2]
    (shard / f"{front.public}.m4s.part").write_bytes(secret)
    assert front.nginx.ask(f"{front.media(front.public)}.part").status == 404
    assert front.nginx.ask(f"/media/{front.public[:2]}/").status == 404
    assert front.nginx.ask("/media/").status == 404


def test_a_link_to_elsewhere_in_the_tree_is_not_followed(front: Front57) -> None:
    path = front.tree.path(front.held)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(front.config.data / "cas" / front.held[:2] / front.held)
    assert front.nginx.ask(front.media(front.held)).status == 404
    folder = front.config.publish.folder / "00"
    folder.symlink_to(front.config.data / "cas" / front.held[:2])
    (folder / f"00{front.held[2:]}.m4s").write_bytes(HELD)
    assert front.nginx.ask(f"/media/00/00{front.held[2:]}.m4s").status == 404


def test_only_reading_is_allowed_and_nothing_is_taken_in(front: Front57) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"):
        for path in ("/az/", front.media(front.public), LIST):
            assert front.nginx.ask(path, method=method).status == 405, (method, path)
    assert front.nginx.ask("/az/", method="POST", body=b"x" * 100_000).status in (405, 413)
    assert not front.origin.asked


def test_a_live_list_is_asked_for_once_whoever_comes(front: Front57) -> None:
    front.origin.say(LIST, b"#EXTM3U 1")
    front.origin.flowing.clear()
    with ThreadPoolExecutor(40) as viewers:
        said = [viewers.submit(front.nginx.ask, f"{LIST}?nobody={number}") for number in range(40)]
        front.until(lambda: front.origin.asked.total() > 0)
        front.origin.flowing.set()
        answers = [each.result() for each in said]
    assert {answer.body for answer in answers} == {b"#EXTM3U 1"}
    assert front.origin.asked == {LIST: 1}
    assert answers[0].headers["cache-control"] == "max-age=1"
    front.origin.say(LIST, b"#EXTM3U 2")
    front.fresh(LIST, b"#EXTM3U 2")


def test_whoever_waits_for_the_same_entry_makes_one_request_of_the_site(front: Front57) -> None:
    for number in (7, 8):
        front.origin.say(f"{LIST}?_HLS_msn={number}", b"with %d" % number)
    front.origin.flowing.clear()
    asked = [f"{LIST}?_HLS_msn={7 + number % 2}&x={number}" for number in range(40)]
    with ThreadPoolExecutor(40) as viewers:
        said = [viewers.submit(front.nginx.ask, path) for path in asked]
        front.until(lambda: len(front.origin.asked) == 2)
        front.origin.flowing.set()
        answers = [each.result().body for each in said]
    assert answers == [b"with %d" % (7 + number % 2) for number in range(40)]
    assert front.origin.asked == {f"{LIST}?_HLS_msn=7": 1, f"{LIST}?_HLS_msn=8": 1}


@pytest.mark.parametrize("query", ["_HLS_msn=x", "_HLS_msn=-1", "_HLS_msn=007", "_HLS_msn=" + "9" * 40, "_HLS_part=1"])
def test_what_is_no_number_of_an_entry_asks_for_the_list_as_it_is(front: Front57, query: str) -> None:
    front.origin.say(LIST, b"plain")
    assert front.nginx.ask(f"{LIST}?{query}").body == b"plain"
    assert front.origin.asked == {LIST: 1}


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        ("/az/?utm=1&q=x&page=2", "/az/"),
        ("/ru/stations/57-002?t=2027-02-07T12:07:13%2B04:00&q=1", "/ru/stations/57-002"),
        ("/en/search?utm=1&q=57%2F2&page=3", "/en/search?q=57%2F2"),
        ("/en/search?q=K%C3%BCrd%C9%99mir+57", "/en/search?q=K%C3%BCrd%C9%99mir+57"),
        ("/en/stations?fbclid=1&page=3&state=live", "/en/stations?state=live&page=3"),
        ("/en/stations?page=3", "/en/stations?page=3"),
        ("/az/gaps?page=2&station=57-002&x", "/az/gaps?station=57-002&page=2"),
        (
            "/az/clip?to=2027-02-07T12:08&camera=u1/cam1&from=2027-02-07T12:07&station=57-002",
            "/az/clip?station=57-002&camera=u1/cam1&from=2027-02-07T12:07&to=2027-02-07T12:08",
        ),
        (f"{HOUR}?x=1", HOUR),
        ("/bulk/57-002/u1/urls.txt?x=1", "/bulk/57-002/u1/urls.txt"),
        ("/ledger/57-002/u1/0/0-99.jws?x", "/ledger/57-002/u1/0/0-99.jws"),
    ],
)
def test_arguments_that_mean_nothing_at_an_address_reach_neither_site_nor_cache(
    front: Front57, asked: str, heard: str
) -> None:
    assert front.nginx.ask(asked).status == 404
    assert [unquote(each) for each in front.origin.asked] == [unquote(heard)]


def test_the_site_hears_nothing_of_who_asks_but_for_what_is_made_for_one_person(front: Front57) -> None:
    clip = "/clip/57-002/u1/cam1/20270207T080700Z-20270207T080730Z.mp4"
    front.origin.say("/az/", b"home")
    front.origin.say(clip, b"clip")
    told = {"Cookie": "a=b", "Authorization": "Basic x", "X_Forwarded_For": "192.0.2.7", "Host": "evil.example"}
    assert front.nginx.ask("/az/", told=told).body == b"home"
    assert front.nginx.ask(clip, told=told).body == b"clip"
    page, made = front.origin.headers
    assert page["host"] == made["host"] == "video.example"
    assert not {"cookie", "authorization", "x-forwarded-for", "x-real-ip"} & set(page)
    assert not {"cookie", "authorization"} & set(made)
    assert made["x-forwarded-for"] == "127.0.0.1"


def test_what_was_watched_is_there_while_the_site_is_not(front: Front57) -> None:
    front.origin.say("/az/", b"home")
    front.origin.say(LIST, b"#EXTM3U 1")
    front.origin.say(HOUR, b"#EXTM3U hour", Cache_Control="max-age=60")
    for path in ("/az/", LIST, HOUR):
        assert front.nginx.ask(path).status == 200
    front.origin.stop()
    time.sleep(1.1)  # what is fresh for a second becomes old by the real clock
    for path, body in (("/az/", b"home"), (LIST, b"#EXTM3U 1"), (HOUR, b"#EXTM3U hour")):
        said = front.nginx.ask(path)
        assert (said.status, said.body) == (200, body), path
    # Who waits for the next entry is shown the newest there is, and asks again.
    assert front.nginx.ask(f"{LIST}?_HLS_msn=9").body == b"#EXTM3U 1"
    assert front.nginx.ask(front.media(front.public)).body == PUBLIC
    front.origin.start()
    front.origin.say(LIST, b"#EXTM3U 2")
    front.fresh(LIST, b"#EXTM3U 2")


def test_what_nobody_has_looked_at_is_told_to_be_away_and_how_long_to_wait(front: Front57) -> None:
    front.origin.stop()
    for path in ("/az/", LIST, f"{LIST}?_HLS_msn=3", HOUR, "/clip/57-002/u1/cam1/x.mp4", "/ledger/57-002/u1/0.jws"):
        said = front.nginx.ask(path)
        assert (said.status, said.headers["retry-after"], said.headers["cache-control"]) == (503, "5", "no-store"), path
        text = said.body.decode()
        assert all(word in text for word in ("itməyib", "nothing is", "не потеряно"))
        assert "content-security-policy" in said.headers


def test_an_error_of_the_site_does_not_replace_what_was_kept_and_is_passed_on_where_nothing_was(front: Front57) -> None:
    front.origin.say("/az/", b"home")
    assert front.nginx.ask("/az/").body == b"home"
    broken = Answer(status=500, body=b"broken", headers={"Cache-Control": "no-store"})
    front.origin.answers["/az/"] = front.origin.answers["/ru/"] = broken
    time.sleep(1.1)
    assert front.nginx.ask("/az/").body == b"home"
    said = front.nginx.ask("/ru/")
    assert (said.status, said.body) == (500, b"broken")


def test_where_the_site_lets_nobody_wait_the_list_comes_as_it_is(front: Front57) -> None:
    front.origin.say(LIST, b"#EXTM3U 1")
    front.origin.answers[f"{LIST}?_HLS_msn=5"] = Answer(status=503, headers={"Cache-Control": "no-store"})
    said = front.nginx.ask(f"{LIST}?_HLS_msn=5")
    assert (said.status, said.body) == (200, b"#EXTM3U 1")


def test_pages_that_are_not_there_are_the_sites_own(front: Front57) -> None:
    front.origin.answers["/az/nothing"] = Answer(status=404, body=b"own page")
    said = front.nginx.ask("/az/nothing")
    assert (said.status, said.body) == (404, b"own page")


def test_the_sites_headers_pass_and_what_the_cache_alone_is_told_does_not(front: Front57) -> None:
    front.origin.say("/az/", b"home", Content_Security_Policy="default-src 'self'", ETag='"1"')
    for _ in range(2):
        said = front.nginx.ask("/az/")
        assert said.headers["content-security-policy"] == "default-src 'self'"
        assert said.headers["cache-control"] == "max-age=1"
        assert "x-caching" not in said.headers
        assert "stale" not in str(said.headers)
    assert front.nginx.ask("/az/", If_None_Match='"1"').status == 304
    front.origin.say("/static/1234abcd/site.css", b"css", Cache_Control="public, max-age=31536000, immutable")
    said = front.nginx.ask("/static/1234abcd/site.css")
    assert said.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_no_store_is_not_stored(front: Front57) -> None:
    front.origin.say("/open/status.json", b"1", Cache_Control="no-store")
    assert [front.nginx.ask("/open/status.json").status for _ in range(3)] == [200] * 3
    assert front.origin.asked["/open/status.json"] == 3


def test_browsers_share_one_packed_answer_and_who_takes_none_gets_it_plain(front: Front57) -> None:
    plain = b"#EXTM3U " * 200
    front.origin.say(LIST, plain)
    for each in ("gzip, deflate, br", "gzip", "br, gzip;q=0.8, *;q=0.1", "deflate, gzip"):
        said = front.nginx.ask(LIST, Accept_Encoding=each)
        assert said.status == 200
    assert front.origin.asked == {LIST: 1}
    assert front.origin.headers[0]["accept-encoding"] == "gzip"
    packed = gzip.compress(plain)
    front.origin.say(HOUR, packed, Content_Encoding="gzip", Vary="Accept-Encoding")
    said = front.nginx.ask(HOUR, Accept_Encoding="gzip, br")
    assert (said.headers["content-encoding"], said.body) == ("gzip", packed)
    front.origin.say(HOUR, plain, Vary="Accept-Encoding")
    for each in ("identity", "br", "gzip;q=0", "gzip; q=0.0, br", ""):
        assert front.nginx.ask(HOUR, Accept_Encoding=each).body == plain, each
    assert front.origin.asked[HOUR] == 2


def test_who_fetches_much_is_made_to_wait_and_refused_only_far_beyond(front: Front57) -> None:
    path = "/bulk/57-002/u1/manifest.json"
    front.origin.say(path, b"{}")
    front.origin.say(LIST, b"list")
    with ThreadPoolExecutor(30) as many:
        said = [answer.status for answer in many.map(lambda _: front.nginx.ask(path), range(4))]
        live = [answer.status for answer in many.map(lambda _: front.nginx.ask(LIST), range(400))]
    assert said == [200] * 4
    assert live == [200] * 400


def test_nobody_is_written_down(front: Front57) -> None:
    for path in ("/az/", LIST, front.media(front.held), "/media/../x", "/bulk/x"):
        front.nginx.ask(path)
    front.origin.stop()
    for path in ("/ru/", LIST, front.media(front.public)):
        front.nginx.ask(path)
    front.nginx.stop()
    written = [path for path in front.nginx.folder.rglob("*") if path.is_file() and path != front.nginx.config]
    assert front.nginx.log in written
    assert not [path for path in written if b"127.0.0.1" in path.read_bytes()]
    assert not list(front.nginx.folder.rglob("*access*"))


def test_a_file_that_is_taken_out_of_the_tree_is_gone_soon(front: Front57) -> None:
    path = front.media(front.public)
    assert front.nginx.ask(path).status == 200
    front.tree.path(front.public).unlink()
    front.until(lambda: front.nginx.ask(path).status == 404)


def test_tls_comes_with_http_2_and_the_old_port_leads_there(tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path / "archive", timeless_authority())
    config = replace(archive.config, site=replace(archive.config.site, port=free_port(), origin="https://127.0.0.1"))
    front = Front(certificate=config.certificate, key=config.key)
    nginx = RunningNginx(tmp_path / "nginx", config, front=front)
    assert "warn" not in nginx.check()
    nginx.start()
    try:
        context = ssl.create_default_context(cafile=config.trust)
        context.set_alpn_protocols(["h2", "http/1.1"])
        plain = socket.create_connection(("127.0.0.1", nginx.port), WAIT_S)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            assert connection.selected_alpn_protocol() == "h2"
            assert connection.version() == "TLSv1.3"
    finally:
        nginx.stop()
    usual = render(config, front)
    assert "listen 443 ssl http2" in usual
    assert 'return 301 "https://127.0.0.1$request_uri";' in usual


def test_what_is_printed_is_what_the_systems_nginx_takes(tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path, timeless_authority())
    config = replace(archive.config, site=replace(archive.config.site, port=8080))
    text = render(config, Front(user=None, pid=tmp_path / "pid", log=tmp_path / "log", state=tmp_path))
    path = tmp_path / "nginx.conf"
    path.write_text(text)
    command = [NGINX, "-t", "-c", str(path), "-e", str(tmp_path / "log")]
    if os.geteuid() == 0:  # the usual ports are for root, and one may be in use: only the form is asked for
        told = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
        assert "syntax is ok" in told.stderr
    assert "@" not in text.replace("@nothing", "").replace("@newest", "").replace("@later", "").replace("@away", "")


@pytest.mark.parametrize(
    ("front", "config", "told"),
    [
        (Front(certificate=Path("/a")), {}, "key"),
        (Front(state=Path('/a";}')), {}, "path"),
        (Front(listen=("80; include /etc/x",)), {}, "listen"),
        (Front(user="root; daemon off"), {}, "user"),
        (Front(), {"port": 0}, "site.port"),
        (Front(relay=0), {}, "relay"),
        (Front(relay=8080), {}, "relay"),
    ],
)
def test_what_nginx_would_take_for_something_else_is_refused(
    tmp_path: Path, front: Front, config: dict[str, int], told: str
) -> None:
    archive = RunningArchive(tmp_path, timeless_authority())
    site = replace(archive.config.site, **{"port": 8080, **config})  # type: ignore[arg-type]
    changed: ArchiveConfig = replace(archive.config, site=site)
    with pytest.raises(OperatorError, match=told):
        render(changed, front)
