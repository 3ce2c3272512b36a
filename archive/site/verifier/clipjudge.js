/** The rules for a clip (spec/verify.md, section 2.4): which of its lines count, and what it may show. */

import { peekLine } from './clip.js';
import { carriedBase } from './clipboxes.js';
import { fromUtf8, sameBytes } from './encoding.js';
import { readReceipt } from './documents.js';
import { clipHead } from './init.js';
import { readIdentity } from './identity.js';
import { Refusal } from './refusal.js';
import { identityPayload, readSegment } from './segment.js';

/** How far before the end of a clip's beginning the 8 bytes of its duration lie. */
const DURATION_BACK = 40;
const NOT_CONTEXT = ['segment', 'recovered', 'gap', 'close'];

/** The part of a record that a clip is, `{camera, firstSeq}`; null where no line names a segment that it holds. */
export function findPart({ pieces }) {
  const first = pieces.find(({ owner, media }) => owner !== null && media !== null);
  return first === undefined ? null : { camera: first.owner.body.camera, firstSeq: first.owner.seq };
}

/**
 * The lines as they count, as `judgeLedger` takes them: first what precedes the first segment, by `seq` and each once;
 * the others as they stand in the file, so that what was moved or doubled shows.
 */
export function* linesInOrder({ pieces }, { firstSeq }) {
  const before = new Map();
  const keys = new Map();
  const keyOf = (text) => {
    if (!keys.has(text)) keys.set(text, String.fromCharCode(...text.subarray(0, 8), ...text.subarray(-86)));
    return keys.get(text);
  };
  const isKnown = (text) => (before.get(keyOf(text)) ?? []).some((known) => sameBytes(known.text, text));
  for (const { lines } of pieces) {
    for (const text of lines) {
      const line = isKnown(text) ? null : peekLine(text);
      if (line === null || line.seq >= firstSeq || NOT_CONTEXT.includes(line.kind)) continue;
      before.set(keyOf(text), [...(before.get(keyOf(text)) ?? []), { text, seq: line.seq }]);
    }
  }
  const sorted = [...before.values()].flat().sort((one, two) => one.seq - two.seq);
  for (const { text } of sorted) yield { text, torn: false };
  for (const { lines } of pieces) for (const text of lines) if (!isKnown(text)) yield { text, torn: false };
}

/** Where `verify` finds the media that lines of `record` name: each behind the box whose last line names it. */
export function clipMedia({ pieces }, record) {
  const owned = new Map();
  for (const piece of pieces) {
    if (piece.owner !== null && piece.media !== null && !owned.has(piece.owner.digest)) {
      owned.set(piece.owner.digest, piece);
    }
  }
  for (const [digest, named] of record.pieces) named.held = owned.get(digest)?.media ?? null;
  const reading = (media) => ({
    ...media,
    async read(from, to) {
      const data = await media.read(from, to);
      if (media.boxes !== null && data.length === media.size) media.base = carriedBase(media.boxes, data);
      return data;
    },
  });
  return {
    segment: async ({ held }) => (held === null ? [] : [reading(held)]),
    init: () => [],
  };
}

/** What is left once lines and media of the clip are judged into `record`. */
export async function judgeClip(record, clip, part, trust) {
  if (part === null) {
    record.findings.add('clip-unsigned', {}, 'no line in it names a segment that it holds');
    return;
  }
  const { camera } = part;
  if ((await judgeBeginning(clip)) === false) record.findings.add('init-changed', { camera }, "the clip's beginning");
  judgeBoxes(record);
  judgeStrangers(record, clip, camera);
  const named = await readReceipts(record, clip, trust);
  describeClip(record, part, named);
}

/** Whether the file begins with what follows from its first segment; null where it has no beginning. */
async function judgeBeginning({ beginning, pieces }) {
  if (beginning === null) return null;
  for (const { media } of pieces) {
    if (media === null || media.boxes === null) continue;
    try {
      const data = await media.read(0, media.size);
      const identity = readIdentity(identityPayload(data));
      readSegment(data, identity.timescale);
      const at = Math.max(0, beginning.length - DURATION_BACK);
      return sameBytes(clipHead(identity, beginning.subarray(at, at + 8)), beginning);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return false;
}

/** A player shows the samples of each segment, all of them, at their times. */
function judgeBoxes(record) {
  let base = null;
  for (const { state, held, place } of record.pieces.values()) {
    if (state !== 'here') continue;
    const own = held.base ?? null; // not read as a whole is not seen to be right
    base ??= own;
    if (own === null) record.findings.add('clip-unsigned', place, 'the boxes show something else');
    else if (own !== base) record.findings.add('clip-unsigned', place, 'shown at another time than its own');
  }
}

/** Bytes of which no line of the clip's camera speaks. */
function judgeStrangers(record, { pieces }, camera) {
  for (const { owner, media } of pieces) {
    if (media === null) continue;
    if (owner === null) {
      record.findings.add('clip-unsigned', {}, 'bytes in it are named by no line');
    } else if (owner.body.camera !== camera) {
      record.findings.add('clip-unsigned', { seq: owner.seq, camera: owner.body.camera }, `beside ${camera}`);
    }
  }
}

/** The media that good receipts name. A receipt of lines must speak of the lines that are here. */
async function readReceipts(record, { pieces }, trust) {
  const texts = new Map();
  for (const { owner, receipts } of pieces) {
    for (const receipt of receipts) {
      const text = fromUtf8(receipt) ?? '';
      if (!texts.has(text)) texts.set(text, owner?.seq);
    }
  }
  const digests = new Map([...record.pieces].map(([digest, { place }]) => [place.seq, digest]));
  const named = new Set();
  for (const [text, seq] of texts) {
    try {
      const receipt = await readReceipt(text, trust, record.names ?? {});
      if (receipt.kind === 'logged' && (digests.get(receipt.seq) ?? receipt.sha256) !== receipt.sha256) {
        throw new Refusal('receipt-refused', `it names another line ${receipt.seq}`);
      }
      for (const digest of receipt.media) named.add(digest);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      record.findings.add(error.code, { seq }, error.message);
    }
  }
  return named;
}

/** The pieces of the run that the clip begins with, that the file holds; a film shows one run, and others are told. */
function ofOneRun(record) {
  const [begin] = record.pieces.values();
  const held = [...record.pieces.values()].filter((piece) => piece.held !== null);
  const isIts = ({ session, run }) => session === begin.session && run === begin.run;
  for (const { place } of held.filter((piece) => !isIts(piece))) {
    record.findings.add('clip-unsigned', place, 'a film shows one run, and this is of another');
  }
  return held.filter(isIts);
}

function describeClip(record, { camera, firstSeq }, named) {
  const here = ofOneRun(record);
  here.sort((one, two) => one.place.seq - two.place.seq);
  const [first, last] = [here[0], here[here.length - 1]];
  const good = [...record.pieces.values()].filter(({ state }) => state === 'here');
  record.clip = {
    camera,
    first_seq: first?.place.seq ?? firstSeq,
    last_seq: last?.place.seq ?? firstSeq,
    boot_id: first?.boot_id ?? '',
    from_ns: first?.from_ns ?? 0,
    to_ns: last?.to_ns ?? 0,
    segments: good.length,
    receipted: good.filter(({ sha256 }) => named.has(sha256)).length,
  };
  const { first_seq, last_seq } = record.clip;
  const detail = `lines before ${first_seq} and after ${last_seq} are not here`;
  record.findings.add('part-only', { seq: first_seq, camera }, detail);
}
