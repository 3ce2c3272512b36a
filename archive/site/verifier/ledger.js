/** One ledger, line by line, in order (spec/verify.md, section 2): what each line is worth, and what it adds to a record. */

import { arming } from './arming.js';
import { chainOfLines } from './chain.js';
import { continuity } from './continuity.js';
import { readProfile } from './documents.js';
import { keyring } from './keyring.js';
import { clockState, genesis } from './lines.js';
import { runKey, segmentName } from './record.js';
import { Refusal } from './refusal.js';
import { timing } from './timing.js';

const LINES_PER_BATCH = 256;
const MAX_UNREADABLE = 65_536;

/**
 * Judges the lines that `lines` gives (`{text, torn}`, in batches) and adds what they say to `record`. Lines that an
 * earlier branch holds, too, are not told again. From `untilSeq` on only steps 1 to 4 are judged (step 10).
 * `several` says that there are other branches. Resolves to `{closed, good, history}`; `history` maps each `seq` of a good
 * line to what forks are judged by.
 */
export async function judgeLedger(lines, record, trust, { untilSeq = Infinity, several = false } = {}) {
  const ring = keyring(trust, record, several);
  const chain = chainOfLines();
  const history = new Map();
  const branch = { named: new Map() };
  let current = { place: {}, isNew: true };
  let [closed, headless, refusals, unreadable] = [false, false, 0, 0];

  const report = (code, detail = '', camera) => {
    const key = `${code} ${camera} ${current.digest ?? ''}`;
    if (record.reported.has(key)) return;
    record.reported.add(key);
    record.findings.add(code, camera === undefined ? current.place : { ...current.place, camera }, detail);
  };
  const time = timing((code, detail) => report(code, detail), record.utc);
  const modes = arming((code, detail) => report(code, detail));
  const coverage = continuity((code, camera, detail) => report(code, detail, camera));

  const forget = () => {
    time.forget();
    modes.forget();
    coverage.forget();
  };

  const refuse = (opened, refusal) => {
    refusals += 1;
    record.damaged = true;
    chain.refused(opened.claim);
    if (refusal !== null) report(refusal.code, refusal.message);
    forget();
  };

  const judgePlace = async (opened) => {
    const { line, digest } = opened;
    if (chain.head() === null) {
      const whole = chain.begin(line, digest);
      if (headless) return 'next'; // told already
      const first = line.seq === 0 && line.kind === 'start' && line.prev === (await genesis(record.names));
      if (!whole || (line.seq === 0 && !first)) {
        report('head-missing');
        forget();
      }
      return 'next';
    }
    const { at, prevWrong } = chain.place(line, digest);
    if (prevWrong) report('prev-mismatch');
    if (at === 'late' || at === 'back') report('line-reordered');
    if (at === 'repeated') report('line-repeated');
    if (at === 'ahead' || at === 'late') forget();
    return at;
  };

  const judge = async (opened) => {
    const { line } = opened;
    const readable = opened.refusal === null;
    const boot_id = ring.session()?.boot_id ?? null;
    current = {
      place: readable ? { seq: line.seq, boot_id, boot_ns: line.boot_ns, camera: line.body?.camera ?? null } : { seq: opened.claim },
      isNew: !record.digests.has(opened.digest),
      digest: opened.digest,
    };
    const { refusal, counts, headless: unattributed } = ring.judge(opened);
    if (unattributed && !headless) {
      headless = true;
      report('head-missing');
    }
    if (!counts) {
      refuse(opened, refusal);
      return;
    }
    if (line.kind === 'start') current.place.boot_id = line.body.boot_id;
    const at = await judgePlace(opened);
    if (at === 'repeated' || at === 'back') return;
    if (closed) report('line-after-close');
    const attributed = !closed && line.seq < untilSeq;
    closed ||= line.kind === 'close';
    history.set(line.seq, {
      digest: opened.digest, said: opened.said, kid: opened.kid, start: line.kind === 'start', boot_ns: line.boot_ns,
    });
    if (current.isNew) record.lines += 1;
    if (attributed) await attribute(line, at === 'late');
    else if (line.kind === 'segment' || line.kind === 'recovered' || line.kind === 'run') name(line, ring.session());
    record.digests.add(opened.digest);
  };

  const name = ({ kind, body }, session) => {
    const file = kind === 'run' ? 'init.mp4' : segmentName(body.index);
    record.named.add(`${runKey(body.session ?? session.kid, body.camera, body.run)}/${file}`);
  };

  /** Steps 5 to 7, and what the line adds to the record. */
  const attribute = async (line, isLate) => {
    const session = ring.session();
    const { kind, body } = line;
    const { isNew } = current;
    if (kind === 'start') {
      if (!record.boots.includes(body.boot_id)) record.boots.push(body.boot_id);
      modes.begin(body.boot_id);
      coverage.start(line);
      if (isNew) record.sessions.push(session);
      for (const camera of body.cameras) {
        if (!record.cameras.has(camera)) record.cameras.set(camera, { boot_id: body.boot_id, boot_ns: line.boot_ns });
      }
    }
    session.last = { boot_ns: line.boot_ns };
    time.judge(line, session, ring.sessionOf, isLate);
    if (isNew) noteClock(record, session.boot_id, line);
    if (body === null) report('kind-unknown', kind);
    else if (kind === 'run') takeRun(line, session);
    else if (kind === 'segment' || kind === 'recovered') takePiece(line, session);
    else if (kind === 'gap') takeGap(line, session);
    else if (kind === 'event') takeEvent(line, session);
    else if (kind === 'config') await takeConfig(line, session);
    else if (kind === 'pruned') takePruned(line);
    else if (kind === 'close') {
      coverage.close(line, session);
      if (isNew) record.closes.push({ boot_id: session.boot_id, boot_ns: body.to_ns });
    }
  };

  const takeRun = (line, session) => {
    coverage.run(line, session);
    name(line, session);
    const key = runKey(session.kid, line.body.camera, line.body.run);
    if (current.isNew && !record.runs.has(key)) record.runs.set(key, { ...line.body, place: current.place });
  };

  const takePiece = (line, session) => {
    const { kind, body } = line;
    const owner = kind === 'segment' ? session : ring.sessionOf(body.session);
    const known = coverage.knows(body.camera);
    if (kind === 'segment') coverage.segment(line, session);
    else coverage.recovered(line, owner);
    const boot_id = owner?.boot_id ?? null;
    if (boot_id !== null) modes.segment(body, boot_id);
    name(line, session);
    const kid = body.session ?? session.kid;
    const told = record.pieces.get(current.digest);
    const piece = told ?? { ...body, ...record.names, kind, session: kid, boot_id, place: current.place, attributed: known };
    if (told === undefined) record.pieces.set(current.digest, piece);
    const key = runKey(kid, body.camera, body.run);
    if (!branch.named.has(key)) branch.named.set(key, []);
    branch.named.get(key).push(piece);
  };

  const takeGap = (line, session) => {
    const known = coverage.knows(line.body.camera);
    coverage.gap(line, session);
    if (current.isNew && known) record.gaps.push({ ...line.body, boot_id: session.boot_id });
  };

  const takeEvent = ({ seq, boot_ns, body }, { boot_id }) => {
    if (body.event === 'armed') modes.armed(body.data, boot_id, boot_ns);
    if (body.event === 'set-aside' && typeof body.data.path === 'string') record.setAside.add(body.data.path);
    if (current.isNew) record.events.push({ seq, event: body.event, camera: body.camera, boot_id, boot_ns, data: body.data });
  };

  const takeConfig = async ({ boot_ns, body }, { boot_id }) => {
    if (body.what !== 'profile') return;
    try {
      const { profile, certified, digest } = await readProfile(body.profile, trust);
      if (profile.election !== record.names.election) throw new Refusal('profile-refused', `it is for ${profile.election}`);
      modes.profile(profile, digest);
      record.timeZone = profile.time_zone;
      if (current.isNew) record.profiles.push({ certified, boot_id, boot_ns, place: current.place });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      modes.profile(null, '');
      report(error.code, error.message);
    }
  };

  const takePruned = ({ body }) => {
    const named = branch.named.get(runKey(body.session, body.camera, body.run)) ?? [];
    if (current.isNew) record.pruned.push({ ...body, named, before: named.length, place: current.place });
  };

  for await (const batch of batches(lines)) {
    const opened = [];
    for (const { text, torn } of batch) {
      if (torn) {
        current = { place: {}, isNew: !record.findings.has('torn-tail') };
        break;
      }
      const next = ring.open(text);
      opened.push(next);
      if (next.line?.kind === 'start') await next.ready;
    }
    await Promise.all(opened.map(({ ready }) => ready));
    for (const each of opened) {
      await judge(each);
      unreadable = each.refusal === null ? 0 : unreadable + 1;
    }
    if (batch.length > 0 && batch[batch.length - 1].torn) record.findings.add('torn-tail');
    if (unreadable >= MAX_UNREADABLE) break;
  }

  current = { place: {}, isNew: true };
  if (chain.head() === null && refusals === 0) report('head-missing', 'no line is left');
  for (const { seq, count } of chain.missing()) {
    record.damaged = true;
    record.findings.add('line-missing', { seq }, '', count);
  }
  for (const { boot_id } of time.finish()) report('clock-contradiction', `boot ${boot_id} begins before the last line before it`);
  const head = chain.head();
  if (head !== null && head.seq >= (record.head?.seq ?? -1)) record.head = head;
  return { closed, history, good: head !== null };
}

async function* batches(lines) {
  let batch = [];
  for await (const line of lines) {
    batch.push(line);
    if (batch.length === LINES_PER_BATCH) {
      yield batch;
      batch = [];
    }
  }
  yield batch;
}

/** From one line to another of a boot the clock is synced, unsynced or unset. */
function noteClock(record, boot_id, line) {
  const state = clockState(line);
  const last = record.clock[record.clock.length - 1];
  if (last !== undefined && last.boot_id === boot_id) {
    last.to_ns = Math.max(last.to_ns, line.boot_ns);
    if (last.state === state) return;
  }
  record.clock.push({ boot_id, state, from_ns: line.boot_ns, to_ns: line.boot_ns });
}
