/** Clips taken apart (spec/clip.md): proof boxes, and the segments that follow them. Nothing is judged here. */

import { toUtf8 } from './encoding.js';
import { MAX_LINE_BYTES, RECEIPT_TYP, unseal } from './jws.js';
import { lineHash, readPayload } from './lines.js';
import { Refusal } from './refusal.js';
import { firstBox } from './segment.js';

const PROOF_UUID = [0x9d, 0xa9, 0xa5, 0x62, 0xa3, 0xe9, 0x5f, 0xb3, 0x96, 0x3a, 0x27, 0x89, 0x3a, 0xf8, 0xa5, 0xad];
const MARK = Uint8Array.from([...toUtf8('uuid'), ...PROOF_UUID]);
const PROOF_AT = 24;
const BOX_BYTES = 8;
const MAX_PROOF_BYTES = 1 << 20;
const MAX_MDAT_BYTES = 67_108_864 + BOX_BYTES;
const MAX_HEAD_BYTES = 1 << 16;
const MAX_TEXTS = 4_096;
const BLOCK_BYTES = 1 << 20;
/** A proof box and a `moof` mostly fit: to ask for each box by itself takes longer than to hash the segment. */
const WINDOW_BYTES = 1 << 14;
const LF = 0x0a;

/** Whether a file that begins with `head` (64 KiB, or all of it) is a clip: a proof stands there. */
export function isClip(head) {
  return ['ftyp', 'uuid', 'moov'].includes(firstBox(head)) && findMark(head.subarray(0, MAX_HEAD_BYTES), 0) >= 0;
}

/**
 * A clip's parts, `{beginning, pieces}`. `beginning` are the bytes in front of the first proof, null where there are
 * none; of more than 64 KiB, as much as shows that. A piece is a proof box and what follows it: `{lines, receipts,
 * owner, media}`. `owner` is its last line, `{text, digest, seq, body}`, where that names a segment, or null; `media`
 * is null where nothing follows, else what `verify` takes as a file, with `boxes`, the bytes in front of it, null where
 * the segment is cut short or no `mdat` holds it. Bytes that stand anywhere else are a piece without lines.
 */
export async function readClip(file) {
  const near = inWindows(file);
  const find = (at) => findProof(file, at);
  const read = (from, to) => near.read(from, Math.min(to, file.size));
  const isProof = async (at) => findMark(await read(at + 4, at + PROOF_AT), 0) === 0;
  const pieces = [];
  let at = await find(0);
  const beginning = at === 0 ? null : await read(0, Math.min(at, MAX_HEAD_BYTES + 1));
  while (at < file.size) {
    const box = await read(at, at + PROOF_AT);
    const size = wordAt(box, 0);
    let after = file.size;
    if (size < PROOF_AT || size > MAX_PROOF_BYTES) {
      after = await find(at + PROOF_AT);
      pieces.push(await piece(new Uint8Array(0), cutShort(file)));
    } else if (at + size > file.size) {
      const rest = await read(at + PROOF_AT, file.size);
      pieces.push(await piece(rest.subarray(0, Math.max(0, rest.lastIndexOf(LF))), cutShort(file)));
    } else {
      const payload = await read(at + PROOF_AT, at + size);
      const next = at + size;
      if (next >= file.size || (await isProof(next))) {
        pieces.push(await piece(payload, null));
        after = next;
      } else {
        const media = await findMedia(file, near, next);
        pieces.push(await piece(payload, media ?? cutShort(file)));
        after = media === null ? await find(next) : media.end;
        if (media !== null && after < file.size && !(await isProof(after))) {
          after = await find(after);
          pieces.push(await piece(new Uint8Array(0), cutShort(file)));
        }
      }
    }
    at = after;
  }
  return { beginning, pieces };
}

/** What a line says, whoever signed it: `{seq, kind, body, …}`, or null where it cannot be read. */
export function peekLine(text) {
  try {
    return readPayload(unseal(text).payload);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** `moof` and `mdat` at `at`, or null. */
async function findMedia(file, near, at) {
  const boxEnd = async (from, kind, most) => {
    const box = await near.read(from, Math.min(from + BOX_BYTES, file.size));
    const size = box.length < BOX_BYTES ? 0 : wordAt(box, 0);
    return size >= BOX_BYTES && size <= most && from + size <= file.size && firstBox(box) === kind ? from + size : null;
  };
  const mediaAt = await boxEnd(at, 'moof', MAX_PROOF_BYTES);
  const end = mediaAt === null ? null : await boxEnd(mediaAt, 'mdat', MAX_MDAT_BYTES);
  if (end === null) return null;
  const begin = mediaAt + BOX_BYTES;
  return {
    path: file.path,
    size: end - begin,
    end,
    boxes: await near.read(at, begin),
    read: (from, to) => file.read(begin + from, begin + to),
  };
}

/** `file`, of which small parts that lie together are read at once. */
function inWindows(file) {
  let [begin, held] = [0, new Uint8Array(0)];
  return {
    async read(from, to) {
      if (to - from > WINDOW_BYTES) return file.read(from, to);
      if (from < begin || to > begin + held.length) {
        begin = from;
        held = await file.read(from, Math.min(from + WINDOW_BYTES, file.size));
      }
      return held.slice(from - begin, to - begin);
    },
  };
}

/** Stands for bytes that no signed segment is. */
function cutShort({ path }) {
  return { path, size: 0, boxes: null, read: async () => new Uint8Array(0) };
}

async function piece(payload, media) {
  const [lines, receipts] = [[], []];
  let from = 0;
  for (let count = 0; count < MAX_TEXTS && from <= payload.length; count += 1) {
    const end = payload.indexOf(LF, from);
    const text = payload.slice(from, end < 0 ? payload.length : end);
    if (text.length > 0) (isReceipt(text) ? receipts : lines).push(text.subarray(0, MAX_LINE_BYTES));
    if (end < 0) break;
    from = end + 1;
  }
  const text = lines[lines.length - 1] ?? null;
  const line = text === null ? null : peekLine(text);
  const names = line !== null && (line.kind === 'segment' || line.kind === 'recovered');
  const owner = names ? { text, digest: await lineHash(text), seq: line.seq, body: line.body } : null;
  return { lines, receipts, owner, media };
}

function isReceipt(text) {
  try {
    unseal(text, RECEIPT_TYP);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** Where the next proof box begins, from `at` on; the file's size where there is none. */
async function findProof(file, at) {
  for (let from = at; from < file.size; from += BLOCK_BYTES) {
    const block = await file.read(from, Math.min(from + BLOCK_BYTES + PROOF_AT - 1, file.size));
    const found = findMark(block, 4);
    if (found >= 0) return from + found - 4;
  }
  return file.size;
}

/** Where the mark of a proof box stands in `data`, from `at` on; -1 where it does not. */
function findMark(data, at) {
  for (let place = data.indexOf(MARK[0], at); place >= 0; place = data.indexOf(MARK[0], place + 1)) {
    if (place + MARK.length <= data.length && MARK.every((byte, i) => data[place + i] === byte)) return place;
  }
  return -1;
}

function wordAt(data, at) {
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(at);
}
