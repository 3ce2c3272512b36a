/** Lines of one unit's ledger, from the addresses that all viewers share, so that a cache carries them. */

import { linesOf } from '../verifier/checker.js';

/** What the archive hands out at once. */
export const MAX_LINES = 256;
/** Replay asks for whole blocks. */
export const BLOCK = 64;
const MAX_BYTES = MAX_LINES * 65_536;
const KEPT_RANGES = 32;
const DEADLINE_MS = 20_000;

/**
 * A proof could not be had: nothing is known of what it was to prove. `status` is that of the answer, 0 where none
 * came. `isPassing`: it may come when asked again, so this says nothing about whoever serves it.
 */
export class NoProof extends Error {
  constructor(message, status) {
    super(message);
    this.name = 'NoProof';
    this.status = status;
    this.isPassing = status === 0 || status === 429 || status >= 500;
  }
}

/** The bytes at an address of this site. Throws NoProof. */
export async function load(address) {
  try {
    const answer = await fetch(address, { credentials: 'omit', signal: AbortSignal.timeout?.(DEADLINE_MS) });
    if (!answer.ok) throw new NoProof(`${address}: ${answer.status}`, answer.status);
    const length = Number(answer.headers.get('Content-Length') ?? 0);
    if (length > MAX_BYTES) throw new NoProof(`${address}: ${length} bytes`, answer.status);
    return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    throw error instanceof NoProof ? error : new NoProof(`${address}: ${error.message}`, 0);
  }
}

/** The ledger of a unit: texts without LF. Throws NoProof. */
export function ledgerLines(station, unit, get = load) {
  const kept = new Map();
  const ask = async (branch, from, to) => {
    const lines = linesOf(await get(`/ledger/${station}/${unit}/${branch}/${from}-${to}.jws`));
    if (lines.length !== to - from + 1) throw new NoProof(`lines ${from} to ${to}: ${lines.length} came`, 200);
    return lines;
  };
  const range = (branch, from, to) => {
    const key = `${branch}/${from}-${to}`;
    const lines = kept.get(key) ?? ask(branch, from, to);
    kept.delete(key); // to the end of the map: the one unused for the longest goes first
    kept.set(key, lines);
    lines.catch(() => kept.delete(key)); // what failed is asked for again
    if (kept.size > KEPT_RANGES) kept.delete(kept.keys().next().value);
    return lines;
  };
  return {
    range,
    /** `{from, lines}`: the aligned block that holds `seq`, up to `newest`, a line that is known to be there. */
    async block(branch, seq, newest) {
      const from = seq - (seq % BLOCK);
      return { from, lines: await range(branch, from, Math.max(seq, Math.min(from + BLOCK - 1, newest))) };
    },
  };
}
