"""How fast Chromium verifies a record on the verify page's own modules, beside the bare hash of the same files."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.row import Bound, Row, median
from bench.stream import full_stream
from tests.fakes.rig import Rig, feed, open_rig, virtual_clock

RECORD_S = 900
"""About 450 MB."""
REPEATS = 3
TARGET = 20
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
SITE = Path(__file__).parents[1] / "archive" / "site"
PAGE = """<!doctype html><meta charset="utf-8"><title>Measured</title><link rel="icon" href="data:,">
<input type="file" webkitdirectory>
<script type="module">
import { givenFiles } from './verifier/browserfiles.js';
import { linesOf, openSession, segmentChecker } from './verifier/checker.js';
import { sha256 } from './verifier/encoding.js';
import { verify } from './verifier/verify.js';

const input = document.querySelector('input');
const bytesOf = async (file) => new Uint8Array(await file.arrayBuffer());
const named = (end) => [...input.files].filter((file) => file.name.endsWith(end));
const timed = async (work) => {
  const began = performance.now();
  const said = await work();
  return [(performance.now() - began) / 1000, said];
};

window.whole = () => timed(async () => {
  const trust = await Promise.all(named('.pem').map(bytesOf));
  return (await verify({ given: givenFiles(input.files), trust })).records.map(({ findings, cameras }) => ({
    codes: findings.map(({ code }) => code), segments: cameras.reduce((sum, { segments }) => sum + segments, 0),
  }));
});

window.bare = () => timed(async () => {
  for (const file of named('.m4s')) await sha256(await bytesOf(file));
});

window.each = async () => {
  const trust = await Promise.all(named('.pem').map(bytesOf));
  const lines = linesOf(await bytesOf(named('ledger.jws')[0]));
  const said = lines.map((line) => JSON.parse(atob(line.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))));
  const checker = segmentChecker(await openSession({ start: lines[0], trust }));
  const run = lines[said.findIndex(({ kind }) => kind === 'run')];
  const media = named('.m4s').sort((one, two) => (one.name < two.name ? -1 : 1));
  const times = [];
  for (const [at, { kind, index }] of said.entries()) {
    if (kind !== 'segment') continue;
    const data = await bytesOf(media[index]);
    const [seconds, { isGood, code }] = await timed(() => {
      return checker.check({ line: lines[at], data, run, before: lines[at - 1] });
    });
    if (!isGood) throw new Error(code);
    times.push(seconds);
  }
  return times;
};
</script>"""


def measure(folder: Path) -> list[Row]:
    """A record of 15 minutes, 1080p25 at 4 Mbit/s, as a whole and segment by segment. Files are in the page cache."""
    if not CHROMIUM.exists():
        raise RuntimeError(f"{CHROMIUM} is missing; install it with: tools/setup browser")
    site = folder / "site"
    site.mkdir(parents=True)
    (site / "verifier").symlink_to(SITE / "verifier")
    (site / "index.html").write_text(PAGE)
    record = _record(folder / "unit")
    size = sum(path.stat().st_size for path in record.rglob("*.m4s"))
    whole: list[float] = []
    bare: list[float] = []
    times: list[float] = []
    with _served(site) as origin, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = chromium.new_page()
        page.set_default_timeout(300_000)
        page.goto(origin)
        page.set_input_files("input", record)
        page.evaluate("window.bare()")  # warms the page cache
        for _ in range(REPEATS):
            bare.append(page.evaluate("window.bare()")[0])
            seconds, said = page.evaluate("window.whole()")
            whole.append(seconds)
            _require(said)
            times += page.evaluate("window.each()")
        version = chromium.version
        chromium.close()
    return [
        Row(
            name="verification in the browser, a record of 15 min at 4 Mbit/s",
            value=RECORD_S / median(whole),
            unit="times real time",
            runs=tuple(RECORD_S / seconds for seconds in whole),
            bound=Bound.AT_LEAST,
            target=TARGET,
            reference="SHA-256 of the same files by the same browser, one after the other",
            reference_value=RECORD_S / median(bare),
            note=f"{size / 1e6:.0f} MB in {median(whole):.2f} s; Chromium {version}; one camera",
        ),
        Row(
            name="verification in the browser, a segment before it is played",
            value=median(times) * 1000,
            unit="ms",
            note=f"hash, line, chain, format; 2 s of video, {size / len(times) * REPEATS / 1e6:.1f} MB; "
            f"the slowest of {len(times):,}: {max(times) * 1000:.0f} ms",
        ),
    ]


def _require(said: list[dict[str, Any]]) -> None:
    """What was measured is a verification that found nothing but the open end of a record that goes on."""
    (record,) = said
    if record["codes"] != ["open-end"] or record["segments"] < RECORD_S // 2 - 1:
        raise RuntimeError(f"the record does not verify: {record}")


def _record(folder: Path) -> Path:
    """What a person would choose: ledger, media and root in one folder."""
    stream = full_stream()
    clock = virtual_clock()
    rig: Rig = open_rig(folder, stream.picture, clock=clock)
    feed(rig, clock, stream.units, stream.picture.fps, RECORD_S * stream.picture.fps)
    rig.close()
    given = folder.with_name("given")
    given.mkdir()
    rig.layout.ledger.rename(given / "ledger.jws")
    rig.layout.media.rename(given / "media")
    (given / "root.pem").write_bytes(rig.station.root.read_bytes())
    return given


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            """Nothing to say."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
