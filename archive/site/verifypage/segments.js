/** Single segment files against the lines that name them: genuine, altered, unknown, or something does not check. */

import { openSession, segmentChecker } from '../verifier/checker.js';
import { sha256, toHex } from '../verifier/encoding.js';
import { peekIdentity } from '../verifier/media.js';
import { Refusal } from '../verifier/refusal.js';
import { findProofs, placeOf } from './proofs.js';

/** What is wrong with the bytes themselves; any other code is about lines and keys. */
const OF_THE_BYTES = new Set([
  'media-changed', 'media-swapped', 'media-malformed', 'media-mismatch', 'identity-mismatch', 'init-mismatch',
  'test-as-live',
]);

/**
 * Checks `files` (`{path, size, read(from, to)}`, each with an identity) one after the other. `ledgers` are those that
 * were given; `ask(identity, sha256)` finds a proof elsewhere and resolves to `{proof, isKnown}`, or is null. `trust`
 * are PEM files, roots and revocation lists. Yields for each file `{path, size, sha256, identity, verdict, reason, code,
 * detail, open, segment, recorded, seq}`: `verdict` is `genuine`, `altered`, `wrong` or `unknown`, `reason` why it is
 * unknown: `no-trust`, `needs-ledger`, `no-unit`, `not-named`. `recorded` is the body of the line that names the place.
 */
export async function* checkSegments(files, { ledgers, ask, trust }) {
  const wanted = { digests: new Set(), places: new Set() };
  const looked = [];
  for (const file of files) {
    const data = await file.read(0, file.size);
    const [digest, identity] = [toHex(await sha256(data)), peekIdentity(data)];
    looked.push({ file, digest, identity });
    wanted.digests.add(digest);
    wanted.places.add(placeOf(identity));
  }
  const found = [];
  for (const ledger of ledgers) found.push(await findProofs(ledger, wanted));
  const sessions = sessionCache(trust);
  for (const { file, digest, identity } of looked) {
    const seen = { path: file.path, size: file.size, sha256: digest, identity };
    let proof = pick(found.map(({ byDigest }) => byDigest.get(digest)));
    proof ??= pick(found.map(({ byPlace }) => byPlace.get(placeOf(identity))));
    let isKnown = found.length > 0;
    if (proof === null && ask !== null) ({ proof, isKnown } = await ask(identity, digest));
    const reason = isKnown ? 'not-named' : ask === null ? 'needs-ledger' : 'no-unit';
    if (proof === null) yield { ...seen, ...unknown(reason) };
    else yield { ...seen, ...(await judge(proof, await file.read(0, file.size), sessions)) };
  }
}

function pick(proofs) {
  return proofs.find((proof) => proof !== undefined) ?? null;
}

function unknown(reason) {
  return { verdict: 'unknown', reason, code: null, detail: '', open: null, segment: null, recorded: null, seq: null };
}

async function judge(proof, data, sessions) {
  const { line, before, run, start, seq, body: recorded } = proof;
  const wrong = (code, detail) => {
    const verdict = OF_THE_BYTES.has(code) ? 'altered' : 'wrong';
    return { verdict, reason: null, code, detail, open: null, segment: null, recorded, seq };
  };
  if (start === null) return wrong('head-missing', '');
  try {
    const { session, checker } = await sessions(start);
    const finder = proof.finder === null ? null : (await sessions(proof.finder)).session;
    const said = await checker.check({ line, data, run, before, finder });
    if (!said.isGood) return wrong(said.code, said.detail);
    const { election, station, unit } = session;
    const segment = { ...said.segment, election, station, unit };
    return { verdict: 'genuine', reason: null, code: null, detail: '', open: said.open, segment, recorded, seq };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'no-trust') return { ...unknown('no-trust'), recorded, seq };
    return wrong(error.code, error.message);
  }
}

function sessionCache(trust) {
  const opened = new Map();
  return async (start) => {
    if (!opened.has(start)) {
      const session = await openSession({ start, trust });
      opened.set(start, { session, checker: segmentChecker(session) });
    }
    return opened.get(start);
  };
}
