/** Steps 1 to 3 of spec/verify.md: a line read, by whom it is signed, and whether that key may. */

import { fromBase64url } from './encoding.js';
import { parseObject } from './json.js';
import { unseal } from './jws.js';
import { publicKey, thumbprint, verifies } from './keys.js';
import { lineHash, readPayload } from './lines.js';
import { Refusal } from './refusal.js';
import { checkChain } from './trust.js';

/**
 * The keys of one ledger. `open(text)` begins what takes cryptography, for many lines at a time; `judge(opened)` says
 * in their order what each is worth.
 */
export function keyring(trust, record, several) {
  const keys = new Map();
  const enrolled = new Map();
  const covered = new Set();
  let session = null;
  let startSeen = false;
  let unreadable = false;

  const openStart = async (opened, token) => {
    const { body } = opened.line;
    const [kid, key] = [await thumbprint(body.session), await publicKey(body.session)];
    opened.session = kid;
    if (!keys.has(kid)) keys.set(kid, key);
    if (key === null) {
      opened.refusal = new Refusal('payload-malformed', 'session: is not a point of P-256');
      return;
    }
    try {
      opened.certified = await checkChain(trust, body.certs);
      opened.good = await verifies(await publicKey(opened.certified.point), token.signed, token.signature);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      opened.chainRefusal = error;
    }
  };

  const judgeStart = ({ line, kid, session: sessionKid, certified, chainRefusal, good }) => {
    const { body } = line;
    if (chainRefusal) return chainRefusal;
    if (certified.kid !== kid) return new Refusal('key-unknown', "the line is not signed by its certificate's key");
    const { election, role, station, unit } = certified.subject;
    if (role !== 'unit') return new Refusal('cert-untrusted', `the certificate is that of ${role}, not of a unit`);
    if (election !== body.election) return new Refusal('cert-wrong-election', `it is for ${election}`);
    if (station !== body.station) return new Refusal('cert-wrong-station', `it is for ${station}`);
    if (unit !== body.unit) return new Refusal('cert-wrong-unit', `it is for ${unit}`);
    const names = record.names;
    if (names.election !== body.election || names.station !== body.station || names.unit !== body.unit) {
      return new Refusal('start-mismatch', `it names ${body.election} ${body.station} ${body.unit}`);
    }
    if (enrolled.has(sessionKid)) return new Refusal('key-stale', 'the session key of an earlier start');
    return good ? null : new Refusal('signature-wrong', '');
  };

  return {
    /**
     * `{text, digest, line, kid, refusal, claim, good, session, certified, ready}`: `refusal` is that of step 1, `claim`
     * the `seq` that even a refused line names, or null. All of it counts once `ready` is done. Call it for lines in
     * their order, and wait for a `start` before the next: it brings the key of those that follow.
     */
    open(text) {
      const opened = { text, digest: '', line: null, kid: null, refusal: null, claim: null, good: false };
      const work = [lineHash(text).then((digest) => Object.assign(opened, { digest }))];
      try {
        const token = unseal(text);
        opened.kid = token.kid;
        opened.line = readPayload(token.payload);
        opened.claim = opened.line.seq;
        // What two lines of one place say is compared where there are several ledgers only.
        if (several) work.push(lineHash(token.signed).then((said) => Object.assign(opened, { said })));
        if (opened.line.kind === 'start') {
          work.push(openStart(opened, token));
        } else if (keys.has(token.kid)) {
          work.push(verifies(keys.get(token.kid), token.signed, token.signature).then((good) => Object.assign(opened, { good })));
        }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        opened.refusal = error;
        opened.claim = claimOf(text);
      }
      opened.ready = Promise.all(work);
      return opened;
    },
    /**
     * What steps 1 to 3 say, in ledger order: `{refusal, counts}`. A line that does not count and has no refusal is
     * covered by another finding (section 2.1). A `start` that counts begins a session.
     */
    judge(opened) {
      const { line, kid, refusal } = opened;
      if (refusal !== null) {
        unreadable = true;
        return { refusal, counts: false };
      }
      if (line.kind === 'start') {
        startSeen = true;
        record.names ??= { election: line.body.election, station: line.body.station, unit: line.body.unit };
        const wrong = judgeStart(opened);
        if (wrong !== null) {
          if (!enrolled.has(opened.session)) covered.add(opened.session);
          return { refusal: wrong, counts: false };
        }
        session = { kid: opened.session, start: line, boot_id: line.body.boot_id, certified: opened.certified };
        enrolled.set(session.kid, session);
        unreadable = false;
        return { refusal: null, counts: true };
      }
      if (session?.kid === kid) {
        if (!opened.good) return { refusal: new Refusal('signature-wrong', ''), counts: false };
        unreadable = false;
        return { refusal: null, counts: true };
      }
      if (!startSeen && !unreadable) return { refusal: null, counts: false, headless: true };
      if (covered.has(kid)) return { refusal: null, counts: false };
      if (enrolled.has(kid)) return { refusal: new Refusal('key-stale', ''), counts: false };
      if (unreadable) {
        covered.add(kid);
        return { refusal: null, counts: false };
      }
      return { refusal: new Refusal('key-unknown', ''), counts: false };
    },
    /** The session that the next line belongs to, or null. */
    session: () => session,
    /** The session of this name that an earlier `start` enrolled, or undefined. */
    sessionOf: (kid) => enrolled.get(kid),
    sessions: () => [...enrolled.values()],
  };
}

/** The `seq` that a line claims which cannot be read as a whole; null where it claims none. */
function claimOf(text) {
  const first = text.indexOf(0x2e);
  const second = text.indexOf(0x2e, first + 1);
  const payload = first < 0 || text.length > 65_536 ? null : fromBase64url(text, first + 1, second < 0 ? text.length : second);
  try {
    const { seq } = payload === null ? {} : parseObject(payload);
    return Number.isInteger(seq) && seq >= 0 ? seq : null;
  } catch {
    return null;
  }
}
