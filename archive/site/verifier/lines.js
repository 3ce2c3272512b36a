/** The lines of a ledger as checked values (spec/ledger.md, sections 3 and 4). */

import { sha256, toBase64url, toUtf8 } from './encoding.js';
import { parseObject } from './json.js';
import {
  BOOT_ID, DIGEST, HASH, MODE, NAME, Unfit, WORD, arrayOf, binary, decode, facts, integer, natural, nullable, oneOf,
  optional, point, positive, text,
} from './members.js';
import { Refusal } from './refusal.js';

const MAX_SEGMENT_NS = 60_000_000_000;
const MAX_SEGMENT_BYTES = 67_108_864;
const MAX_TEXT = 16_384;
const CAUSES = [
  'starting', 'stopping', 'stopped', 'power', 'crash', 'camera', 'overload', 'disk-full', 'disk-error', 'thermal',
  'paused', 'reconfigured', 'replaced', 'unknown',
];

const LINE = {
  seq: natural, prev: HASH, kind: WORD, boot_ns: natural, utc_us: nullable(integer), error_us: nullable(natural),
};
const SEGMENT = {
  camera: NAME, run: natural, index: natural, mode: MODE, sha256: DIGEST, size: positive, from_ns: natural,
  to_ns: natural, frames: positive, holes: optional(arrayOf(natural, 2, 2), [0, 0]),
};
const KINDS = {
  start: {
    election: NAME, station: NAME, unit: NAME, boot_id: BOOT_ID, session: point, certs: arrayOf(binary, 1, 4),
    cameras: arrayOf(NAME, 1, 4), software: text(100), ended: WORD, evidence: facts,
  },
  run: {
    camera: NAME, run: natural, source: text(100), init_sha256: DIGEST, mask_sha256: DIGEST, width: positive,
    height: positive, timescale: positive, fps: positive, codec: text(32),
  },
  segment: SEGMENT,
  recovered: { ...SEGMENT, session: HASH },
  gap: {
    camera: NAME, from_ns: natural, to_ns: natural, cause: oneOf(...CAUSES), evidence: facts,
    from_boot: optional(nullable(BOOT_ID), null),
  },
  event: { event: WORD, camera: optional(nullable(NAME), null), data: facts },
  clock: { change: oneOf('gained', 'lost', 'step'), step_us: nullable(integer) },
  config: {
    what: WORD, profile: optional(nullable(text(MAX_TEXT)), null), camera: optional(nullable(NAME), null),
    mask: optional(nullable(text(MAX_TEXT)), null), sha256: optional(nullable(DIGEST), null),
  },
  pruned: {
    camera: NAME, session: HASH, run: natural, from_index: natural, to_index: natural, reason: WORD,
    receipt: optional(nullable(text(MAX_TEXT)), null),
  },
  close: { to_ns: natural, by: oneOf('persons', 'window') },
};

const CONFIG_MEMBERS = new Map([['profile', ['profile']], ['mask', ['camera', 'mask', 'sha256']]]);

/**
 * The line that a payload holds: `{seq, prev, kind, boot_ns, utc_us, error_us, body}`, `body` with the members of its
 * kind, or null for a kind that this version does not know. Throws Refusal with `payload-malformed`.
 */
export function readPayload(payload) {
  const members = parseObject(payload);
  try {
    const line = decode(LINE, members);
    if (line.utc_us === null && line.error_us !== null) throw new Unfit('error_us without utc_us');
    if (!Object.hasOwn(KINDS, line.kind)) return { ...line, body: null };
    const body = decode(KINDS[line.kind], members);
    requireSense(line.kind, body);
    return { ...line, body };
  } catch (error) {
    throw error instanceof Unfit ? new Refusal('payload-malformed', error.message) : error;
  }
}

/** What one member alone cannot say. */
function requireSense(kind, body) {
  const length = body.to_ns - body.from_ns;
  if (kind === 'segment' || kind === 'recovered') {
    if (length <= 0) throw new Unfit('to_ns is not after from_ns');
    if (length > MAX_SEGMENT_NS) throw new Unfit('to_ns is more than a minute after from_ns');
    if (body.size > MAX_SEGMENT_BYTES) throw new Unfit('size is more than 64 MiB');
  } else if (kind === 'gap') {
    if (body.from_boot === null && length <= 0) throw new Unfit('to_ns is not after from_ns');
  } else if (kind === 'pruned') {
    if (body.from_index >= body.to_index) throw new Unfit('to_index is not after from_index');
  } else if (kind === 'start') {
    if (new Set(body.cameras).size !== body.cameras.length) throw new Unfit('cameras names one camera twice');
  } else if (kind === 'config') {
    const needed = CONFIG_MEMBERS.get(body.what) ?? [];
    if (needed.some((name) => body[name] === null)) throw new Unfit(`a config line on ${body.what} lacks a member`);
  }
}

/** What the next line calls `prev`: base64url of the SHA-256 of a line without its LF. */
export async function lineHash(line) {
  return toBase64url(await sha256(line));
}

/** `prev` of line 0 (section 3). */
export function genesis({ election, station, unit }) {
  return lineHash(toUtf8(`unbroken-1 ${election} ${station} ${unit}`));
}

/** `synced`, `unsynced` or `unset` (section 3). */
export function clockState({ utc_us, error_us }) {
  if (utc_us === null) return 'unset';
  return error_us === null ? 'unsynced' : 'synced';
}
