"""F1 and F9 of the failures that elections have seen, with every program a process of its own.

F1: the public page was down in the morning, and nobody could say whether anything was recorded.
F9: volunteers who wanted to keep the days of whole stations were slowed down, shown less, or shut out.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from evidence.lines import Line, Segment
from evidence.words import Mode
from tests.browser.watching import viewer
from tests.browser.whole import Whole, whole

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

DOWN_SEGMENTS = 7
SITE_LISTS = re.compile(r'href="(/hls/[^"]+[+T]\d\dZ?\.m3u8)"')


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("whole"), stations=2) as running:
        yield running


def instant_of(line: Line, body: Segment, boot: str | None) -> str:
    """A segment's beginning as the address of a page has it: UTC, or the boot's own time where no UTC is known."""
    if boot is not None:
        return f"{boot}%2B{body.from_ns / 1e9:.3f}"
    assert line.stamp.utc_us is not None
    utc_us = line.stamp.utc_us - (line.stamp.boot_ns - body.from_ns) // 1_000
    return datetime.fromtimestamp(utc_us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+", "%2B")


def hours(running: Whole, station: int) -> str:
    """All of a station's lists by the hour, as its page names them."""
    page = running.get(f"/en/stations/{running.stations[station].name}").decode()
    lists = dict.fromkeys(SITE_LISTS.findall(page))
    assert lists
    return "".join(running.get(path.replace("&#43;", "+")).decode() for path in lists)


def verdict(folder: Path, root: Path) -> dict[str, Any]:
    """What ``unbroken verify`` says of a folder."""
    command = [sys.executable, "-m", "unbroken", "verify", str(folder), "--json", "--trust", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_f1_a_morning_without_the_public_page_is_all_there_once_it_is_back(running: Whole, browser: Browser) -> None:
    for number in range(2):
        running.until(lambda number=number: len(running.segments(number)) >= 3, "some are recorded")  # type: ignore[misc]
    running.pages.end()
    with pytest.raises(OSError, match="refused"):
        running.get("/az/")
    before = [len(running.segments(number)) for number in range(2)]
    for number in range(2):
        running.until(
            lambda number=number: len(running.segments(number)) >= before[number] + DOWN_SEGMENTS,  # type: ignore[misc]
            "stations record while nobody can watch",
        )
    down = [running.segments(number)[before[number] : before[number] + DOWN_SEGMENTS] for number in range(2)]
    running.pages.start()
    for number in range(2):
        running.until(
            lambda number=number: all(body.sha256 in hours(running, number) for body in down[number]),  # type: ignore[misc]
            "the whole morning is in the lists",
        )
        for body in down[number]:
            assert len(running.get(f"/media/{body.sha256[:2]}/{body.sha256}.m4s")) == body.size
        live = running.get(f"/hls/{running.camera(number)}/live.m3u8").decode()
        assert "#EXTINF" in live
    lines = running.lines()
    first = next(line for line in lines if isinstance(line.body, Segment) and line.body.sha256 == down[0][2].sha256)
    assert isinstance(first.body, Segment)
    told = running.told(f"/open/stations/{running.stations[0].name}.json")
    boot = next(span["boot"] for span in told["cameras"][0]["spans"] if span["state"] == "segment")
    with viewer(browser) as viewing:
        viewing.page.goto(running.page(query=f"?t={instant_of(first, first.body, boot)}"))
        shown = viewing.plays()
        assert shown.seal == "checked"
        assert shown.kind == ""
        assert viewing.complaints == []
    running.until(lambda: running.told("/open/status.json")["live"] == 2, "both are live again")
    for number in range(2):
        name = running.stations[number].name
        said = running.told(f"/open/stations/{name}.json")
        assert said["state"] == "live"
        page = running.get(f"/en/stations/{name}").decode()
        assert "Live" in page
        at_least = len([body for body in running.segments(number) if body.mode is Mode.LIVE]) - 3
        assert said["cameras"][0]["segments"] >= at_least
        assert {span["state"] for span in said["cameras"][0]["spans"]} <= {"gap", "at-unit", "segment", "missing"}


def test_f9_volunteers_take_whole_days_home_while_others_watch_and_nothing_gets_worse(
    running: Whole, browser: Browser, tmp_path: Path
) -> None:
    with viewer(browser) as viewing:
        viewing.page.goto(running.page())
        begun = viewing.plays()
        names = [f"{station.name}/{station.unit}" for station in running.stations]
        began = time.monotonic()
        for name in names:
            assert fetch(running, name, tmp_path) >= 10
        took = time.monotonic() - began
        for name in names:
            command = ["sha256sum", "--quiet", "-c", f"bulk/{name}/SHA256SUMS"]
            summed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert summed.returncode == 0, summed.stdout + summed.stderr
        answer = verdict(tmp_path, running.folder / "root.pem")
        assert len(answer["records"]) == 2
        for record in answer["records"]:
            codes = {finding["code"] for finding in record["findings"]}
            # The record goes on: its newest lines name what came after the list was made.
            assert codes <= {"unarmed-at-unit", "media-missing", "open-end"}, record["findings"]
            (camera,) = record["cameras"]
            assert camera["segments"] >= 10
            missing = [finding for finding in record["findings"] if finding["code"] == "media-missing"]
            assert sum(finding.get("count", 1) for finding in missing) <= 4
        shown = viewing.until(lambda now: now.time > begun.time + max(4, took * 0.5), "it plays on as before")
        assert (shown.seal, shown.kind, shown.width) == ("checked", "", begun.width)
        print(f"\ntwo stations fetched in {took:.1f} s")


def test_what_the_public_page_counts_is_what_an_auditor_finds_on_the_stations_own_disk(running: Whole) -> None:
    for number, station in enumerate(running.stations):
        running.close(number)
        address = f"/open/stations/{station.name}.json"
        running.until(lambda address=address: running.told(address)["state"] == "complete", "all of it is here")  # type: ignore[misc]
        ((said,), (found,)) = (running.told(address)["cameras"], verdict(station.data, station.root)["records"])
        (camera,) = found["cameras"]
        armed = [body for body in running.segments(number) if body.mode is Mode.LIVE]
        assert said["segments"] == len(armed)
        assert [gap["cause"] for gap in said["gaps"]] == [gap["cause"] for gap in camera["gaps"]]
        assert [gap["duration_ms"] for gap in said["gaps"]] == [gap["duration_ms"] for gap in camera["gaps"]]


def fetch(running: Whole, name: str, folder: Path) -> int:
    """All files of a unit with curl alone, as docs/guide/auditor.md says; how many."""
    bulk = f"/bulk/{name}"
    listed = running.get(f"{bulk}/urls.txt").decode().split()
    config = "".join(f'url = "{url}"\noutput = "{re.sub("^[a-z]*://[^/]*/", "", url)}"\n' for url in listed)
    for extra in ("manifest.json", "SHA256SUMS"):
        config += f'url = "{running.site}{bulk}/{extra}"\noutput = "{bulk[1:]}/{extra}"\n'
    command = ["curl", "-sS", "--fail", "--create-dirs", "-K", "-"]
    done = subprocess.run(command, cwd=folder, input=config, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return len(listed)
