/** What a clip tells players of a segment: the one form of the boxes in front of it (spec/clip.md, section 2). */

import { join, sameBytes } from './encoding.js';
import { Refusal } from './refusal.js';
import { identityPayload, readSegment } from './segment.js';

const FIRST_BYTES = 68;
const TIME_AT = 60;
const MOOF_BYTES = 88;
const BOX_BYTES = 8;
const IDENTITY_AT = 24;
const STYP_BYTES = 32;
const TIMESCALE = 90_000;

/**
 * The decode time (BigInt) that `boxes`, a `moof` and the header of the `mdat`, call 0 in front of the segment `data`;
 * null where they are not the ones that follow from it.
 */
export function carriedBase(boxes, data) {
  if (boxes.length < FIRST_BYTES) return null;
  const told = new DataView(boxes.buffer, boxes.byteOffset, boxes.byteLength);
  const [shown, sequence] = [told.getBigUint64(TIME_AT), told.getUint32(20)];
  try {
    const base = readSegment(data, TIMESCALE).decodeTime - shown;
    return base >= 0n && sameBytes(boxes, carry(data, shown, sequence)) ? base : null;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

function carry(data, shown, sequence) {
  const found = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const tables = [];
  for (let at = IDENTITY_AT + identityPayload(data).length + STYP_BYTES; at < data.length; ) {
    const count = found.getUint32(at + 80);
    const samplesAt = at + found.getUint32(at) + BOX_BYTES;
    tables.push({ count, samplesAt, table: data.subarray(at + MOOF_BYTES, at + MOOF_BYTES + 12 * count) });
    at = samplesAt - BOX_BYTES + found.getUint32(samplesAt - BOX_BYTES);
  }
  const size = FIRST_BYTES + tables.reduce((sum, { table }) => sum + 20 + table.length, 0);
  const parts = [
    words(size, 'moof', 16, 'mfhd', 0, sequence, size - 24, 'traf', 16, 'tfhd', 0x00020000, 1, 20, 'tfdt', 0x01000000),
    words(Number(shown >> 32n), Number(shown & 0xffffffffn)),
  ];
  for (const { count, samplesAt, table } of tables) {
    parts.push(words(20 + table.length, 'trun', 0x01000701, count, size + BOX_BYTES + samplesAt), table);
  }
  return join([...parts, words(BOX_BYTES + data.length, 'mdat')]);
}

function words(...values) {
  const data = new Uint8Array(4 * values.length);
  const view = new DataView(data.buffer);
  values.forEach((value, at) => {
    if (typeof value === 'number') view.setUint32(4 * at, value);
    else for (let i = 0; i < 4; i += 1) data[4 * at + i] = value.charCodeAt(i);
  });
  return data;
}
