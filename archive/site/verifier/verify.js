/** Verifies records as spec/verify.md says: ledgers, media and trusted roots in, the answer of its section 5 out. */

import { writeAnswer } from './answer.js';
import { readClip } from './clip.js';
import { clipMedia, findPart, judgeClip, linesInOrder } from './clipjudge.js';
import { judgeDates } from './dates.js';
import { findForks } from './forks.js';
import { judgeLedger } from './ledger.js';
import { isBeginning, readLines, readNames } from './ledgerfile.js';
import { reportAlone, reportUnnamed } from './loose.js';
import { changedOrSwapped, segmentJudge } from './media.js';
import { judgePruned } from './pruned.js';
import { newRecord, runKey } from './record.js';
import { Misuse } from './refusal.js';
import { MAX_SEGMENT_BYTES, mediaIndex, sortSources } from './sources.js';
import { sha256, toHex } from './encoding.js';
import { readTrust } from './trust.js';

const IDENTITY_BYTES = 65_536;

/**
 * The answer on a record, `ledgers` and `media`: arrays of `{path, size, read(from, to)}` with bytes out; media have
 * the paths of spec/segment.md, section 2, or any other ending in `.m4s`. Or on all that was `given`, as sources.js
 * takes it: folders and files. `trust` and `crl` are PEM files (bytes). Media are read one after the other, and none is
 * kept. `progress(done, total)` is told how many named segments were looked at.
 * Throws Misuse where there is nothing to verify, or a PEM file holds nothing.
 */
export async function verify({ ledgers = [], media = [], given, trust = [], crl = [], progress = () => {} }) {
  return verifyGiven(given ?? [{ path: 'record', folder: true, files: [...ledgers, ...media] }], trust, crl, progress);
}

async function verifyGiven(given, trust, crl, progress) {
  const trusted = readTrust([...trust, ...crl]);
  const sources = await sortSources(given);
  const media = await mediaIndex(sources);
  if (sources.ledgers.length === 0) {
    const records = [...(await reportAlone(sources, media)), ...(await verifyClips(sources, trusted, progress))];
    if (records.length === 0) throw new Misuse('No ledger and no segment is here.');
    return writeAnswer(records);
  }
  const records = [];
  for (const ledgers of await units(sources.ledgers)) {
    const archived = ledgers.every(({ path }) => sources.archived.has(path));
    records.push(await verifyUnit(await branchesOf(ledgers), trusted, { sources, media, archived, progress }));
  }
  records.push(...(await reportUnnamed(records, sources, media)));
  records.push(...(await verifyClips(sources, trusted, progress)));
  return writeAnswer(records);
}

/** Clips bring their own lines (section 2.4): a record for each. */
async function verifyClips({ clips }, trust, progress) {
  const records = [];
  for (const file of clips) {
    const clip = await readClip(file);
    const [record, part] = [newRecord(), findPart(clip)];
    records.push(record);
    if (part !== null) {
      await judgeLedger(linesInOrder(clip, part), record, trust, { part });
      if (trust.roots.length === 0) record.findings.add('no-trust');
      await lookAtMedia(record, { whole: true }, clipMedia(clip, record), progress);
      await judgePruned(record, trust, { whole: true, archived: false });
      judgeDates(record);
    }
    await judgeClip(record, clip, part, trust);
  }
  return records;
}

/** The ledgers of each unit. */
async function units(ledgers) {
  const found = new Map();
  for (const file of ledgers) {
    const names = await readNames(file);
    const key = names === null ? file.path : JSON.stringify(names);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(file);
  }
  return [...found.values()];
}

/** The longest first, without those that are the beginning of another, or the same once more. */
async function branchesOf(ledgers) {
  const kept = [];
  for (const file of [...ledgers].sort((one, two) => two.size - one.size)) {
    let isNew = true;
    for (const other of kept) isNew &&= !(await isBeginning(other, file));
    if (isNew) kept.push(file);
  }
  return kept;
}

async function verifyUnit(ledgers, trust, { sources, media, archived, progress }) {
  let read = await readBranches(ledgers, trust, Infinity);
  const forks = findForks(read.branches.map(({ history }) => history));
  const equivocations = forks.filter(({ code }) => code === 'equivocation').map(({ seq }) => seq);
  if (equivocations.length > 0) read = await readBranches(ledgers, trust, Math.min(...equivocations));
  const { record, branches } = read;
  const told = new Set();
  for (const { code, seq } of forks) {
    if (!told.has(`${code} ${seq}`)) record.findings.add(code, { seq });
    told.add(`${code} ${seq}`);
  }
  const abandoned = new Set(forks.map(({ abandoned: number }) => number));
  record.closed = branches.some(({ closed }, number) => closed && !abandoned.has(number));
  if (!record.closed && branches.some(({ good }) => good)) record.findings.add('open-end', { seq: record.head?.seq });
  if (trust.roots.length === 0) record.findings.add('no-trust');
  await lookAtMedia(record, sources, media, progress);
  await judgePruned(record, trust, { whole: sources.whole, archived });
  judgeDates(record);
  return record;
}

async function readBranches(ledgers, trust, untilSeq) {
  const record = newRecord();
  const branches = [];
  for (const file of ledgers) {
    branches.push(await judgeLedger(readLines(file), record, trust, { untilSeq, several: ledgers.length > 1 }));
  }
  return { record, branches };
}

/** Step 8: each named file is read, judged and let go. */
async function lookAtMedia(record, sources, media, progress) {
  const judge = segmentJudge();
  let [done, unchecked] = [0, false];
  const proven = new Set();
  for (const piece of record.pieces.values()) {
    const files = await media.segment(piece);
    piece.state = files.length === 0 ? 'absent' : 'here';
    if (files.length === 0 && !sources.whole) unchecked = true;
    const faults = await firstGood(files, (file) => judgeFile(judge, piece, file));
    if (faults.length > 0) piece.state = 'damaged';
    else if (files.length > 0 && piece.stream !== null) {
      proven.add(proofOf(piece.stream, runKey(piece.session, piece.camera, piece.run)));
    }
    for (const [code, detail] of faults) record.findings.add(code, piece.place, detail);
    done += 1;
    progress(done, record.pieces.size);
  }
  for (const run of record.runs.values()) {
    const files = media.init(run);
    if (files.length > 0) await judgeInit(record, run, files);
    else if (!sources.whole) unchecked = true;
    else if (!proven.has(proofOf(run, run.key))) record.findings.add('init-missing', run.place);
  }
  if (unchecked) record.findings.add('media-unchecked');
}

/** What a good segment proves: the init segment of its run, which is rebuilt from it. */
function proofOf({ init_sha256 }, key) {
  return `${key} ${init_sha256}`;
}

/** The faults of the first file that has none, else those of the first. */
async function firstGood(files, judge) {
  let faults = [];
  for (const [number, file] of files.entries()) {
    const found = await judge(file);
    if (found.length === 0) return found;
    if (number === 0) faults = found;
  }
  return faults;
}

async function judgeFile(judge, piece, file) {
  // No line names a file as large as that: its beginning says whose it is.
  if (file.size > MAX_SEGMENT_BYTES) return [changedOrSwapped(piece, await file.read(0, IDENTITY_BYTES))];
  return judge(piece, piece.stream, await file.read(0, file.size));
}

async function judgeInit(record, run, files) {
  for (const file of files) {
    if (file.size <= IDENTITY_BYTES && toHex(await sha256(await file.read(0, file.size))) === run.init_sha256) return;
  }
  record.findings.add('init-changed', run.place);
}
