"""The queue of a running centre: a station falls silent, somebody answers, a ticket is printed and closed."""

import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive.account.state import StationState
from archive.supervision.words import load_words
from tests.fakes.supervised import Supervised, supervised


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Supervised]:
    with supervised(tmp_path) as running:
        yield running


def get(centre: Supervised, path: str) -> str:
    with urllib.request.urlopen(centre.origin + path, timeout=20) as answer:
        return str(answer.read().decode())


def post(centre: Supervised, path: str, origin: str | None = None, **form: str) -> int:
    headers = {"Origin": origin or centre.origin}
    data = urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(centre.origin + path, data=data, headers=headers), timeout=20
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def until(centre: Supervised, path: str, is_there: Callable[[str], bool]) -> str:
    """The page once the centre's own look, one a second, has seen to it."""
    for _ in range(100):
        page = get(centre, path)
        if is_there(page):
            return page
        time.sleep(0.2)
    raise AssertionError(f"{path} never said so")


def test_a_silent_station_is_a_case_with_a_work_order_until_somebody_answers(centre: Supervised) -> None:
    assert "Nothing needs an answer." in get(centre, "/en/queue")
    centre.turn("5-001", StationState.SILENT)
    page = until(centre, "/en/queue", lambda text: "5-001" in text)
    assert "The unit says nothing." in page
    assert "nobody yet" in page
    (number,) = re.findall(r'name="case" value="(\d+)"', page)
    order = get(centre, "/en/tickets/1")
    assert "Work order 1" in order
    assert "A whole spare unit" in order
    assert "/thumbnails/5-001.jpeg" in order
    assert post(centre, "/en/queue", "https://elsewhere.example", case=number) == 403
    assert post(centre, "/en/queue", case=number, words="<b>calling</b>") == 200
    page = get(centre, "/en/queue")
    assert "nobody yet" not in page
    assert "loopback" in page
    assert post(centre, "/en/tickets/1", words=" ") == 400
    assert post(centre, "/en/tickets/1", words="<b>card</b> replaced") == 200
    assert "&lt;b&gt;card&lt;/b&gt; replaced" in get(centre, "/en/tickets/1")
    assert post(centre, "/en/tickets", station="9-999", reason="degraded", words="x") == 404
    assert post(centre, "/en/tickets", station="6-001", reason="pigeon", words="x") == 400
    assert post(centre, "/en/tickets", station="6-001", reason="degraded", words="curtain") == 200
    done = [row.access.what for row in centre.parts.log.newest()]
    assert done[::-1][:2] == ["acknowledge", "ticket-close"]
    assert "ticket-open" in done


def test_all_pages_of_the_queue_speak_three_languages() -> None:
    words, templates = load_words(), Path("archive/supervision/templates")
    texts = set()
    for name in ("queue", "ticket", "tickets"):
        texts |= set(re.findall(r'_\(["\'](.+?)["\']\)', (templates / f"{name}.html").read_text()))
    advice = Path("archive/supervision/queue/faultcodes.py").read_text()
    texts |= set(re.findall(r'N_\(\s*"(.+?)"\s*\)', advice))
    assert len(texts) > 50
    for language in ("az", "ru"):
        assert [text for text in sorted(texts) if words[language].say(text) == text] == []


def test_every_fault_code_of_the_reference_has_its_advice() -> None:
    from archive.supervision.queue.faultcodes import FAULTS

    listed = re.findall(r"^\| (\d{4}) \|", Path("docs/reference/faults.md").read_text(), re.MULTILINE)
    assert sorted(FAULTS) == listed
