/** One ledger, line by line, in order (spec/verify.md, section 2): what each line is worth, and what it adds. */

import { arming } from './arming.js';
import { chainOfLines } from './chain.js';
import { continuity } from './continuity.js';
import { readProfile } from './documents.js';
import { sha256, toHex, toUtf8 } from './encoding.js';
import { keyring } from './keyring.js';
import { genesis } from './lines.js';
import { noteClock, runKey, segmentName } from './record.js';
import { Refusal } from './refusal.js';
import { timing } from './timing.js';

const LINES_PER_BATCH = 256;
const MAX_UNREADABLE = 65_536;

/**
 * Judges the lines that `lines` gives (`{text, torn}`) and adds what they say to `record`. Lines that an earlier branch
 * holds, too, are not told again. From `untilSeq` on only steps 1 to 4 are judged (step 10). `several` says that there
 * are other branches. `part` says that only a part of a record is here: `{camera, firstSeq}` (section 2.4). Resolves to `{closed, good, history}`; `history` maps each `seq` to what forks are judged by.
 */
export async function judgeLedger(lines, record, trust, { untilSeq = Infinity, several = false, part = null } = {}) {
  const ring = keyring(trust, several);
  const chain = chainOfLines(part?.firstSeq);
  const history = new Map();
  /** The pieces that this branch names, by run. */
  const named = new Map();
  /** The line at hand: its place, its digest, and whether no other branch brought it. */
  let current = { place: {}, digest: '', isNew: true };
  let [isEmpty, closed, unreadable, good] = [true, false, 0, false];
  /** Whether a piece of the part was met. */
  let begun = part === null;

  const report = (code, detail = '', camera = null) => {
    const key = `${code} ${camera} ${current.digest}`;
    if (record.reported.has(key)) return;
    record.reported.add(key);
    record.findings.add(code, { ...current.place, camera: camera ?? current.place.camera }, detail);
  };
  const time = timing(report, record.utc);
  const modes = arming(report);
  const coverage = continuity((code, camera, detail) => report(code, detail, camera));

  const forget = () => {
    modes.forget();
    coverage.forget();
  };

  /** A record begins with line 0, a `start` that follows the genesis text. A line with a finding is not judged. */
  const judgeFirst = async (line, refusal) => {
    if (!isEmpty) return;
    isEmpty = false;
    if (part !== null) chain.begin();
    if (part !== null || line === null || refusal !== null) return;
    if (line.kind === 'start' && line.seq === 0 && line.prev === (await genesis(line.body))) return;
    chain.begin();
    report('head-missing', line.seq === 0 ? '' : `the file begins with line ${line.seq}`);
  };

  const judge = async (opened) => {
    const { line, digest } = opened;
    const { refusal, session } = ring.judge(opened);
    const isNew = !record.digests.has(digest);
    const next = { seq: (chain.head()?.seq ?? -1) + 1 };
    const place = { boot_id: session?.boot_id, camera: line?.body?.camera, seq: line?.seq, boot_ns: line?.boot_ns };
    current = { place: line === null ? next : place, digest, isNew };
    await judgeFirst(line, refusal);
    if (session === null) {
      if (refusal !== null) report(refusal.code, refusal.message);
      chain.refused(line === null ? null : line.seq);
      return;
    }
    if (closed && chain.isBehind(line.seq)) {
      report('line-after-close');
      return;
    }
    const at = chain.place(line, digest);
    if (at === 'repeated') report('line-repeated');
    if (at === 'back' || at === 'late') report('line-reordered');
    if (at === 'wrong') report('prev-mismatch');
    if (at === 'repeated' || at === 'back' || at === 'again') return;
    if (at !== 'next') forget();
    closed ||= line.kind === 'close';
    good = true;
    const { said } = opened;
    history.set(line.seq, { said, kid: opened.kid, start: line.kind === 'start', boot_ns: line.boot_ns });
    if (line.seq >= untilSeq) {
      if (line.kind === 'segment' || line.kind === 'recovered') name(line, session);
      return;
    }
    if (isNew) record.lines += 1;
    await attribute(line, session, at);
    record.digests.add(digest);
  };

  /** Steps 5 to 7, and what the line adds to the record. */
  const attribute = async (line, session, at) => {
    const { kind, body } = line;
    const { isNew } = current;
    const told = record.sessions.get(session.kid);
    if (told !== undefined && isNew && at !== 'late') told.last = line;
    const owner = kind === 'recovered' ? ownerOf(body, session) : null;
    const counts = part === null || isOfPart(part, line);
    time.judge(line, session, owner, at, isNew, counts);
    if (isNew && at !== 'late') noteClock(record, session.boot_id, line);
    if (!counts) return;
    if (body === null) report('kind-unknown', kind);
    else if (kind === 'start') takeStart(line, session, at);
    else if (kind === 'run') takeRun(line, session);
    else if (kind === 'segment') takePiece(line, session, at);
    else if (kind === 'recovered') takeRecovered(line, session, owner, at);
    else if (kind === 'gap') takeGap(line, session);
    else if (kind === 'event') takeEvent(line, session, at);
    else if (kind === 'config') await takeConfig(line, session);
    else if (kind === 'pruned') takePruned(line, session);
    else if (kind === 'close') takeClose(line, session);
  };

  /** The session that recorded media found after a restart: an earlier one, or null. */
  const ownerOf = (body, session) => (body.session === session.kid ? null : ring.sessionOf(body.session) ?? null);

  const name = ({ body }, session) => {
    const key = runKey(body.session ?? session.kid, body.camera, body.run);
    record.named.add(`${key}/${segmentName(body.index)}`).add(`${key}/init.mp4`).add(body.sha256);
  };

  const takeStart = (line, session, at) => {
    const { body } = line;
    record.names ??= { election: body.election, station: body.station, unit: body.unit };
    if (!record.boots.includes(body.boot_id)) record.boots.push(body.boot_id);
    modes.begin(body.boot_id);
    coverage.start(line, at !== 'next');
    if (current.isNew) record.sessions.set(session.kid, { ...session, last: line });
    for (const camera of body.cameras) {
      if (part !== null && camera !== part.camera) continue;
      if (!record.cameras.has(camera)) record.cameras.set(camera, { boot_id: body.boot_id, boot_ns: line.boot_ns });
    }
  };

  const takeRun = (line, session) => {
    coverage.run(line, session);
    const key = runKey(session.kid, line.body.camera, line.body.run);
    record.named.add(`${key}/init.mp4`);
    if (current.isNew) record.runs.set(current.digest, { ...line.body, key, place: current.place });
    record.streams.set(key, line.body);
  };

  /** The part's first piece. */
  const begin = (camera, boot_id, from_ns) => {
    begun = true;
    coverage.begin(camera, boot_id, from_ns);
    modes.forget();
    if (coverage.knows(camera)) record.cameras.set(camera, { boot_id, boot_ns: from_ns });
  };

  const takePiece = (line, owner, at) => {
    const { kind, body } = line;
    const { camera, run } = body;
    const { election, station, unit } = owner.start.body;
    if (!begun) begin(camera, owner.boot_id, body.from_ns);
    if (kind === 'segment') coverage.segment(line, owner);
    else coverage.recovered(line, owner);
    if (at !== 'late') modes.segment(body, owner.boot_id);
    name(line, owner);
    const key = runKey(owner.kid, camera, run);
    const { boot_id, kid: session } = owner;
    const told = record.pieces.get(current.digest);
    const stream = record.streams.get(key) ?? null;
    const piece = told ?? { ...body, election, station, unit, kind, session, boot_id, stream, place: current.place };
    record.pieces.set(current.digest, piece);
    if (!named.has(key)) named.set(key, []);
    named.get(key).push(piece);
  };

  const takeRecovered = (line, session, owner, at) => {
    const isOwn = line.body.session === session.kid;
    if (owner !== null) takePiece(line, owner, at);
    else if (isOwn || !chain.isDamaged() || part !== null) report('recovered-not-contiguous', 'no earlier session recorded it');
  };

  const takeGap = (line, session) => {
    coverage.gap(line, session);
    if (current.isNew && coverage.knows(line.body.camera)) record.gaps.push({ ...line.body, boot_id: session.boot_id });
  };

  const takeEvent = ({ seq, boot_ns, body }, { boot_id }, at) => {
    const { event, camera, data } = body;
    if (event === 'armed' && at !== 'late') modes.armed(data, boot_id, boot_ns);
    if (event === 'set-aside' && typeof data.path === 'string') record.setAside.add(data.path);
    if (current.isNew) record.events.push({ seq, event, camera, boot_id, boot_ns, data });
  };

  const takeConfig = async ({ boot_ns, body }, { boot_id, start }) => {
    if (body.what !== 'profile') return;
    const digest = toHex(await sha256(toUtf8(body.profile)));
    try {
      const { profile, certified } = await readProfile(body.profile, trust);
      const { election } = profile;
      if (election !== start.body.election) throw new Refusal('profile-refused', `it is for ${election}`);
      modes.profile(profile, digest);
      record.timeZone = profile.time_zone;
      if (current.isNew) record.profiles.push({ certified, boot_id, boot_ns, place: current.place });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      modes.profile(null, digest);
      report(error.code, error.message);
    }
  };

  const takePruned = ({ body }, { start }) => {
    if (!current.isNew) return;
    const pieces = named.get(runKey(body.session, body.camera, body.run)) ?? [];
    const isDamaged = chain.isDamaged();
    record.pruned.push({ ...body, names: start.body, pieces, before: pieces.length, isDamaged, place: current.place });
  };

  const takeClose = (line, session) => {
    coverage.close(line, session);
    if (current.isNew) record.closes.push({ boot_id: session.boot_id, boot_ns: line.body.to_ns });
  };

  let torn = false;
  for await (const batch of batches(lines)) {
    const opened = [];
    for (const { text, torn: isTorn } of batch) {
      torn = isTorn;
      if (torn) break;
      const next = ring.open(text);
      opened.push(next);
      if (next.line?.kind === 'start') await next.ready;
    }
    await Promise.all(opened.map(({ ready }) => ready));
    for (const each of opened) {
      await judge(each);
      unreadable = each.line === null ? unreadable + 1 : 0;
    }
    if (unreadable >= MAX_UNREADABLE) break;
  }
  current = { place: {}, digest: '', isNew: true };
  if (torn) record.findings.add('torn-tail');
  if (isEmpty) record.findings.add('head-missing', {}, 'the file holds no line');
  for (const [from, to] of chain.missing()) {
    record.findings.add('line-missing', { seq: from }, `${to - from} from ${from} on`);
  }
  for (const boot_id of time.finish()) {
    report('clock-contradiction', `boot ${boot_id} begins before the last line of the one before`);
  }
  record.damaged ||= chain.isDamaged();
  record.names ??= ring.names();
  const head = chain.head();
  if (head !== null && head.seq > (record.head?.seq ?? -1)) record.head = head;
  return { closed, good, history };
}

/** Whether what a line reports counts in a part: of its camera, and no piece before its first segment. */
function isOfPart({ camera, firstSeq }, { kind, seq, body }) {
  if (kind === 'segment' || kind === 'recovered' || kind === 'gap') return body.camera === camera && seq >= firstSeq;
  if (kind === 'run') return body.camera === camera;
  if (kind === 'event') return body.camera === null || body.camera === camera;
  return kind !== 'pruned' && kind !== 'close';
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
