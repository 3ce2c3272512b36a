/** What a segment says of itself in its first box (spec/segment.md, section 4). It proves nothing by itself. */

import { parseObject } from './json.js';
import { BOOT_ID, HASH, MODE, NAME, Unfit, binary, decode, integer, natural, nullable, positive } from './members.js';
import { Refusal } from './refusal.js';

const MAX_BYTES = 8_192;
const IDENTITY = {
  v: positive, election: NAME, station: NAME, unit: NAME, camera: NAME, boot_id: BOOT_ID, session: HASH, run: natural,
  index: natural, mode: MODE, boot_ns: natural, utc_us: nullable(integer), error_us: nullable(natural), width: positive,
  height: positive, timescale: positive, avcc: binary,
};

/** The identity in a box's payload. Throws Refusal with `media-malformed` or `version-unknown`. */
export function readIdentity(payload) {
  if (payload.length > MAX_BYTES) throw new Refusal('media-malformed', `an identity of ${payload.length} bytes`);
  let identity;
  try {
    identity = decode(IDENTITY, parseObject(payload));
  } catch (error) {
    if (!(error instanceof Unfit || error instanceof Refusal)) throw error;
    throw new Refusal('media-malformed', `identity: ${error.message}`);
  }
  if (identity.v !== 1) throw new Refusal('version-unknown', `version ${identity.v} of the identity`);
  return identity;
}
