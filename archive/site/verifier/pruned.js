/** What was deleted, and what the archive holds by its signed word (spec/verify.md, section 2.2). */

import { readReceipt } from './documents.js';
import { runKey } from './record.js';
import { Refusal } from './refusal.js';

/**
 * Gives each piece that is not here (`state` `absent`) its state: `pruned`, `held`, or `missing`. `whole` says that the
 * media were given; else what nothing explains stays `absent`. Adds findings to the record.
 */
export async function judgePruned(record, trust, whole) {
  const ambiguous = digestsAtSeveralPlaces(record);
  const lines = [];
  for (const line of record.pruned) lines.push(await readPruned(line, record, trust));
  for (const line of lines) {
    for (const piece of line.pieces) if (piece.state === 'absent' && line.explains(piece, ambiguous)) piece.state = line.state;
  }
  for (const line of lines) {
    const breaks = line.unlawful || line.pieces.some((piece) => blames(line, piece, ambiguous));
    if (breaks && !record.damaged && !line.refused) record.findings.add('pruned-unlawfully', line.place);
  }
  for (const piece of record.pieces.values()) {
    if (piece.state !== 'absent' || !whole) continue;
    piece.state = 'missing';
    record.findings.add('media-missing', piece.place);
  }
}

/** Digests that good lines name at more than one place. */
function digestsAtSeveralPlaces(record) {
  const places = new Map();
  const several = new Set();
  for (const piece of record.pieces.values()) {
    const place = `${runKey(piece.session, piece.camera, piece.run)}/${piece.index}`;
    if ((places.get(piece.sha256) ?? place) !== place) several.add(piece.sha256);
    places.set(piece.sha256, place);
  }
  return several;
}

/** A line with the pieces that its own branch named before, and what it may explain. */
async function readPruned(line, record, trust) {
  const { reason, receipt, from_index, to_index, place } = line;
  const pieces = line.named.slice(0, line.before).filter(({ index }) => index >= from_index && index < to_index);
  const unnamed = new Set(pieces.map(({ index }) => index)).size < to_index - from_index;
  const read = { place, pieces, unlawful: unnamed, refused: false, state: 'pruned', receipted: false, explains: () => true };
  if (reason === 'unarmed-expired' || reason === 'unarmed-reserve') {
    read.unlawful ||= pieces.some(({ mode }) => mode !== 'UNARMED');
  } else if (reason !== 'receipted' || receipt === null) {
    read.unlawful = true;
  } else {
    read.receipted = true;
    try {
      const held = new Set((await readReceipt(receipt, trust, record.names)).media);
      read.state = 'held';
      read.explains = ({ sha256 }, ambiguous) => held.has(sha256) && !ambiguous.has(sha256);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      record.findings.add(error.code, place, error.message);
      Object.assign(read, { refused: true, explains: () => false });
    }
  }
  return read;
}

/** Whether a line that bears a receipt claims the deletion of a piece that it cannot explain, nor any other line. */
function blames(line, piece, ambiguous) {
  if (!line.receipted) return false;
  return piece.state === 'absent' || (ambiguous.has(piece.sha256) && !line.explains(piece, ambiguous));
}
