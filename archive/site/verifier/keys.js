/** P-256 keys: thumbprints and signatures (RFC 7638; RFC 7518, section 3.4). */

import { sha256, toBase64url, toUtf8 } from './encoding.js';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const SIGNATURE_BYTES = 64;

/** The RFC 7638 thumbprint of an uncompressed point: base64url, 43 characters. */
export async function thumbprint(point) {
  const [x, y] = [toBase64url(point.subarray(1, 33)), toBase64url(point.subarray(33))];
  return toBase64url(await sha256(toUtf8(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)));
}

/** The public key of an uncompressed point, or null where it is not on the curve. */
export async function publicKey(point) {
  try {
    return await globalThis.crypto.subtle.importKey('raw', point, ECDSA, false, ['verify']);
  } catch {
    return null;
  }
}

/** Whether `signature` (r then s) is ES256 of `key` over `message`. Null is no key, and vouches for nothing. */
export async function verifies(key, message, signature) {
  if (key === null || signature.length !== SIGNATURE_BYTES) return false;
  try {
    return await globalThis.crypto.subtle.verify(ECDSA, key, signature, message);
  } catch {
    return false;
  }
}
