"""Pages over HTTP: headers, caching, redirects, and errors as pages in the reader's language."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from archive.site.app import HEADERS, with_headers
from archive.site.pages.kept import Kept
from archive.site.pages.media import Media
from archive.site.pages.serving import Pages
from archive.site.pages.static import StaticFiles, collect
from tests.fakes.facts import FakeFacts, fake_site
from tests.fakes.markup import read_page

STATIC = collect()
Client = TestClient[web.Request, web.Application]


def _with_site(
    work: Callable[[Client, FakeFacts], Awaitable[None]], *, media: Path | None = None, static: StaticFiles = STATIC
) -> None:
    async def run() -> None:
        facts = FakeFacts(fake_site().roster)
        with ThreadPoolExecutor(1) as thread:
            pages = Pages(fake_site(facts), Kept(thread, lambda: 0.0), static)
            app = web.Application(middlewares=[pages.errors])
            app.add_routes([*pages.routes(), *(Media(media).routes() if media else ())])
            app.on_response_prepare.append(with_headers)
            async with TestClient(TestServer(app)) as client:
                await work(client, facts)

    asyncio.run(run())


def _safe(answer: ClientResponse) -> None:
    for name, value in HEADERS.items():
        assert answer.headers[name] == value, name
    assert "Set-Cookie" not in answer.headers


def test_the_bare_address_leads_to_azerbaijani_and_a_language_to_its_home() -> None:
    async def ask(client: Client, _facts: FakeFacts) -> None:
        answer = await client.get("/", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (302, "/az/")
        answer = await client.get("/ru", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (301, "/ru/")
        _safe(answer)

    _with_site(ask)


def test_a_query_that_a_page_does_not_know_makes_no_other_page() -> None:
    async def ask(client: Client, facts: FakeFacts) -> None:
        for path in ("/az/stations/57-002", "/az/", "/open/stations/57-002.json"):
            await client.get(path)
            asked = facts.asked
            for query in ("q=1", "page=7", "station=57-003", "state=live"):
                assert (await client.get(f"{path}?{query}")).status == 200
            assert facts.asked == asked, path

    _with_site(ask)


@pytest.mark.parametrize(
    "path", ["/az/", "/en/stations", "/ru/stations/57-002?t=2027-02-07T12:07:13%2B04:00", "/az/how"]
)
def test_a_page_may_be_kept_by_anybody_and_asked_for_again_by_its_tag(path: str) -> None:
    async def ask(client: Client, _facts: FakeFacts) -> None:
        answer = await client.get(path)
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert answer.headers["Cache-Control"].startswith("public, max-age=")
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["Content-Encoding"] == "gzip"
        _safe(answer)
        again = await client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status == 304
        plain = await client.get(path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert await plain.read() == await answer.read()
        head = await client.head(path)
        assert (head.status, await head.read()) == (200, b"")

    _with_site(ask)


def test_what_stands_behind_the_question_mark_makes_no_other_page_unless_a_page_knows_it() -> None:
    async def ask(client: Client, facts: FakeFacts) -> None:
        await client.get("/az/stations/57-002")
        asked = facts.asked
        for query in ("t=2027-02-07T12:07:13", "utm=1", "t=1&x=2"):
            await client.get(f"/az/stations/57-002?{query}")
        assert facts.asked == asked
        await client.get("/az/stations?state=live")
        await client.get("/az/stations?state=silent")
        assert facts.asked > asked

    _with_site(ask)


def test_open_data_may_be_read_by_pages_of_other_sites() -> None:
    async def ask(client: Client, _facts: FakeFacts) -> None:
        for name, kind in (("stations.csv", "text/csv"), ("gaps.json", "application/json"), ("gaps.csv", "text/csv")):
            answer = await client.get(f"/open/{name}")
            assert (answer.status, answer.content_type, answer.charset) == (200, kind, "utf-8")
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.headers["Cache-Control"] == "public, max-age=2"
        answer = await client.get("/open/stations/57-002.json")
        assert json.loads(await answer.read())["station"] == "57-002"
        answer = await client.get("/open/stations/1-001.json")
        assert (answer.status, answer.content_type) == (404, "text/plain")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"

    _with_site(ask)


@pytest.mark.parametrize(
    ("path", "status", "language", "words"),
    [
        ("/ru/nowhere", 404, "ru", "Такой страницы нет"),
        ("/en/stations/1-001", 404, "en", "There is no such page"),
        ("/en/stations/..%2f..%2fetc", 404, "en", "There is no such page"),
        ("/az/stations/%00", 404, "az", "Belə səhifə yoxdur"),
        ("/az/gaps/57-002/u1/0/99999999999999999999", 404, "az", "Belə səhifə yoxdur"),
        ("/az/gaps/57-002/u1/finding/5", 404, "az", "Belə səhifə yoxdur"),
        ("/wp-login.php", 404, "az", "Belə səhifə yoxdur"),
        ("/en/clip?station=57-002&camera=u1/cam1&from=x&to=y", 400, "en", "This address cannot be understood"),
    ],
)
def test_an_error_is_a_page_that_says_what_happened_what_was_lost_and_what_to_do(
    path: str, status: int, language: str, words: str
) -> None:
    async def ask(client: Client, _facts: FakeFacts) -> None:
        answer = await client.get(path)
        assert answer.status == status
        _safe(answer)
        page = read_page(await answer.text())
        assert page.faults == []
        assert page.all("html")[0].attributes["lang"] == language
        assert page.all("h1")[0].text == words
        assert len([p for p in page.all("p") if p.text.strip()]) >= 3

    _with_site(ask)


def test_an_index_that_is_away_is_told_and_the_page_comes_back_with_it() -> None:
    async def ask(client: Client, facts: FakeFacts) -> None:
        facts.failing = OSError("database is locked")
        answer = await client.get("/ru/")
        text = await answer.text()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Ничего не потеряно" in text
        assert "database" not in text
        answer = await client.get("/open/status.json")
        assert (answer.status, answer.content_type) == (503, "text/plain")
        facts.failing = RuntimeError("a bug")
        answer = await client.get("/en/")
        assert answer.status == 500
        assert "a bug" not in await answer.text()
        facts.failing = None
        assert (await client.get("/ru/")).status == 200

    _with_site(ask)


@pytest.mark.parametrize(
    "query",
    ["q=%ED%A0%80", "q=%FF%FE", "q=%00%01", "page=%D9%A3", "page=-1", "page=9" * 9, "state=live&state=x", "q", "&&="],
)
def test_no_query_makes_a_page_fail(query: str) -> None:
    async def ask(client: Client, _facts: FakeFacts) -> None:
        for path in ("/az/search", "/ru/stations", "/en/gaps", "/en/clip", "/az/"):
            answer = await client.get(URL(f"{path}?{query}", encoded=True))
            assert answer.status in (200, 400, 404), path
            assert read_page(await answer.text()).faults == []

    _with_site(ask)


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), OSError("disk"), RuntimeError("a bug")])
def test_an_answer_that_has_begun_never_becomes_an_error_page(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"begun")
        raise error

    async def run() -> None:
        with ThreadPoolExecutor(1) as thread:
            pages = Pages(fake_site(), Kept(thread, lambda: 0.0), STATIC)
            app = web.Application(middlewares=[pages.errors])
            app.add_routes([web.get("/clip/film.mp4", broken)])
            app.on_response_prepare.append(pages.begins)
            async with TestClient(TestServer(app)) as client:
                answer = await client.get("/clip/film.mp4")
                assert answer.status == 200
                with pytest.raises(ClientError):
                    await answer.read()

    asyncio.run(run())
    assert not [record for record in caplog.records if record.name == "site"]


def test_every_address_of_a_page_stands_on_the_page_about_addresses() -> None:
    told = (Path(__file__).parents[2] / "docs" / "reference" / "site.md").read_text(encoding="utf-8")
    for route in Pages(fake_site(), Kept(ThreadPoolExecutor(1), lambda: 0.0), STATIC).routes():
        address = re.sub(r"^/\{language[^}]*\}", "/az", route.path).split("{")[0]
        assert f"`{address}" in told, route.path


def test_nothing_can_be_sent() -> None:
    async def ask(client: Client, _facts: FakeFacts) -> None:
        for method in ("POST", "PUT", "DELETE"):
            answer = await client.request(method, "/az/", data=b"x")
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET,HEAD"
            _safe(answer)

    _with_site(ask)


def test_static_files_have_an_address_that_never_changes_what_it_means(tmp_path: Path) -> None:
    async def ask(client: Client, _facts: FakeFacts) -> None:
        for name, kind in (("site.css", "text/css"), ("day.css", "text/css"), ("player/station.js", "text/javascript")):
            answer = await client.get(f"{STATIC.prefix}/{name}")
            assert (answer.status, answer.content_type) == (200, kind)
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert await answer.read() == STATIC.files[name].body
        for path in ("/static/00000000/site.css", f"{STATIC.prefix}/verifier/cli.mjs", f"{STATIC.prefix}/../app.py"):
            assert (await client.get(path)).status == 404

    _with_site(ask)
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.css").write_text("a{}")
    before = collect(tmp_path)
    (tmp_path / "static" / "a.css").write_text("b{}")
    assert collect(tmp_path).digest != before.digest
    assert set(before.files) == {"a.css", "day.css"}


def test_of_the_published_tree_only_its_own_names_are_served(tmp_path: Path) -> None:
    sha256 = "ab" + "0" * 62
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / f"{sha256}.m4s").write_bytes(b"segment")
    (tmp_path / "ab" / f"{sha256}.part").write_bytes(b"draft")
    (tmp_path / "secret").write_bytes(b"secret")

    async def ask(client: Client, _facts: FakeFacts) -> None:
        answer = await client.get(f"/media/ab/{sha256}.m4s", headers={"Range": "bytes=1-3"})
        assert (answer.status, await answer.read()) == (206, b"egm")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        _safe(answer)
        for path in (
            f"/media/ab/{sha256}.mp4",
            f"/media/ab/{sha256}.part",
            f"/media/ab/{sha256}",
            f"/media/ab/{sha256.upper()}.m4s",
            f"/media/cd/{sha256}.m4s",
            "/media/ab/..%2fsecret",
            "/media/../secret",
            "/media/",
        ):
            assert (await client.get(path)).status == 404, path

    _with_site(ask, media=tmp_path)
