/** Verify before play: one segment against its ledger line, in a hash and a signature (spec/verify.md). */

import { judgeSession } from './dates.js';
import { fromUtf8, toUtf8 } from './encoding.js';
import { unseal } from './jws.js';
import { publicKey, thumbprint, verifies } from './keys.js';
import { genesis, lineHash, readPayload } from './lines.js';
import { segmentJudge } from './media.js';
import { Refusal } from './refusal.js';
import { checkChain, readTrust } from './trust.js';
import { utcOfBoots } from './utc.js';

const TIME_UNKNOWN = 'cert-time-unknown';

/**
 * The session that a `start` line (text, without LF) enrols, if its certificates lead to one of the roots in `trust`
 * (PEM files, bytes; `crl` likewise): what `segmentChecker` needs. `expected` may name `{election, station, unit}`.
 * Whether its certificate was valid and not revoked is judged with each segment, by the clock of its line.
 * Throws Refusal with the code of spec/verify.md, section 4, and Misuse where a PEM file holds nothing.
 */
export async function openSession({ start, trust, crl = [], expected = {} }) {
  const token = unseal(toUtf8(start));
  const line = readPayload(token.payload);
  if (line.kind !== 'start') throw new Refusal('head-missing', `a ${line.kind} line enrols no session`);
  const { body } = line;
  const roots = readTrust([...trust, ...crl]);
  if (roots.roots.length === 0) throw new Refusal('no-trust', '');
  const certified = await checkChain(roots, body.certs);
  if (certified.subject.role !== 'unit') throw new Refusal('cert-untrusted', 'the certificate is not that of a unit');
  if (certified.kid !== token.kid) throw new Refusal('key-unknown', "not signed by its certificate's key");
  for (const name of ['election', 'station', 'unit']) {
    if (certified.subject[name] !== body[name]) throw new Refusal(`cert-wrong-${name}`, certified.subject[name]);
    if ((expected[name] ?? body[name]) !== body[name]) throw new Refusal('start-mismatch', body[name]);
  }
  if (!(await verifies(await publicKey(certified.point), token.signed, token.signature))) {
    throw new Refusal('signature-wrong', '');
  }
  if (line.seq === 0 && line.prev !== (await genesis(body))) throw new Refusal('head-missing', '');
  const key = await publicKey(body.session);
  if (key === null) throw new Refusal('payload-malformed', 'session: is not a point of P-256');
  const { election, station, unit, boot_id } = body;
  return { kid: await thumbprint(body.session), key, certified, election, station, unit, boot_id, start: line };
}

/**
 * Checks the segments of one session as they come. `check({line, data, run, before})` resolves to `{isGood, code,
 * detail, open, segment}`: green, or red with a code of spec/verify.md, section 4. `line` is the ledger line of the
 * segment, text without LF; `data` its bytes; `run` the text of its run's line, which lets the init segment and the
 * frame rate be checked; `before` the text of the line before it, where the page has it, for the chain. `open` is
 * `cert-time-unknown` where all is good, but the lines' clock does not tell whether the certificate was valid then: the
 * whole record may. `segment` is the line's body with `kind`, `seq`, `boot_id`, and `utc_us` of its first picture,
 * `[least, most]` by these lines' clock, or null. `session` is the one that recorded; a `recovered` line is signed by
 * the session that found the media after a restart: `finder`, as `openSession` gives it. It throws nothing.
 */
export function segmentChecker(session) {
  const judge = segmentJudge();
  const runs = new Map();
  const readLine = async (text, finder = null) => {
    const token = unseal(toUtf8(text));
    const line = readPayload(token.payload);
    const signer = line.kind === 'recovered' ? finder ?? session : session;
    if (token.kid !== signer.kid) throw new Refusal('key-unknown', 'not signed by this session');
    if (!(await verifies(signer.key, token.signed, token.signature))) throw new Refusal('signature-wrong', '');
    return line;
  };
  const readRun = async (text) => {
    if (!runs.has(text)) {
      const { kind, body } = await readLine(text);
      if (kind !== 'run') throw new Refusal('run-unknown', `a ${kind} line opens no run`);
      runs.clear(); // one is enough
      runs.set(text, body);
    }
    return runs.get(text);
  };
  const check = async ({ line: text, data, run = null, before = null, finder = null }) => {
    const line = await readLine(text, finder);
    const { kind, body } = line;
    const isNamed = kind === 'segment' || (kind === 'recovered' && finder !== null);
    if (!isNamed) throw new Refusal('media-unnamed', `a ${kind} line names no segment`);
    if (kind === 'recovered') requireFound(body, session, finder);
    if (body.from_ns < session.start.boot_ns) throw new Refusal('time-backwards', 'it begins before its session');
    if (before !== null && line.prev !== (await lineHash(toUtf8(before)))) throw new Refusal('prev-mismatch', '');
    const stream = run === null ? null : await readRun(run);
    const isItsRun = stream === null || (stream.camera === body.camera && stream.run === body.run);
    if (!isItsRun) throw new Refusal('run-unknown', `run ${body.run} of ${body.camera}`);
    const { election, station, unit, boot_id, kid } = session;
    const [fault] = await judge({ ...body, election, station, unit, boot_id, session: kid }, stream, data);
    if (fault !== undefined) throw new Refusal(...fault);
    const isFound = kind === 'recovered';
    const ownLine = !isFound || finder.boot_id === boot_id ? line : session.start;
    const codes = [judgeClock(session, ownLine), isFound ? judgeClock(finder, line) : null];
    const wrong = codes.find((code) => code !== null && code !== TIME_UNKNOWN);
    if (wrong !== undefined) throw new Refusal(wrong, '');
    const open = codes.includes(TIME_UNKNOWN) ? TIME_UNKNOWN : null;
    const [least, most] = utcOf(session, ownLine)(body.from_ns);
    const utc_us = Number.isFinite(least) ? [least, most] : null;
    return { isGood: true, code: null, detail: '', open, segment: { ...body, kind, seq: line.seq, boot_id, utc_us } };
  };
  return {
    async check(segment) {
      try {
        return await check(segment);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { isGood: false, code: error.code, detail: error.message, open: null, segment: null };
      }
    },
  };
}

/** Media found after a restart are those of an earlier session of the same unit. */
function requireFound(body, session, finder) {
  const isOfUnit = ['election', 'station', 'unit'].every((name) => session[name] === finder[name]);
  const isEarlier = body.session === session.kid && finder.start.seq > session.start.seq;
  if (!isOfUnit || !isEarlier) throw new Refusal('recovered-not-contiguous', 'no earlier session recorded it');
}

/** Whether the session's certificate was good from its start to this line; a code, or null. */
function judgeClock(session, line) {
  const utc = utcOf(session, line);
  return judgeSession(session.certified, utc(session.start.boot_ns), utc(line.boot_ns));
}

/** UTC of a boot time of the session's boot, as its start and this line tell it: `[least, most]` microseconds. */
function utcOf({ boot_id, start }, line) {
  const known = utcOfBoots();
  for (const stamp of [start, line]) known.observe(boot_id, stamp, false);
  return (boot_ns) => known.at(boot_id, boot_ns) ?? [-Infinity, Infinity];
}

/** The lines of a ledger's text, without LF; what follows the last LF is left out. `data` is text or bytes. */
export function linesOf(data) {
  const text = typeof data === 'string' ? data : fromUtf8(data) ?? '';
  return text.split('\n').slice(0, -1);
}
