"""How the verify page follows a check: bytes read once, of all that was given; and the end of it when told."""

import json
from pathlib import Path
from typing import Any

from tests.contract.test_vectors_js import node

PAGE = Path(__file__).parents[2] / "archive" / "site" / "verifypage"
SCRIPT = """
import { readFileSync } from 'node:fs';
const { watchGiven } = await import(`${process.argv[1]}/watched.js`);
const { reads, stopAfter } = JSON.parse(readFileSync(0, 'utf-8'));
const source = (path, size) => ({ path, size, read: async (from, to) => new Uint8Array(Math.min(to, size) - from) });
const control = new AbortController();
const told = [];
const given = watchGiven(
  [
    { path: 'one', folder: false, files: [source('one', 100)] },
    { path: 'two', folder: true, files: [source('two', 50)], store: async (name) => (name ? source(name, 10) : null) },
  ],
  control.signal,
  (done, total) => told.push([done, total]),
);
const files = { one: given[0].files[0], two: given[1].files[0], stored: await given[1].store('stored') };
let error = null;
try {
  for (const [at, [name, from, to]] of reads.entries()) {
    if (at === stopAfter) control.abort();
    await files[name].read(from, to);
  }
} catch (caught) {
  error = caught.name;
}
console.log(JSON.stringify({ told, error, nothing: await given[1].store('') }));
"""


def watched(*reads: tuple[str, int, int], stop_after: int | None = None) -> Any:
    asked = json.dumps({"reads": reads, "stopAfter": stop_after})
    done = node("--input-type=module", "-e", SCRIPT, "--", str(PAGE), said=asked)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_bytes_count_once_however_often_they_are_read() -> None:
    reads = [("one", 0, 40), ("one", 0, 40), ("one", 40, 100), ("two", 0, 50), ("one", 0, 100)]
    assert watched(*reads)["told"] == [[40, 150], [100, 150], [150, 150]]


def test_more_is_never_told_than_there_is() -> None:
    reads = [("one", 0, 65_536), ("two", 0, 65_536), ("stored", 0, 10)]
    assert watched(*reads)["told"] == [[100, 150], [150, 150], [150, 150]]


def test_a_check_that_is_stopped_reads_nothing_more() -> None:
    said = watched(("one", 0, 40), ("one", 40, 100), ("stored", 0, 10), stop_after=1)
    assert said == {"told": [[40, 150]], "error": "AbortError", "nothing": None}
