/** Verifies records as spec/verify.md says: ledgers, media and trusted roots in, the answer of its section 5 out. */

import { writeAnswer } from './answer.js';
import { judgeDates } from './dates.js';
import { findForks } from './forks.js';
import { judgeLedger } from './ledger.js';
import { isBeginning, readLines, readNames } from './ledgerfile.js';
import { reportAlone, reportUnnamed } from './loose.js';
import { changedOrSwapped, segmentJudge } from './media.js';
import { judgePruned } from './pruned.js';
import { newRecord } from './record.js';
import { Misuse } from './refusal.js';
import { mediaIndex, sortSources } from './sources.js';
import { sha256, toHex } from './encoding.js';
import { readTrust } from './trust.js';

const IDENTITY_BYTES = 65_536;

/**
 * The answer on all that was `given`: an array of `{path, folder, files}`, `files` being `{path, size, read(from, to)}`
 * with bytes out (a File of a browser, or of Node). `trust` and `crl` are PEM files (bytes). Media are read one after
 * the other, and none is kept. `progress(done, total)` is told how many named segments were looked at.
 * Throws Misuse where there is nothing to verify, or a PEM file holds nothing.
 */
export async function verify({ given, trust = [], crl = [], progress = () => {} }) {
  const trusted = readTrust([...trust, ...crl]);
  const sources = await sortSources(given);
  const media = await mediaIndex(sources);
  if (sources.ledgers.length === 0) {
    const records = await reportAlone(sources, media);
    if (records.length === 0) throw new Misuse('No ledger and no segment is here.');
    return writeAnswer(records);
  }
  const records = [];
  for (const ledgers of await units(sources.ledgers)) {
    records.push(await verifyUnit(ledgers, trusted, sources, media, progress));
  }
  records.push(...(await reportUnnamed(records, sources, media)));
  return writeAnswer(records);
}

/** The ledgers of each unit, the longest first, without those that are the beginning of another. */
async function units(ledgers) {
  const found = new Map();
  for (const file of ledgers) {
    const names = await readNames(file);
    const key = names === null ? file.path : JSON.stringify(names);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(file);
  }
  const branches = [];
  for (const files of found.values()) {
    const kept = [];
    for (const file of files.sort((one, two) => two.size - one.size)) {
      let isNew = true;
      for (const other of kept) isNew &&= !(await isBeginning(other, file));
      if (isNew) kept.push(file);
    }
    branches.push(kept);
  }
  return branches;
}

async function verifyUnit(ledgers, trust, sources, media, progress) {
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
  await judgePruned(record, trust, sources.whole);
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
  for (const [key, run] of record.runs) {
    const files = media.init(key, run);
    if (files.length === 0 && !sources.whole) unchecked = true;
    else await judgeInit(record, run, files);
  }
  for (const piece of record.pieces.values()) {
    if (piece.boot_id === null) continue; // of a session that no start enrolled
    const files = media.segment(piece);
    piece.state = files.length === 0 ? 'absent' : 'here';
    if (files.length === 0 && !sources.whole) unchecked = true;
    const run = record.runs.get(`${piece.session}/${piece.camera}/${piece.run}`) ?? null;
    const faults = await firstGood(files, (file) => judgeFile(judge, piece, run, file));
    if (faults.length > 0) piece.state = 'damaged';
    for (const [code, detail] of faults) record.findings.add(code, piece.place, detail);
    done += 1;
    progress(done, record.pieces.size);
  }
  if (unchecked) record.findings.add('media-unchecked');
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

async function judgeFile(judge, piece, run, file) {
  // A file of another size is not read as a whole: its beginning says whose it is.
  if (file.size !== piece.size) return [changedOrSwapped(piece, await file.read(0, Math.min(file.size, IDENTITY_BYTES)))];
  return judge(piece, run, await file.read(0, file.size));
}

async function judgeInit(record, run, files) {
  if (files.length === 0) {
    record.findings.add('init-missing', run.place);
    return;
  }
  for (const file of files) {
    if (file.size <= IDENTITY_BYTES && toHex(await sha256(await file.read(0, file.size))) === run.init_sha256) return;
  }
  record.findings.add('init-changed', run.place);
}
