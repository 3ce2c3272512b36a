/** Where a ledger names media files: the lines that prove each of them. Nothing is checked here but their form. */

import { fromUtf8 } from '../verifier/encoding.js';
import { unseal } from '../verifier/jws.js';
import { thumbprint } from '../verifier/keys.js';
import { readLines } from '../verifier/ledgerfile.js';
import { readPayload } from '../verifier/lines.js';
import { runKey, segmentName } from '../verifier/record.js';
import { Refusal } from '../verifier/refusal.js';

/** The place that an identity or a line's body claims in its session. */
export function placeOf({ session, camera, run, index }) {
  return `${runKey(session, camera, run)}/${segmentName(index)}`;
}

/**
 * Reads `ledger` (`{size, read(from, to)}`) once and looks for files: `digests` and `places` are sets. Resolves to
 * `{byDigest, byPlace}`, maps to the first line that names each: `{seq, body, line, before, run, start, finder}`, texts
 * without LF; `before`, `run` and `start` null where the ledger has none, `finder` the start of the session that signed
 * a `recovered` line, else null.
 */
export async function findProofs(ledger, { digests, places }) {
  const [byDigest, byPlace, starts, runs] = [new Map(), new Map(), new Map(), new Map()];
  let before = null;
  for await (const { text, torn } of readLines(ledger)) {
    if (torn) break;
    const read = readLine(text);
    const line = fromUtf8(text);
    if (read?.kind === 'start') starts.set(await thumbprint(read.body.session), line);
    if (read?.kind === 'run') runs.set(runKey(read.kid, read.body.camera, read.body.run), line);
    if (read?.kind === 'segment' || read?.kind === 'recovered') {
      const { seq, kind, kid, body } = read;
      const place = placeOf({ session: kid, ...body });
      if (digests.has(body.sha256) || places.has(place)) {
        const session = body.session ?? kid;
        const run = runs.get(runKey(session, body.camera, body.run)) ?? null;
        const finder = kind === 'recovered' ? starts.get(kid) ?? null : null;
        const proof = { seq, body, line, before, run, start: starts.get(session) ?? null, finder };
        if (!byDigest.has(body.sha256)) byDigest.set(body.sha256, proof);
        if (!byPlace.has(place)) byPlace.set(place, proof);
      }
    }
    before = line;
  }
  return { byDigest, byPlace };
}

/** `{kid, seq, kind, body}` of a line, or null where it cannot be read. */
export function readLine(text) {
  try {
    const { kid, payload } = unseal(text);
    const { seq, kind, body } = readPayload(payload);
    return { kid, seq, kind, body };
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
