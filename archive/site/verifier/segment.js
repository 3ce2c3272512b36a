/** Segment files taken apart (spec/segment.md, section 3): boxes, fragments, pictures. Only that form is accepted. */

import { fromUtf8, sameBytes } from './encoding.js';
import { Refusal } from './refusal.js';

const IDENTITY_TYPE = [0x8b, 0x62, 0x31, 0x61, 0x3f, 0x9c, 0x54, 0xfb, 0xbc, 0x23, 0x67, 0xa5, 0xf4, 0x73, 0xc8, 0xe2];
const IDENTITY_AT = 24;
const MAX_IDENTITY_BOX = 65_536;
const STYP = Uint8Array.from('\0\0\0\x20stypcmfs\0\0\0\0cmfscmffmsdhiso6', (char) => char.charCodeAt(0));
const HEAD_BYTES = 88;
const MAX_SAMPLES = 65_536;
const KEYFRAME = 0x02000000;
const OTHER = 0x01010000;
const TIMESCALE = 90_000n;
/** 500 ms, and a tick of rounding at either end. */
const MAX_FRAGMENT_TICKS = 45_002;
const IDR = 5;
const SLICE = 1;
/** SPS, PPS and access unit delimiter are left out of samples. */
const LEFT_OUT = [7, 8, 9];

function malformed(at, what) {
  return new Refusal('media-malformed', `byte ${at}: ${what}`);
}

/** The payload of the identity box that `data` begins with. Throws Refusal with `media-malformed`. */
export function identityPayload(data) {
  const end = boxEnd(view(data), 0, 'uuid', Math.min(data.length, MAX_IDENTITY_BOX));
  const type = data.subarray(8, Math.min(end, IDENTITY_AT));
  if (!sameBytes(type, IDENTITY_TYPE)) throw malformed(8, 'not the identity box');
  if (end === IDENTITY_AT) throw malformed(0, 'an empty identity box');
  return data.subarray(IDENTITY_AT, end);
}

/**
 * What a whole file holds: `{decodeTime, endTime, pictures, longest}`; times are ticks (BigInt), `longest` the longest
 * time that a picture lasts. `timescale` is the identity's. Throws Refusal with `media-malformed`.
 */
export function readSegment(data, timescale) {
  const words = view(data);
  let at = IDENTITY_AT + identityPayload(data).length;
  if (!sameBytes(data.subarray(at, at + STYP.length), STYP)) throw malformed(at, 'not the styp box of a segment');
  at += STYP.length;
  if (BigInt(timescale) !== TIMESCALE) throw malformed(at, `a timescale of ${timescale}`);
  let before = null;
  const whole = { decodeTime: 0n, endTime: 0n, pictures: 0, longest: 0 };
  while (at < data.length) {
    const fragment = readFragment(data, words, at, whole.pictures);
    if (before === null) whole.decodeTime = fragment.decodeTime;
    else if (fragment.sequence !== before.sequence + 1) throw malformed(at, 'a fragment is missing, or another one');
    else if (fragment.decodeTime !== before.endTime) throw malformed(at, 'a decode time that does not follow on');
    whole.pictures += fragment.pictures;
    whole.longest = Math.max(whole.longest, fragment.longest);
    whole.endTime = fragment.endTime;
    before = fragment;
    at = fragment.end;
  }
  if (before === null) throw malformed(at, 'a segment without a fragment');
  return whole;
}

