/** Step 8 of spec/verify.md: a media file against the line that names it. */

import { sha256, toHex } from './encoding.js';
import { readIdentity } from './identity.js';
import { initDigests } from './init.js';
import { Refusal } from './refusal.js';
import { identityPayload, readSegment } from './segment.js';

const TICKS_PER_SECOND = 90_000;
const MAX_PICTURE_TICKS = 45_000;
/** A millisecond and two ticks: what rounding leaves between the camera's clock and the line's numbers. */
const SLACK_TICKS = 92;

/** Judges segments; keeps the last rebuilt init segment's digest. */
export function segmentJudge() {
  const initDigest = initDigests();
  /**
   * What is wrong with the bytes that lie in the place of `piece`: `[code, detail]` for each fault, none where they are
   * what was signed. `piece` is the line's body with `election`, `station`, `unit`, `boot_id` and `session`; `run` the
   * body of its run's line, or null.
   */
  return async (piece, run, data) => {
    if (toHex(await sha256(data)) !== piece.sha256) return [changedOrSwapped(piece, data)];
    if (data.length !== piece.size) return [['media-mismatch', `${data.length} bytes, the line says ${piece.size}`]];
    try {
      const identity = readIdentity(identityPayload(data));
      const content = readSegment(data, identity.timescale);
      const faults = [];
      const init = await initDigest(identity);
      const sameInit = run === null || run.init_sha256 === init;
      faults.push(...identityFaults(piece, identity, sameInit ? run : null), ...timeFaults(piece, content, run));
      if (!sameInit) faults.push(['init-mismatch', '']);
      return faults;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [['media-malformed', error.message]];
    }
  };
}

/** The fault of bytes that are not the signed ones, by what they say of themselves; their beginning is enough. */
export function changedOrSwapped(piece, data) {
  const identity = peekIdentity(data);
  if (identity === null || namesSame(piece, identity)) return ['media-changed', ''];
  return ['media-swapped', `it says that it is ${describe(identity)}`];
}

/** What a file that begins with `data` says that it is; null where that cannot be read. */
export function peekIdentity(data) {
  try {
    return readIdentity(identityPayload(data));
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** What a file claims to be, for people. */
export function describe({ election, station, unit, camera, run, index, mode }) {
  return `election ${election}, station ${station}, unit ${unit}, ${camera}, run ${run}, segment ${index}, ${mode}`;
}

function namesSame(piece, identity) {
  const names = ['election', 'station', 'unit', 'session', 'camera', 'run', 'index'];
  return names.every((name) => piece[name] === identity[name]);
}

function identityFaults(piece, identity, run) {
  const faults = [];
  if (identity.mode !== piece.mode) {
    faults.push([piece.mode === 'LIVE' ? 'test-as-live' : 'identity-mismatch', `the segment says ${identity.mode}`]);
  }
  const sameStream = run === null || ['width', 'height', 'timescale'].every((name) => run[name] === identity[name]);
  const sameTime = identity.boot_id === piece.boot_id && identity.boot_ns === piece.from_ns;
  if (!namesSame(piece, identity) || !sameTime || !sameStream) {
    faults.push(['identity-mismatch', `it says that it is ${describe(identity)}`]);
  }
  return faults;
}

function timeFaults(piece, { decodeTime, endTime, pictures, longest }, run) {
  const wrong = [];
  if (decodeTime !== ticks(piece.from_ns)) wrong.push(`it begins at ${decodeTime} ticks`);
  if (endTime !== ticks(piece.to_ns)) wrong.push(`it ends at ${endTime} ticks`);
  if (pictures !== piece.frames) wrong.push(`it holds ${pictures} pictures`);
  if (longest > MAX_PICTURE_TICKS + SLACK_TICKS) wrong.push('a picture lasts longer than 500 ms');
  const [dropped, told_ms] = piece.holes;
  const told = Math.floor((told_ms * TICKS_PER_SECOND) / 1000);
  if (told > 0 && Math.abs(longest - told) > SLACK_TICKS) wrong.push(`its longest hole is not ${told_ms} ms`);
  if (told === 0 && run !== null && 2 * longest * run.fps > 3 * (TICKS_PER_SECOND + SLACK_TICKS)) {
    wrong.push('a hole is not told');
  }
  if (dropped > 0 !== told_ms > 0) wrong.push('of the two numbers of holes one stands alone');
  return wrong.length === 0 ? [] : [['media-mismatch', wrong.join('; ')]];
}

function ticks(boot_ns) {
  return (BigInt(boot_ns) * BigInt(TICKS_PER_SECOND)) / 1_000_000_000n;
}
