/**
 * Proves segments of one unit against its ledger: whose lines they are, that the lines follow each other, and that the
 * bytes are those that were signed. Nothing that a list says is believed.
 */

import { openSession, segmentChecker } from '../verifier/checker.js';
import { sha256, toHex, toUtf8 } from '../verifier/encoding.js';
import { unseal } from '../verifier/jws.js';
import { verifies } from '../verifier/keys.js';
import { lineHash, readPayload } from '../verifier/lines.js';
import { Misuse, Refusal } from '../verifier/refusal.js';
import { BLOCK, MAX_LINES, NoProof, ledgerLines, load } from './ledgerlines.js';

const KEPT_SESSIONS = 16;
const KEPT_BLOCKS = 32;
/** A `recovered` line follows the `start` line of its session closely: a run's segments, and a gap for each camera. */
const MOST_BLOCKS_BACK = 4;
/** The list's date and the line's own clock may differ by this much before the seal says so. */
const DATE_SLACK_MS = 60_000;
const PEM = '-----BEGIN ';

/**
 * What checks the segments of `unit`; several cameras share it. `expected` is `{station, unit}` and, where the page
 * says so, `election`. `get(address)` resolves to bytes or throws NoProof.
 */
export function unitProofs(expected, get = load) {
  const ledger = ledgerLines(expected.station, expected.unit, get);
  const sessions = new Map();
  const newestOf = new Map(); // by camera: the newest line to which its live list was followed
  const followed = new Map(); // the last line of each block whose chain checks
  let trusted = null;

  const trust = () => {
    trusted ??= readTrustFiles(get).catch((error) => {
      trusted = null;
      throw error;
    });
    return trusted;
  };

  const open = async (branch, seq) => {
    const [[start], { roots, lists }] = await Promise.all([ledger.range(branch, seq, seq), trust()]);
    const session = await openSession({ start, trust: [roots], crl: lists, expected });
    if (session.start.seq !== seq) throw new Refusal('line-reordered', `line ${session.start.seq} in place of ${seq}`);
    return { session, checker: segmentChecker(session) };
  };

  const sessionOf = (branch, seq) => {
    const key = `${branch}/${seq}`;
    if (!sessions.has(key)) {
      if (sessions.size >= KEPT_SESSIONS) sessions.delete(sessions.keys().next().value);
      const opened = open(branch, seq);
      sessions.set(key, opened);
      opened.catch(() => sessions.delete(key));
    }
    return sessions.get(key);
  };

  const runOf = async ({ branch, run, start }) => {
    const [{ session }, [text]] = await Promise.all([sessionOf(branch, start), ledger.range(branch, run, run)]);
    const token = unseal(toUtf8(text));
    const line = readPayload(token.payload);
    if (token.kid !== session.kid) throw new Refusal('key-unknown', 'the run is not signed by this session');
    if (!(await verifies(session.key, token.signed, token.signature))) throw new Refusal('signature-wrong', '');
    if (line.kind !== 'run' || line.seq !== run) throw new Refusal('run-unknown', `line ${line.seq}, ${line.kind}`);
    return { text, body: line.body };
  };

  /** The line of `tag` and the one before it, the way to it followed from the entry before (its tag, or null) on. */
  const linesLive = async ({ branch, seq }, after, camera) => {
    const isClose = after !== null && after.branch === branch && after.seq < seq && seq - after.seq <= MAX_LINES;
    const from = isClose ? after.seq + 1 : seq;
    const lines = await ledger.range(branch, from, seq);
    const last = newestOf.get(camera);
    const before = last?.branch === branch && last.seq === from - 1 ? last.text : null;
    await follow(lines, from, before);
    newestOf.set(camera, { branch, seq, text: lines[lines.length - 1] });
    return { line: lines[lines.length - 1], before: lines.length > 1 ? lines[lines.length - 2] : before };
  };

  /** The block that holds `seq`, its chain followed once. */
  const blockOf = async (branch, seq, newest) => {
    const { from, lines } = await ledger.block(branch, seq, newest);
    const [key, end] = [`${branch}/${from}+${lines.length}`, lines[lines.length - 1]];
    const earlier = followed.get(`${branch}/${from - BLOCK}+${BLOCK}`) ?? null;
    if (followed.get(key) !== end) {
      await follow(lines, from, earlier);
      if (followed.size >= KEPT_BLOCKS) followed.delete(followed.keys().next().value);
      followed.set(key, end);
    }
    return { from, lines, earlier };
  };

  const linesReplayed = async ({ branch, seq }, newest) => {
    const { from, lines, earlier } = await blockOf(branch, seq, newest);
    return { line: lines[seq - from], before: seq > from ? lines[seq - from - 1] : earlier };
  };

  /** The session that signed a `recovered` line: that of the `start` line before it, a few lines back. */
  const finderOf = async (branch, seq) => {
    for (let at = seq, left = MOST_BLOCKS_BACK; at >= 0 && left > 0; left -= 1) {
      const { from, lines } = await blockOf(branch, at, seq);
      const found = lines.slice(0, at - from + 1).findLastIndex((text) => kindOf(text) === 'start');
      if (found >= 0) return (await sessionOf(branch, from + found)).session;
      at = from - 1;
    }
    throw new Refusal('recovered-not-contiguous', 'no session found it');
  };

  return {
    /** The digest of an init segment's bytes, if the run of `tag` names it. Throws Refusal or NoProof. */
    async init(tag, data) {
      const { body } = await runOf(tag);
      const digest = toHex(await sha256(data));
      if (digest !== body.init_sha256) throw new Refusal('init-mismatch', '');
      return digest;
    },

    /**
     * Checks one entry of a list. `camera` is whose list it is; `after` the tag of the entry before it, or null
     * (live); `newest` the highest `seq` of that branch in the list (replay); `init` the digest that `init` returned,
     * or a promise of it; `dateMs` the list's date, null where it has none. Resolves to `{segment,
     * isDated, isOpen}`: whether the signed clock agrees with the date, and whether it leaves open that the
     * certificate was valid. Throws Refusal (red) or NoProof.
     */
    async segment({ tag, after, newest, isLive, camera, data, init, dateMs }) {
      const [{ checker }, run, { line, before }] = await Promise.all([
        sessionOf(tag.branch, tag.start),
        runOf(tag),
        isLive ? linesLive(tag, after, camera) : linesReplayed(tag, newest),
      ]);
      const finder = kindOf(line) === 'recovered' ? await finderOf(tag.branch, tag.seq) : null;
      const given = { line, data, run: run.text, before, finder };
      const { isGood, code, detail, open, segment } = await checker.check(given);
      if (!isGood) throw new Refusal(code, detail);
      if (segment.seq !== tag.seq) throw new Refusal('line-reordered', `line ${segment.seq} in place of ${tag.seq}`);
      if (segment.camera !== camera) throw new Refusal('media-swapped', `it is of ${segment.camera}`);
      if ((await init) !== run.body.init_sha256) throw new Refusal('init-mismatch', '');
      return { segment, isDated: isDated(tag.date, dateMs, segment), isOpen: open !== null };
    },
  };
}

