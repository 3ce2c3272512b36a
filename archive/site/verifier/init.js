/** The init segment of a run, rebuilt from what a segment says of itself (spec/segment.md, section 5). */

import { readConfiguration } from './avc.js';
import { join, sha256, toHex, toUtf8 } from './encoding.js';
import { Refusal } from './refusal.js';

const MATRIX = words(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

/**
 * `ftyp` and `moov` for one H.264 track. Throws Refusal with `media-malformed` where `avcc` is no decoder configuration
 * record, or tells another picture size.
 */
export function initSegment(stream) {
  return join([box('ftyp', toUtf8('cmf2'), words(0), toUtf8('cmf2cmfciso6')), movie(stream)]);
}

/** `ftyp` and `moov` that a clip of this stream begins with (spec/clip.md); `duration` are 8 bytes. Throws likewise. */
export function clipHead(stream, duration) {
  const type = box('ftyp', toUtf8('iso6'), words(0), toUtf8('iso6isomavc1mp41'));
  return join([type, movie(stream, box('mehd', words(0x01000000), duration))]);
}

function movie({ width, height, timescale, avcc }, ...extended) {
  const told = readConfiguration(avcc);
  if (told.width !== width || told.height !== height) {
    throw new Refusal('media-malformed', `${width}x${height}, but the SPS says ${told.width}x${told.height}`);
  }
  const entry = box('avc1', words(0), shorts(0, 1), new Uint8Array(16), shorts(width, height),
    words(72 << 16, 72 << 16, 0), shorts(1), new Uint8Array(32), shorts(24, 0xffff), box('avcC', avcc));
  const samples = box('stbl', fullBox('stsd', 0, words(1), entry), fullBox('stts', 0, words(0)),
    fullBox('stsc', 0, words(0)), fullBox('stsz', 0, words(0, 0)), fullBox('stco', 0, words(0)));
  const data = box('dinf', fullBox('dref', 0, words(1), fullBox('url ', 1)));
  const media = box('mdia',
    fullBox('mdhd', 0, words(0, 0, timescale, 0), shorts(0x55c4, 0)),
    fullBox('hdlr', 0, words(0), toUtf8('vide'), new Uint8Array(13)),
    box('minf', fullBox('vmhd', 1, new Uint8Array(8)), data, samples));
  const track = box('trak',
    fullBox('tkhd', 3, words(0, 0, 1, 0, 0, 0, 0), shorts(0, 0, 0, 0), MATRIX, shorts(width, 0, height, 0)), media);
  const header = fullBox('mvhd', 0, words(0, 0, 1000, 0, 0x10000), shorts(0x100, 0), words(0, 0), MATRIX,
    new Uint8Array(24), words(2));
  return box('moov', header, track, box('mvex', ...extended, fullBox('trex', 0, words(1, 1, 0, 0, 0))));
}

/** The digest of the init segment, hexadecimal, and the last one kept: a run has one. */
export function initDigests() {
  let last = '';
  let digest = '';
  return async (stream) => {
    const key = `${stream.width} ${stream.height} ${stream.timescale} ${toHex(stream.avcc)}`;
    if (key !== last) {
      digest = toHex(await sha256(initSegment(stream)));
      last = key;
    }
    return digest;
  };
}

function box(kind, ...parts) {
  const body = join(parts);
  return join([words(8 + body.length), toUtf8(kind), body]);
}

function fullBox(kind, flags, ...parts) {
  return box(kind, words(flags), ...parts);
}

function words(...values) {
  return join(values.map((value) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)));
}

function shorts(...values) {
  return join(values.map((value) => Uint8Array.of(value >>> 8, value)));
}
