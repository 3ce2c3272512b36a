/** Steps 1 to 3 of spec/verify.md: a line read, by whom it is signed, and whether that key may. */

import { unseal } from './jws.js';
import { publicKey, thumbprint, verifies } from './keys.js';
import { lineHash, readPayload } from './lines.js';
import { Refusal } from './refusal.js';
import { checkChain } from './trust.js';

/**
 * The keys of one ledger. `open(text)` begins what takes cryptography, for many lines at a time; `judge(opened)` says
 * in their order what each is worth.
 */
export function keyring(trust, several) {
  const keys = new Map();
  const enrolled = new Map();
  const covered = new Set();
  let current = null;
  /** The first `start` that could be read, and the first that counts. */
  let [claimed, first] = [null, null];
  /** A line was refused unread since the last good one. */
  let unread = false;

  const openStart = async (opened, token) => {
    const { body } = opened.line;
    const [kid, key] = [await thumbprint(body.session), await publicKey(body.session)];
    opened.session = kid;
    if (!keys.has(kid)) keys.set(kid, key);
    opened.isPoint = key !== null;
    try {
      opened.certified = await checkChain(trust, body.certs);
      opened.good = await verifies(await publicKey(opened.certified.point), token.signed, token.signature);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      opened.chainRefusal = error;
    }
  };

  const judgeStart = ({ line, kid, session: sessionKid, certified, chainRefusal, good, digest, isPoint }) => {
    const { body } = line;
    if (chainRefusal) return chainRefusal;
    if (certified.kid !== kid) return new Refusal('key-unknown', "the line is not signed by its certificate's key");
    const { election, role, station, unit } = certified.subject;
    if (role !== 'unit') return new Refusal('cert-untrusted', `the certificate is that of ${role}, not of a unit`);
    if (election !== body.election) return new Refusal('cert-wrong-election', `it is for ${election}`);
    if (station !== body.station) return new Refusal('cert-wrong-station', `it is for ${station}`);
    if (unit !== body.unit) return new Refusal('cert-wrong-unit', `it is for ${unit}`);
    const names = first ?? body;
    if (names.election !== body.election || names.station !== body.station || names.unit !== body.unit) {
      return new Refusal('start-mismatch', `it names ${body.election} ${body.station} ${body.unit}`);
    }
    if (!good) return new Refusal('signature-wrong', '');
    if (!isPoint) return new Refusal('payload-malformed', 'session: is not a point of P-256');
    const before = enrolled.get(sessionKid);
    if (before === undefined || before.digest === digest) return null;
    return new Refusal('key-stale', 'it enrols the key of an earlier start');
  };

  const judgeNext = (opened) => {
    const { body } = opened.line;
    claimed ??= body;
    const wrong = judgeStart(opened);
    if (wrong !== null) {
      if (!enrolled.has(opened.session)) covered.add(opened.session);
      return { refusal: wrong, session: null };
    }
    first ??= body;
    unread = false;
    const known = enrolled.get(opened.session);
    if (known !== undefined) return { refusal: null, session: known }; // the very same line once more
    const { digest, session: kid, certified, line: start } = opened;
    current = { kid, digest, start, boot_id: body.boot_id, certified, last: null };
    enrolled.set(kid, current);
    return { refusal: null, session: current };
  };

  /** The refusal of a key that is not the session's; null where another finding covers the line. */
  const judgeStranger = (kid) => {
    if (enrolled.has(kid)) return new Refusal('key-stale', '');
    if (covered.has(kid)) return null;
    if (unread) {
      // What could not be read may have been the start.
      unread = false;
      covered.add(kid);
      return null;
    }
    return claimed === null ? null : new Refusal('key-unknown', '');
  };

  return {
    /**
     * `{text, digest, line, kid, refusal, good, session, certified, ready}`: `refusal` is that of step 1, or null. All
     * of it counts once `ready` is done. Call it for lines in their order, and wait for a `start` before the next: it
     * brings the key of those that follow.
     */
    open(text) {
      const opened = { text, digest: '', line: null, kid: null, refusal: null, good: false };
      const work = [lineHash(text).then((digest) => Object.assign(opened, { digest }))];
      try {
        const token = unseal(text);
        opened.kid = token.kid;
        opened.line = readPayload(token.payload);
        // What two lines of one place say is compared where there are several ledgers only.
        if (several) work.push(lineHash(token.signed).then((said) => Object.assign(opened, { said })));
        if (opened.line.kind === 'start') {
          work.push(openStart(opened, token));
        } else if (keys.has(token.kid)) {
          const check = verifies(keys.get(token.kid), token.signed, token.signature);
          work.push(check.then((good) => Object.assign(opened, { good })));
        }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        opened.refusal = error;
      }
      opened.ready = Promise.all(work);
      return opened;
    },
    /**
     * What steps 1 to 3 say, in ledger order: `{refusal, session}`. A line without a session does not count; without a
     * refusal, another finding covers it (section 2.1). A `start` that counts begins a session.
     */
    judge(opened) {
      const { line, kid, refusal } = opened;
      if (refusal !== null) {
        unread = true;
        return { refusal, session: null };
      }
      if (line.kind === 'start') return judgeNext(opened);
      if (current?.kid === kid) {
        unread = false;
        if (opened.good) return { refusal: null, session: current };
        return { refusal: new Refusal('signature-wrong', ''), session: null };
      }
      return { refusal: judgeStranger(kid), session: null };
    },
    /** The session of this name that an earlier `start` enrolled, or undefined. */
    sessionOf: (kid) => enrolled.get(kid),
    /** The names of the first `start` that could be read, whether or not it was refused; or null. */
    names: () => claimed,
  };
}