async function readTrustFiles(get) {
  const roots = await get('/trust.pem');
  const lists = await get('/revoked.pem').catch((error) => {
    if (error instanceof NoProof && error.status === 404) return new Uint8Array();
    throw error;
  });
  // An archive without a revocation list says so with an empty file.
  const hasLists = new TextDecoder().decode(lists).includes(PEM);
  return { roots, lists: hasLists ? [lists] : [] };
}

/** Follows the chain through `lines`, the first of which is number `from` and follows `before`, where that is known. */
async function follow(lines, from, before) {
  let earlier = before;
  for (const [n, text] of lines.entries()) {
    const { seq, prev } = readPayload(unseal(toUtf8(text)).payload);
    if (seq !== from + n) throw new Refusal('line-reordered', `line ${seq} in place of ${from + n}`);
    const isNext = earlier === null || prev === (await lineHash(toUtf8(earlier)));
    if (!isNext) throw new Refusal('prev-mismatch', `line ${seq}`);
    earlier = text;
  }
}

/** The kind of a line, whoever signed it. */
function kindOf(text) {
  return readPayload(unseal(toUtf8(text)).payload).kind;
}

/**
 * Whether the list's date agrees with the signed clock, as far as both say anything: with boot time where it counts
 * that, else with the interval of UTC, also where it claims to know no better than the arrival.
 */
function isDated(kind, dateMs, { from_ns, utc_us }) {
  if (dateMs === null) return true;
  if (kind === 'BOOT') return Math.abs(dateMs - Number(from_ns) / 1e6) <= DATE_SLACK_MS;
  if (utc_us === null) return true;
  const [least, most] = utc_us;
  return dateMs >= least / 1000 - DATE_SLACK_MS && dateMs <= most / 1000 + DATE_SLACK_MS;
}

/** What an error of a check says: `{code, detail}`. Anything else is a bug, and thrown. */
export function reasonOf(error) {
  if (error instanceof Refusal) return { code: error.code, detail: error.message };
  if (error instanceof NoProof) return { code: 'proof-missing', detail: error.message };
  if (error instanceof Misuse) return { code: 'no-trust', detail: error.message };
  throw error;
}
