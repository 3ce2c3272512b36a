/** Signed texts that lines carry: the election's profile and the archive's receipts. */

import { sha256, toHex, toUtf8 } from './encoding.js';
import { parseObject } from './json.js';
import { PROFILE_TYP, RECEIPT_TYP, unseal } from './jws.js';
import { publicKey, verifies } from './keys.js';
import {
  DIGEST, HASH, MODE, NAME, Unfit, arrayOf, binary, decode, integer, matching, natural, nullable, oneOf, optional, text,
} from './members.js';
import { Refusal } from './refusal.js';
import { checkChain } from './trust.js';

const MAX_RECEIPT_BYTES = 16_384;
const PROFILE = {
  election: NAME, title: text(200), mode: MODE, from_us: integer, to_us: integer, margin_s: natural,
  time_zone: matching(/^[A-Za-z0-9_+/-]{1,64}$/, 'an IANA time zone'), witnesses: natural, certs: arrayOf(binary, 1, 4),
};
const RECEIPT = {
  kind: oneOf('logged', 'stored'), election: NAME, station: NAME, unit: NAME, archive: NAME, utc_us: integer,
  certs: arrayOf(binary, 1, 4), seq: optional(nullable(natural), null), sha256: optional(nullable(HASH), null),
  media: optional(arrayOf(DIGEST, 1, 128), []),
};

/**
 * A profile (spec/ledger.md, section 6): `{profile, certified, digest}`; `digest` is what an `armed` event names.
 * Dates of certificates are for the caller. Throws Refusal with `profile-refused`.
 */
export function readProfile(signed, trust) {
  return refusing('profile-refused', async () => {
    const { token, body: profile } = open(toUtf8(signed), PROFILE_TYP, PROFILE);
    const certified = await requireSigner(token, profile, 'authority', trust);
    if (profile.mode === 'UNARMED') throw new Unfit('it arms nobody');
    if (profile.from_us >= profile.to_us) throw new Unfit('its window ends before it begins');
    return { profile, certified, digest: toHex(await sha256(toUtf8(signed))) };
  });
}

/** A receipt, by steps 1 to 5 of spec/receipt.md, section 4. Throws Refusal with `receipt-refused`. */
export function readReceipt(signed, trust, { election, station, unit }) {
  return refusing('receipt-refused', async () => {
    const bytes = toUtf8(signed.endsWith('\n') ? signed.slice(0, -1) : signed);
    if (bytes.length > MAX_RECEIPT_BYTES) throw new Unfit('it is too long');
    const { token, body: receipt } = open(bytes, RECEIPT_TYP, RECEIPT);
    const logged = receipt.seq !== null && receipt.sha256 !== null && receipt.media.length === 0;
    const stored = receipt.seq === null && receipt.sha256 === null && receipt.media.length > 0;
    if (receipt.kind === 'logged' ? !logged : !stored) throw new Unfit('members of another kind');
    const isInOrder = receipt.media.every((digest, at) => at === 0 || digest > receipt.media[at - 1]);
    if (!isInOrder) throw new Unfit('media not in order, each once');
    const { fromUs, toUs, revokedUs } = await requireSigner(token, receipt, 'receipt', trust);
    if (receipt.utc_us < fromUs || receipt.utc_us > toUs) throw new Unfit('its key was not valid at its time');
    if (revokedUs !== null && receipt.utc_us >= revokedUs) throw new Unfit('its key had been revoked');
    if (receipt.election !== election || receipt.station !== station || receipt.unit !== unit) {
      throw new Unfit(`it is for ${receipt.election} ${receipt.station} ${receipt.unit}`);
    }
    return receipt;
  });
}

function open(bytes, typ, schema) {
  const token = unseal(bytes, typ);
  return { token, body: decode(schema, parseObject(token.payload)) };
}

async function requireSigner(token, body, role, trust) {
  const certified = await checkChain(trust, body.certs);
  const { subject, kid, point } = certified;
  if (subject.role !== role || subject.election !== body.election) throw new Unfit(`not signed by the ${role} key`);
  if (kid !== token.kid || !(await verifies(await publicKey(point), token.signed, token.signature))) {
    throw new Unfit('its signature does not check');
  }
  return certified;
}

async function refusing(code, read) {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Unfit || error instanceof Refusal) throw new Refusal(code, error.message);
    throw error;
  }
}
