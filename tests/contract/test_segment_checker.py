"""The part of the verifier that a player asks before each segment: green for what was signed, red with the reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_vectors import FOLDER, NAMES, load
from tests.contract.test_vectors_js import VERIFIER, node

SCRIPT = """
import { readFileSync } from 'node:fs';
const { linesOf, openSession, segmentChecker } = await import(process.argv[1]);
const tests = JSON.parse(readFileSync(0, 'utf-8'));
const bytes = (path) => new Uint8Array(readFileSync(path));
for (const { folder, bend, crl = [] } of tests) {
  const lines = linesOf(bytes(`${folder}/ledger.jws`));
  const payloads = lines.map((line) => JSON.parse(Buffer.from(line.split('.')[1], 'base64url')));
  const answers = [];
  try {
    const trust = [bytes(`${folder}/root.pem`)];
    const session = await openSession({ start: lines[0], trust, crl: crl.map((name) => bytes(`${folder}/${name}`)) });
    const checker = segmentChecker(session);
    for (const [at, { kind, camera, run, index }] of payloads.entries()) {
      if (kind !== 'segment') continue;
      const name = `${String(index).padStart(6, '0')}.m4s`;
      const data = bytes(`${folder}/media/${session.kid}/${camera}/${run}/${name}`);
      if (bend) data[data.length - 1] ^= 1;
      const runAt = payloads.findIndex((each) => each.kind === 'run' && each.camera === camera && each.run === run);
      const said = await checker.check({ line: lines[at], data, run: lines[runAt], before: lines[at - 1] });
      answers.push(said.code ?? said.open);
    }
  } catch (error) {
    if (error.name !== 'Refusal') throw error;
    answers.push(`start: ${error.code}`);
  }
  console.log(JSON.stringify(answers));
}
"""

GOOD = ("one-camera", "two-cameras", "gap-in-a-boot", "mask-changed", "test", "dropped-frames", "odd-nanoseconds")
BAD = {
    "media-byte-changed": "media-changed",
    "segment-of-another-camera": "media-swapped",
    "segment-line-changed": "signature-wrong",
    "history-rewritten": "prev-mismatch",
    "media-with-extra-box": "media-malformed",
    "identity-of-another-index": "identity-mismatch",
    "frames-miscounted": "media-mismatch",
    "init-mismatch": "init-mismatch",
    "test-media-as-live": "test-as-live",
    "certificate-of-an-impostor": "start: cert-untrusted",
    "certificate-of-another-station": "start: cert-wrong-station",
}
# By the clock of the lines: of the start, and of the segment's own.
DATED: dict[str, set[str | None]] = {
    "certificate-revoked": {"cert-revoked"},
    "certificate-revoked-in-session": {"cert-revoked"},
    "revoked-later": {None},
    "certificate-expired": {"cert-expired"},
    "certificate-not-yet-valid": {"cert-not-yet-valid"},
    "certificate-ends-later": {None},
    "certificate-end-undecided": {"cert-time-unknown"},
    "utc-never-known": {"cert-time-unknown"},
}


def checked(*tests: Any) -> list[list[str | None]]:
    """The codes of each record's segments, null where they are good and nothing is open."""
    said = node("--input-type=module", "-e", SCRIPT, "--", str(VERIFIER / "checker.js"), said=json.dumps(tests))
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_every_segment_of_a_good_record_is_green() -> None:
    found = checked(*({"folder": str(FOLDER / name), "bend": False} for name in GOOD))
    assert [set(codes) for codes in found] == [{None}] * len(GOOD)


def test_a_segment_with_one_other_bit_is_red() -> None:
    found = checked(*({"folder": str(FOLDER / name), "bend": True} for name in GOOD))
    assert [set(codes) for codes in found] == [{"media-changed"}] * len(GOOD)


def test_what_is_wrong_with_one_segment_is_said_of_that_one() -> None:
    found = checked(*({"folder": str(FOLDER / name), "bend": False} for name in BAD))
    assert {name: set(codes) - {None} for name, codes in zip(BAD, found, strict=True)} == {
        name: {code} for name, code in BAD.items()
    }


def test_certificates_are_judged_by_the_clock_of_the_lines() -> None:
    tests = [{"folder": str(FOLDER / name), "crl": load(name)["arguments"]["crl"]} for name in DATED]
    assert {name: set(codes) for name, codes in zip(DATED, checked(*tests), strict=True)} == DATED


FOUND = """
import { readFileSync } from 'node:fs';
const { linesOf, openSession, segmentChecker } = await import(process.argv[1]);
const folder = process.argv[2];
const bytes = (path) => new Uint8Array(readFileSync(`${folder}/${path}`));
const lines = linesOf(bytes('ledger.jws'));
const payloads = lines.map((line) => JSON.parse(Buffer.from(line.split('.')[1], 'base64url')));
const trust = [bytes('root.pem')];
const starts = lines.filter((_, at) => payloads[at].kind === 'start');
const [first, second] = await Promise.all(starts.map((start) => openSession({ start, trust })));
const answers = [];
for (const [at, { kind, camera, run, index }] of payloads.entries()) {
  if (kind !== 'recovered') continue;
  const data = bytes(`media/${first.kid}/${camera}/${run}/${String(index).padStart(6, '0')}.m4s`);
  const opened = lines[payloads.findIndex((each) => each.kind === 'run')];
  const line = { line: lines[at], data, before: lines[at - 1], run: opened };
  answers.push((await segmentChecker(first).check({ ...line, finder: second })).code);
  answers.push((await segmentChecker(first).check(line)).code);
  answers.push((await segmentChecker(second).check({ ...line, run: null, finder: second })).code);
}
console.log(JSON.stringify(answers));
"""


def test_media_found_after_a_restart_are_green_by_the_session_that_found_them() -> None:
    folder = str(FOLDER / "recovered-after-crash")
    said = node("--input-type=module", "-e", FOUND, "--", str(VERIFIER / "checker.js"), folder)
    assert said.returncode == 0, said.stderr
    answers = json.loads(said.stdout)
    assert answers[:3] == [None, "key-unknown", "recovered-not-contiguous"]
    assert set(answers[::3]) == {None}


@pytest.mark.parametrize("name", sorted({*GOOD, *BAD, *DATED}))
def test_the_cases_are_vectors(name: str) -> None:
    assert name in NAMES
    assert load(name)["arguments"]["paths"] == ["."]
    assert Path(FOLDER / name / "ledger.jws").is_file()
