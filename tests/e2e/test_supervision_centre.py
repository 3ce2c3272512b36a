"""The supervision centre over real TLS: who comes in, what is written down, and what the wall tells."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from cryptography import x509

from archive.account.state import StationState
from tests.fakes.supervised import Supervised, supervised


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Supervised]:
    with supervised(tmp_path) as running:
        yield running


class Desk:
    """An operator's browser."""

    def __init__(self, centre: Supervised, right: str, name: str = "desk-1") -> None:
        cert, key = centre.operator(name, right)
        self._context = ssl.create_default_context(cafile=str(centre.folder / "root.pem"))
        self._context.load_cert_chain(cert, key)
        self.cert = cert
        self._port = centre.port

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, context=self._context, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def test_an_operator_sees_the_wall_and_only_an_administrator_who_saw_what(centre: Supervised) -> None:
    watching, ruling = Desk(centre, "watch"), Desk(centre, "administer", "desk-2")
    status, page = watching.ask("/en/")
    assert status == 200
    assert page.count('class="tile state-live"') == 20
    assert "desk-1" in page
    assert "/en/log" not in page
    assert watching.ask("/en/stations/5-001")[0] == 200
    assert watching.ask("/en/log")[0] == 403
    status, page = ruling.ask("/en/log")
    assert status == 200
    assert "The chain is whole." in page
    rows = [(row.access.operator, row.access.what, row.access.target) for row in centre.parts.log.newest()]
    assert rows == [("desk-2", "log", "/log"), ("desk-1", "station", "5-001")]


def test_nobody_comes_in_without_a_certificate_or_with_a_units(centre: Supervised) -> None:
    context = ssl.create_default_context(cafile=str(centre.folder / "root.pem"))
    with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError, http.client.HTTPException)):
        urllib.request.urlopen(f"https://127.0.0.1:{centre.port}/en/", context=context, timeout=20)
    desk = Desk(centre, "watch")
    assert desk.ask("/en/")[0] == 200
    cert = x509.load_pem_x509_certificate(desk.cert.read_bytes())
    (centre.folder / "revoked.pem").write_bytes(centre.authority.revoke(cert, cert.not_valid_before_utc))
    status, told = desk.ask("/en/")
    assert (status, told) == (403, "the certificate has been revoked\n")


def test_what_another_sites_page_has_the_browser_send_is_refused(centre: Supervised) -> None:
    desk = Desk(centre, "administer")
    assert desk.ask("/en/", "POST")[0] == 403
    assert desk.ask("/en/", "POST", Origin="https://elsewhere.example")[0] == 403
    assert desk.ask("/en/", "POST", Origin=f"https://127.0.0.1:{centre.port}")[0] == 405


def test_the_port_of_this_machine_answers_to_no_other_name(centre: Supervised) -> None:
    request = urllib.request.Request(f"{centre.origin}/en/", headers={"Host": "evil.example"})
    assert _refusal(request) == 403


def _refusal(asked: str | urllib.request.Request) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked, timeout=20)
    with caught.value as answer:
        return answer.code


def test_where_the_log_cannot_be_written_nothing_is_shown(centre: Supervised) -> None:
    with centre.parts.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE access_log")
    assert _refusal(f"{centre.origin}/en/stations/5-001") == 503


@contextmanager
def _events(centre: Supervised, last: str = "") -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection("127.0.0.1", centre.loopback, timeout=20)) as connection:
        connection.request("GET", "/events?lang=en", headers={"Last-Event-ID": last})
        with connection.getresponse() as answer:
            yield answer


def _next(answer: http.client.HTTPResponse) -> tuple[str, dict[str, object]]:
    id_ = ""
    while True:
        name, _, value = answer.readline().decode().rstrip("\n").partition(": ")
        if name == "id":
            id_ = value
        elif name == "data":
            return id_, json.loads(value)


def _until(answer: http.client.HTTPResponse, name: str, state: str) -> tuple[str, list[object]]:
    for _ in range(20):
        id_, batch = _next(answer)
        tiles = batch["tiles"]
        assert isinstance(tiles, list)
        for tile in tiles:
            if tile[:2] == [name, state]:
                return id_, tile
    raise AssertionError("no such news")


def test_events_begin_with_the_whole_state_and_then_bring_what_has_changed(centre: Supervised) -> None:
    with _events(centre) as answer:
        _, batch = _next(answer)
        assert batch["whole"] is True
        assert isinstance(batch["tiles"], list)
        assert len(batch["tiles"]) == 20
        centre.turn("5-001", StationState.RECORDING)
        last, tile = _until(answer, "5-001", "recording")
        assert "expected to go on" in str(tile[4])
        assert tile[6] is True
    centre.turn("7-001", StationState.SILENT)
    with _events(centre, last) as again:
        assert _next(again)[1]["whole"] is False, "who was away for a moment gets what he missed"
    with _events(centre, "another-process.3") as other:
        assert _next(other)[1]["whole"] is True
