/** What was deleted, and what the archive holds by its signed word (spec/verify.md, section 2.2). */

import { readReceipt } from './documents.js';
import { runKey } from './record.js';
import { Refusal } from './refusal.js';

/**
 * Gives each piece that is not here (`state` `absent`) its state: `pruned`, `held`, `missing`, or `at-unit` in a record
 * that is `archived`: an archive's copy (section 2.3). `whole` says that the media were given; else what
 * is not here stays `absent`, and is counted as if it were. Adds findings to the record.
 */
export async function judgePruned(record, trust, { whole, archived }) {
  const ambiguous = digestsAtSeveralPlaces(record);
  const byRun = piecesByRun(record);
  const lines = [];
  for (const line of record.pruned) lines.push(await readPruned(line, record, trust));
  for (const line of lines) {
    for (const piece of line.within(byRun)) {
      if (whole && piece.state === 'absent' && line.explains(piece) && !(line.held && ambiguous.has(piece.sha256))) {
        piece.state = line.held ? 'held' : 'pruned';
      }
    }
  }
  for (const line of lines) {
    const isJudged = whole && line.held !== null && !record.damaged;
    const isBlamed = isJudged && line.within(byRun).some((piece) => blames(line, piece, byRun));
    if (line.isUnlawful || isBlamed) record.findings.add('pruned-unlawfully', line.place);
  }
  for (const piece of record.pieces.values()) {
    if (piece.state !== 'absent' || !whole) continue;
    const isClaimed = lines.some((line) => line.held !== null && line.covers(piece));
    piece.state = archived && piece.mode === 'UNARMED' && !isClaimed ? 'at-unit' : 'missing';
    record.findings.add(piece.state === 'at-unit' ? 'unarmed-at-unit' : 'media-missing', piece.place);
  }
}

/** Digests that good lines name at more than one place. */
function digestsAtSeveralPlaces(record) {
  const places = new Map();
  const several = new Set();
  for (const { session, camera, run, index, sha256 } of record.pieces.values()) {
    const place = `${runKey(session, camera, run)}/${index}`;
    if ((places.get(sha256) ?? place) !== place) several.add(sha256);
    places.set(sha256, place);
  }
  return several;
}

function piecesByRun(record) {
  const byRun = new Map();
  for (const piece of record.pieces.values()) {
    const key = runKey(piece.session, piece.camera, piece.run);
    if (!byRun.has(key)) byRun.set(key, []);
    byRun.get(key).push(piece);
  }
  return byRun;
}

/**
 * A line, read: `within(byRun)` gives the pieces of its run and indexes, of all branches, and `explains(piece)` says
 * whether it explains that one is not here. `held` are the digests of its receipt, null without a good one.
 */
async function readPruned(line, record, trust) {
  const { reason, receipt, from_index, to_index, place } = line;
  const isWithin = ({ index }) => index >= from_index && index < to_index;
  const key = runKey(line.session, line.camera, line.run);
  const read = {
    place,
    held: null,
    isUnlawful: false,
    within: (byRun) => (byRun.get(key) ?? []).filter(isWithin),
    covers: (piece) => runKey(piece.session, piece.camera, piece.run) === key && isWithin(piece),
    explains: () => true,
  };
  // What its own branch named before.
  const named = line.pieces.slice(0, line.before).filter(isWithin);
  const isComplete = new Set(named.map(({ index }) => index)).size === to_index - from_index;
  if (reason === 'receipted' && receipt !== null) {
    try {
      const { media } = await readReceipt(receipt, trust, line.names);
      read.held = new Set(media);
      read.explains = ({ sha256 }) => read.held.has(sha256);
      read.isUnlawful = !isComplete && !line.isDamaged;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      record.findings.add(error.code, place, error.message);
      read.explains = () => false;
    }
    return read;
  }
  const isReason = reason === 'unarmed-expired' || reason === 'unarmed-reserve';
  read.isUnlawful = !line.isDamaged && (!isReason || !isComplete || named.some(({ mode }) => mode !== 'UNARMED'));
  return read;
}

/**
 * Whether a receipted line is to blame for a piece that is not here: it names it, and so names several, or it names
 * nothing at all that stands at its place in any branch.
 */
function blames({ held }, piece, byRun) {
  if (piece.state !== 'absent') return false;
  if (held.has(piece.sha256)) return true;
  const beside = byRun.get(runKey(piece.session, piece.camera, piece.run));
  return !beside.some(({ index, sha256 }) => index === piece.index && held.has(sha256));
}
