/** Finds the proof of a single segment in the ledgers that the site publishes. */

import { linesOf } from '../verifier/checker.js';
import { toUtf8 } from '../verifier/encoding.js';
import { hoursOf, readEntries } from './hours.js';
import { findProofs, placeOf, readLine } from './proofs.js';
import { Unanswered, blobSource } from './site.js';

const MAX_BRANCHES = 32;

/**
 * `ask(identity, sha256)` for checkSegments: `{proof, isKnown}`. First by the list of its hour, which tells the lines;
 * else by the unit's ledgers as a whole, each fetched once: an altered file, or one that no list holds.
 */
export function archiveProofs(from) {
  const lists = new Map();
  const ledgers = new Map();
  const once = (map, key, make) => {
    if (!map.has(key)) map.set(key, make());
    return map.get(key);
  };
  const entriesOf = (address) => {
    return once(lists, address, async () => readEntries((await from.maybe(from.text(address))) ?? ''));
  };
  const linesFrom = async ({ station, unit }, branch, first, last) => {
    const text = await from.maybe(from.text(`/ledger/${station}/${unit}/${branch}/${first}-${last}.jws`));
    return text === null ? [] : linesOf(text);
  };

  const byList = async (identity, sha256) => {
    for (const address of hoursOf(identity)) {
      const entry = (await entriesOf(address)).find((each) => each.sha256 === sha256);
      if (entry !== undefined) return proofOf(identity, entry);
    }
    return null;
  };

  const proofOf = async (identity, { branch, seq, run, start }) => {
    const [near, [runLine = null], [startLine = null]] = await Promise.all([
      linesFrom(identity, branch, Math.max(0, seq - 1), seq),
      linesFrom(identity, branch, run, run),
      linesFrom(identity, branch, start, start),
    ]);
    const line = near[near.length - 1];
    const read = line === undefined ? null : readLine(toUtf8(line));
    // A `recovered` line takes the start of the session that found it, which no list names.
    if (read?.kind !== 'segment' || read.seq !== seq) return null;
    const before = near.length > 1 ? near[0] : null;
    return { seq, body: read.body, line, before, run: runLine, start: startLine, finder: null };
  };

  const ledgersOf = ({ station, unit }) => {
    return once(ledgers, `${station}/${unit}`, async () => {
      const numbers = await branchesOf(from, station, unit);
      if (numbers === null) return null;
      const addresses = numbers.map((branch) => `/ledger/${station}/${unit}/${branch}.jws`);
      const blobs = await Promise.all(addresses.map((address) => from.blob(address)));
      return blobs.map((blob, at) => blobSource(addresses[at], blob));
    });
  };

  return async (identity, sha256) => {
    const listed = await byList(identity, sha256);
    if (listed !== null) return { proof: listed, isKnown: true };
    const found = await ledgersOf(identity);
    if (found === null) return { proof: null, isKnown: false };
    const place = placeOf(identity);
    const read = [];
    for (const ledger of found) {
      read.push(await findProofs(ledger, { digests: new Set([sha256]), places: new Set([place]) }));
    }
    const named = read.map(({ byDigest }) => byDigest.get(sha256)).find((each) => each !== undefined);
    const claimed = read.map(({ byPlace }) => byPlace.get(place)).find((each) => each !== undefined);
    return { proof: named ?? claimed ?? null, isKnown: true };
  };
}

/** The numbers of a unit's branches, or null where the site knows no such unit. */
export async function branchesOf(from, station, unit) {
  const address = `/ledger/${station}/${unit}/branches.json`;
  const told = await from.maybe(from.json(address));
  if (told === null) return null;
  if (!Array.isArray(told.branches)) throw new Unanswered(address, 0);
  const numbers = told.branches.map((each) => each?.branch);
  return numbers.filter((number) => Number.isSafeInteger(number) && number >= 0).slice(0, MAX_BRANCHES);
}
