/** Ledger files, read line by line with bounded memory. */

import { join } from './encoding.js';
import { MAX_LINE_BYTES, unseal } from './jws.js';
import { readPayload } from './lines.js';
import { Refusal } from './refusal.js';

const BLOCK_BYTES = 1 << 20;
const LF = 0x0a;
const MAX_UNREADABLE = 65_536;

/**
 * The lines of a file: `{text, torn}`, `text` without its LF; of one that is too long, as much as shows that. `torn` is
 * what follows the last LF. `file` has `size` and `read(from, to)`.
 */
export async function* readLines(file) {
  let rest = new Uint8Array(0);
  let skipping = false;
  for (let at = 0; at < file.size; at += BLOCK_BYTES) {
    const read = await file.read(at, Math.min(at + BLOCK_BYTES, file.size));
    const block = rest.length === 0 ? read : join([rest, read]);
    let from = 0;
    for (let end = block.indexOf(LF); end >= 0; end = block.indexOf(LF, from)) {
      if (!skipping) yield { text: block.slice(from, Math.min(end, from + MAX_LINE_BYTES)), torn: false };
      skipping = false;
      from = end + 1;
    }
    rest = block.slice(from);
    if (rest.length > MAX_LINE_BYTES) {
      if (!skipping) yield { text: rest.slice(0, MAX_LINE_BYTES), torn: false };
      [rest, skipping] = [new Uint8Array(0), true];
    }
  }
  if (rest.length > 0) yield { text: rest, torn: true };
}

/** Election, station and unit of the first `start` that can be read, or null; nothing is checked. */
export async function readNames(file) {
  let unreadable = 0;
  for await (const { text } of readLines(file)) {
    try {
      const { kind, body } = readPayload(unseal(text).payload);
      unreadable = 0;
      if (kind === 'start') return { election: body.election, station: body.station, unit: body.unit };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      unreadable += 1;
      if (unreadable === MAX_UNREADABLE) return null;
    }
  }
  return null;
}

/** Whether `longer` begins with all bytes of `shorter`, which are whole lines. */
export async function isBeginning(longer, shorter) {
  if (shorter.size > longer.size || shorter.size === 0) return false;
  let last = 0;
  for (let at = 0; at < shorter.size; at += BLOCK_BYTES) {
    const end = Math.min(at + BLOCK_BYTES, shorter.size);
    const [one, two] = [await longer.read(at, end), await shorter.read(at, end)];
    if (one.length !== two.length || one.some((byte, place) => byte !== two[place])) return false;
    last = two[two.length - 1];
  }
  return last === LF;
}
