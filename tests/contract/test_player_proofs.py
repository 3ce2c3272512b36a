"""What the player believes of a list: nothing. Records of the vectors, served line by line, with and without faults."""

import json
from pathlib import Path

import pytest

from tests.contract.test_vectors import FOLDER
from tests.contract.test_vectors_js import node

PROOF = Path(__file__).resolve().parents[2] / "archive/site/player/proof.js"
SCRIPT = """
import { readFileSync } from 'node:fs';
const { reasonOf, unitProofs } = await import(process.argv[1]);
const { NoProof } = await import(process.argv[1].replace('proof.js', 'ledgerlines.js'));
const { folder, live, fault, status } = JSON.parse(readFileSync(0, 'utf-8'));
const bytes = (path) => new Uint8Array(readFileSync(`${folder}/${path}`));
const text = (path) => readFileSync(`${folder}/${path}`, 'utf-8');
const lines = text('ledger.jws').split('\\n').slice(0, -1);
const payloads = lines.map((line) => JSON.parse(Buffer.from(line.split('.')[1], 'base64url')));
const kids = lines.map((line) => JSON.parse(Buffer.from(line.split('.')[0], 'base64url')).kid);
const { election, station, unit } = payloads[0];
const asked = [];
const served = [...lines];
if (fault === 'line') served[served.length >> 1] = served[(served.length >> 1) - 1];
const get = async (address) => {
  asked.push(address);
  if (fault === 'gone') throw new NoProof(address, status);
  if (address === '/trust.pem') return bytes('root.pem');
  if (address === '/revoked.pem') throw new NoProof(address, 404);
  const found = /^\\/ledger\\/([^/]+)\\/([^/]+)\\/0\\/(\\d+)-(\\d+)\\.jws$/.exec(address);
  const [from, to] = [Number(found[3]), Number(found[4])];
  if (from > to || to - from >= 256 || to >= served.length) throw new NoProof(address, 404);
  return new TextEncoder().encode(served.slice(from, to + 1).map((line) => `${line}\\n`).join(''));
};
const proofs = unitProofs({ election, station, unit: fault === 'unit' ? 'u-9999' : unit }, get);
const starts = payloads.flatMap(({ kind }, at) => (kind === 'start' ? [at] : []));
const sessions = starts.map((at) => [at, kids[payloads.findIndex(({ kind }, n) => n > at && kind !== 'start')]]);
const before = new Map();
const answers = [];
for (const [seq, { kind, camera, run: number, index, session, utc_us, boot_ns, from_ns }] of payloads.entries()) {
  if (kind !== 'segment' && kind !== 'recovered') continue;
  const kid = session ?? kids[seq];
  const start = sessions.find(([, name]) => name === kid)[0];
  const isRun = (each, at) => each.kind === 'run' && each.camera === camera && each.run === number && kids[at] === kid;
  const date = fault.split(' ')[1] ?? 'UTC';
  const tag = { branch: 0, seq, run: payloads.findIndex(isRun), start, mode: 'LIVE', date };
  const media = `media/${kid}/${camera}/${number}`;
  const moved = fault.startsWith('date') ? 3_600_000 : 0;
  const utcMs = utc_us === null ? null : utc_us / 1000 - (boot_ns - from_ns) / 1e6 + moved;
  const dateMs = tag.date === 'BOOT' ? from_ns / 1e6 + moved : utcMs;
  try {
    const init = await proofs.init(tag, bytes(`${media}/init.mp4`));
    const { segment, isDated } = await proofs.segment({
      tag,
      after: before.get(camera) ?? null,
      newest: lines.length - 1,
      isLive: live,
      camera: fault === 'camera' ? 'cam9' : camera,
      data: bytes(`${media}/${String(index).padStart(6, '0')}.m4s`),
      init: fault === 'init' ? '00' : init,
      dateMs,
    });
    answers.push(isDated ? segment.kind : 'date');
  } catch (error) {
    answers.push(reasonOf(error).code + (error.isPassing ? ' (passing)' : ''));
  }
  before.set(camera, tag);
}
console.log(JSON.stringify({ answers, asked }));
"""


def proven(name: str, *, live: bool = False, fault: str = "", status: int = 404) -> tuple[list[str], list[str]]:
    """What is said of each segment of a vector, and the addresses that were asked for."""
    said = node(
        "--input-type=module",
        "-e",
        SCRIPT,
        "--",
        str(PROOF),
        said=json.dumps({"folder": str(FOLDER / name), "live": live, "fault": fault, "status": status}),
    )
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    return told["answers"], told["asked"]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    "name", ["one-camera", "two-cameras", "gap-in-a-boot", "mask-changed", "power-cut", "stop-and-start"]
)
def test_every_segment_of_a_good_record_is_proven(name: str, live: bool) -> None:
    answers, _ = proven(name, live=live)
    assert len(answers) > 1
    assert set(answers) == {"segment"}


def test_media_found_after_a_restart_are_proven_by_the_session_that_found_them() -> None:
    answers, _ = proven("recovered-after-crash")
    assert set(answers) == {"segment", "recovered"}


def test_live_asks_for_the_lines_between_two_entries_and_replay_for_blocks() -> None:
    _, live = proven("two-cameras", live=True)
    _, replay = proven("two-cameras")
    ranges = [tuple(map(int, each.split("/")[-1].removesuffix(".jws").split("-"))) for each in live if "/0/" in each]
    assert all(begin <= end for begin, end in ranges)
    assert len(live) == len(set(live))
    blocks = {each for each in replay if each.endswith("/0-63.jws") or "/0/0-" in each}
    assert len(blocks) <= 2
    assert len(replay) == len(set(replay))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unit", "start-mismatch"),
        ("camera", "media-swapped"),
        ("init", "init-mismatch"),
        ("date", "date"),
        ("date ARRIVAL", "date"),
        ("date BOOT", "date"),
        ("as BOOT", "segment"),
    ],
)
@pytest.mark.parametrize("live", [True, False])
def test_what_a_list_claims_wrongly_is_told(fault: str, code: str, live: bool) -> None:
    answers, _ = proven("one-camera", live=live, fault=fault)
    assert set(answers) == {code}


@pytest.mark.parametrize("live", [True, False])
def test_a_line_out_of_place_breaks_the_chain(live: bool) -> None:
    answers, _ = proven("one-camera", live=live, fault="line")
    assert "line-reordered" in answers


@pytest.mark.parametrize(
    ("status", "passing"), [(404, ""), (0, " (passing)"), (429, " (passing)"), (503, " (passing)")]
)
def test_a_proof_that_does_not_come_is_no_proof_and_whose_fault_it_is_follows_the_answer(
    status: int, passing: str
) -> None:
    answers, _ = proven("one-camera", fault="gone", status=status)
    assert set(answers) == {f"proof-missing{passing}"}
