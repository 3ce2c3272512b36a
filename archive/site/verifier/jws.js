/** Compact JWS with one algorithm and one form of header (spec/ledger.md, section 2). */

import { fromBase64url, fromUtf8 } from './encoding.js';
import { Refusal } from './refusal.js';

export const LINE_TYP = 'unbroken-1';
export const PROFILE_TYP = 'unbroken-profile-1';
export const RECEIPT_TYP = 'unbroken-receipt-1';

/** Of a line with its LF. */
export const MAX_LINE_BYTES = 65_536;

const DOT = 0x2e;
const HEADER = /^\{"alg":"ES256","kid":"([A-Za-z0-9_-]{43})","typ":"([a-z0-9-]{1,32})"\}$/;
const VERSIONED = /^(.*-)([0-9]+)$/;

/**
 * Takes a line (bytes, without LF) apart: `{kid, signed, signature, payload}`. `signed` is the signing input. Nothing
 * is known of the signature yet. Throws Refusal where the form is not exactly that of the format.
 */
export function unseal(text, typ = LINE_TYP) {
  if (text.length >= MAX_LINE_BYTES) throw new Refusal('line-too-long', `more than ${MAX_LINE_BYTES} bytes`);
  const first = text.indexOf(DOT);
  const second = text.indexOf(DOT, first + 1);
  if (first < 1 || second < first + 2 || second + 1 === text.length) throw malformed();
  const header = fromBase64url(text, 0, first);
  const payload = fromBase64url(text, first + 1, second);
  const signature = fromBase64url(text, second + 1);
  if (header === null || payload === null || signature === null) throw malformed();
  const fixed = HEADER.exec(fromUtf8(header) ?? '');
  if (fixed === null) throw new Refusal('header-refused', 'the header is not the one that the format fixes');
  const [, kid, found] = fixed;
  if (found !== typ) throw wrongTyp(found, typ);
  return { kid, signed: text.subarray(0, second), signature, payload };
}

function malformed() {
  return new Refusal('line-malformed', 'the line is not three parts of base64url with dots between');
}

function wrongTyp(found, wanted) {
  const [ours, theirs] = [VERSIONED.exec(wanted), VERSIONED.exec(found)];
  if (theirs !== null && ours[1] === theirs[1]) {
    return new Refusal('version-unknown', `version ${theirs[2]} of the format; this verifier knows ${ours[2]}`);
  }
  return new Refusal('header-refused', `the header says ${found}, not ${wanted}`);
}