function readFragment(data, words, at, picturesBefore) {
  const mediaAt = boxEnd(words, at, 'moof', data.length);
  const size = mediaAt - at;
  if (size < HEAD_BYTES) throw malformed(at, 'a moof box that is too short');
  const count = words.getUint32(at + 80);
  if (count === 0 || picturesBefore + count > MAX_SAMPLES) throw malformed(at, `${count} pictures in a fragment`);
  requireHead(words, at, size, count);
  const [sequence, decodeTime] = [words.getUint32(at + 20), words.getBigUint64(at + 60)];
  if (sequence === 0) throw malformed(at, 'a fragment with the number 0');
  const end = boxEnd(words, mediaAt, 'mdat', data.length);
  let duration = 0;
  let longest = 0;
  let sampleAt = mediaAt + 8;
  for (let entry = at + HEAD_BYTES, place = 0; place < count; entry += 12, place += 1) {
    const [lasts, bytes, flags] = [words.getUint32(entry), words.getUint32(entry + 4), words.getUint32(entry + 8)];
    const first = picturesBefore + place === 0;
    if (lasts === 0 || bytes === 0 || sampleAt + bytes > end) throw malformed(entry, 'a sample that is none');
    if (flags !== (first ? KEYFRAME : OTHER)) throw malformed(entry, 'the first picture and no other is a key picture');
    requirePicture(data, words, sampleAt, sampleAt + bytes, first ? IDR : SLICE);
    duration += lasts;
    longest = Math.max(longest, lasts);
    sampleAt += bytes;
  }
  if (sampleAt !== end) throw malformed(mediaAt, 'an mdat box that is not exactly its samples');
  if (count > 1 && duration > MAX_FRAGMENT_TICKS) throw malformed(at, 'a fragment that is longer than 500 ms');
  const endTime = decodeTime + BigInt(duration);
  if (endTime >= 1n << 64n) throw malformed(at, 'a fragment that ends too late');
  return { sequence, decodeTime, endTime, pictures: count, longest, end };
}

/** The one form of a `moof` up to its table: `mfhd`, `traf` with `tfhd`, `tfdt` and `trun`; null is free. */
function requireHead(words, at, size, count) {
  const entries = 12 * count;
  const fixed = [
    size, 'moof', 16, 'mfhd', 0, null, size - 24, 'traf', 16, 'tfhd', 0x00020000, 1,
    20, 'tfdt', 0x01000000, null, null, 20 + entries, 'trun', 0x01000701, count, size + 8,
  ];
  fixed.forEach((value, place) => {
    if (value === null) return;
    const wanted = typeof value === 'number' ? value : fourBytes(value);
    if (words.getUint32(at + 4 * place) !== wanted) throw malformed(at + 4 * place, 'not the one form of a moof box');
  });
}

/** Whole NAL units, a slice of the wanted kind and none of the other, no parameter sets, no delimiter. */
function requirePicture(data, words, from, end, wanted) {
  let picture = false;
  let at = from;
  while (at < end) {
    if (at + 4 > end) throw malformed(at, 'a sample that is not made of whole NAL units');
    const begin = at + 4;
    const next = begin + words.getUint32(at);
    if (next === begin || next > end) throw malformed(at, 'a sample that is not made of whole NAL units');
    const kind = data[begin] & 0x1f;
    const isWrong = kind === IDR || kind === SLICE || LEFT_OUT.includes(kind);
    if (kind === wanted) picture = true;
    else if (isWrong) throw malformed(begin, `a NAL unit of type ${kind}`);
    if (data[begin] & 0x80) throw malformed(begin, 'a forbidden bit is set');
    at = next;
  }
  if (!picture) throw malformed(end, 'a sample without a picture');
}

/** Where the box at `at` ends; it must be a `kind`, and end at or before `limit`. */
function boxEnd(words, at, kind, limit) {
  if (at + 8 > limit) throw malformed(at, `no room for a ${kind} box`);
  const size = words.getUint32(at);
  if (words.getUint32(at + 4) !== fourBytes(kind)) throw malformed(at, `no ${kind} box`);
  if (size < 8 || size > limit - at) throw malformed(at, `a ${kind} box of ${size} bytes`);
  return at + size;
}

function fourBytes(kind) {
  return [...kind].reduce((word, char) => word * 256 + char.charCodeAt(0), 0);
}

function view(data) {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

/** The first bytes of a file that nobody can place: is it an init segment, a segment, or neither? */
export function firstBox(data) {
  return fromUtf8(data.subarray(4, 8)) ?? '';
}
