/** The AVC decoder configuration record (ISO/IEC 14496-15), and the picture size of its SPS (ITU-T H.264, 7.3.2.1). */

import { sameBytes, join } from './encoding.js';
import { Refusal } from './refusal.js';

const SPS = 7;
const PPS = 8;
/** Their chroma format and bit depths are implied. */
const PLAIN_PROFILES = new Set([66, 77, 88]);
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135, 144]);
const LARGEST_SIDE = 1024;

function malformed(what) {
  return new Refusal('media-malformed', what);
}

/**
 * The picture size `{width, height}` of a record. Throws Refusal with `media-malformed` unless the record has exactly
 * the form that its one SPS and its PPSs give it.
 */
export function readConfiguration(avcc) {
  const [sps, end] = countedNal(avcc, 6);
  const nals = [];
  let at = end + 1;
  for (let count = avcc[end] ?? 0; count > 0; count -= 1) {
    const [nal, next] = countedNal(avcc, at);
    nals.push(nal);
    at = next;
  }
  const parsed = readSps(sps);
  if (!sameBytes(configuration(sps, nals, parsed), avcc)) throw malformed('avcC does not follow from its SPS and PPS');
  return parsed;
}

function countedNal(data, at) {
  if (at + 2 > data.length) throw malformed('avcC ends too early');
  const end = at + 2 + ((data[at] << 8) | data[at + 1]);
  if (end > data.length) throw malformed('avcC ends too early');
  return [data.subarray(at + 2, end), end];
}

function configuration(sps, nals, parsed) {
  if (nals.length === 0) throw malformed('avcC without a PPS');
  const parts = [Uint8Array.of(1, sps[1], sps[2], sps[3], 0xff, 0xe1), counted(sps), Uint8Array.of(nals.length)];
  for (const nal of nals) {
    if (nal.length < 2 || nal[0] & 0x80 || (nal[0] & 0x1f) !== PPS) throw malformed('avcC: not a PPS');
    parts.push(counted(nal));
  }
  if (!PLAIN_PROFILES.has(sps[1])) {
    parts.push(Uint8Array.of(0xfc | parsed.chroma, 0xf8 | parsed.lumaBits, 0xf8 | parsed.chromaBits, 0));
  }
  return join(parts);
}

function counted(nal) {
  return join([Uint8Array.of(nal.length >> 8, nal.length & 0xff), nal]);
}

/** Reads bits and Exp-Golomb codes of an SPS without its emulation prevention bytes. */
function bitReader(sps) {
  const data = [];
  let zeros = 0;
  for (const byte of sps.subarray(1, 2048)) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    data.push(byte);
  }
  let at = 24; // behind profile, constraints and level
  const bit = () => {
    if (at >= data.length * 8) throw malformed('the SPS ends too early');
    const value = (data[at >> 3] >> (7 - (at & 7))) & 1;
    at += 1;
    return value;
  };
  const code = (most) => {
    let length = 0;
    while (bit() === 0) {
      length += 1;
      if (length > 32) throw malformed('the SPS holds a code that is none');
    }
    let value = 1;
    for (let i = 0; i < length; i += 1) value = value * 2 + bit();
    if (value - 1 > most) throw malformed('the SPS holds a value that is too large');
    return value - 1;
  };
  const signed = () => {
    const value = code(2 ** 32);
    return value % 2 === 1 ? (value + 1) / 2 : -value / 2;
  };
  return { bit, code, signed };
}

function readSps(sps) {
  if (sps.length < 4 || sps[0] & 0x80 || (sps[0] & 0x1f) !== SPS) throw malformed('not an SPS');
  const profile = sps[1];
  if (!PLAIN_PROFILES.has(profile) && !HIGH_PROFILES.has(profile)) throw malformed(`an SPS of the profile ${profile}`);
  const { bit, code, signed } = bitReader(sps);
  code(31);
  const format = { chroma: 1, lumaBits: 0, chromaBits: 0 };
  let planes = 0;
  if (HIGH_PROFILES.has(profile)) {
    format.chroma = code(3);
    if (format.chroma === 3) planes = bit();
    format.lumaBits = code(6);
    format.chromaBits = code(6);
    bit();
    if (bit()) skipScalingLists(bit, signed, format.chroma === 3 ? 12 : 8);
  }
  code(12);
  skipOrderCount(bit, code, signed);
  code(16);
  bit();
  const size = { width: 16 * (code(LARGEST_SIDE - 1) + 1), height: 16 * (code(LARGEST_SIDE - 1) + 1) };
  const fields = 2 - bit();
  size.height *= fields;
  if (fields === 2) bit();
  bit();
  if (bit()) crop(size, code, planes ? 0 : format.chroma, fields);
  bit();
  return { ...size, ...format };
}

function skipOrderCount(bit, code, signed) {
  const type = code(2);
  if (type === 0) code(12);
  if (type !== 1) return;
  bit();
  signed();
  signed();
  for (let count = code(255); count > 0; count -= 1) signed();
}

function skipScalingLists(bit, signed, count) {
  for (let list = 0; list < count; list += 1) {
    if (!bit()) continue;
    let [last, scale] = [8, 8];
    for (let i = 0; i < (list < 6 ? 16 : 64); i += 1) {
      if (scale !== 0) scale = (((last + signed()) % 256) + 256) % 256;
      last = scale || last;
    }
  }
}

function crop(size, code, chroma, fields) {
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
  const unitY = (chroma === 1 ? 2 : 1) * fields;
  const { width, height } = size;
  size.width -= unitX * (code(width) + code(width));
  size.height -= unitY * (code(height) + code(height));
  if (size.width <= 0 || size.height <= 0) throw malformed('an SPS whose crop leaves nothing');
}
