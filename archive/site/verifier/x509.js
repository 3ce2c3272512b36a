/** Certificates and revocation lists (RFC 5280), as far as spec/ledger.md, section 7, needs them. */

import {
  DerError, TAG, rawSignature, readAll, readBits, readBoolean, readElement, readInteger, readOid, readOnly, readTime,
  walk,
} from './der.js';
import { sameBytes } from './encoding.js';
import { publicKey, verifies } from './keys.js';

const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const P256 = '1.2.840.10045.3.1.7';
const ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const URI_TAG = 0x86;
const KEY_CERT_SIGN = 0x04;

/**
 * A certificate: `{tbs, signature, serial, issuer, subject, fromUs, toUs, point, uris, ca, certSign}`. Names are DER;
 * `uris` is null without a subject alternative name. Throws DerError for what is no certificate of a P-256 key.
 */
export function readCertificate(der) {
  const { tbs, algorithm, signature } = readSigned(der);
  const parts = walk(readAll(tbs.value));
  const version = readInteger(readOnly(parts.take(0xa0).value, TAG.INTEGER));
  if (version !== 2n) throw new DerError('not X.509 version 3');
  const serial = readInteger(parts.take(TAG.INTEGER));
  requireAlgorithm(parts.take(TAG.SEQUENCE), algorithm);
  const issuer = readName(parts.take(TAG.SEQUENCE));
  const validity = readAll(parts.take(TAG.SEQUENCE).value);
  if (validity.length !== 2) throw new DerError('a validity that is none');
  const [fromUs, toUs] = validity.map(readTime);
  const subject = readName(parts.take(TAG.SEQUENCE));
  const point = readPoint(parts.take(TAG.SEQUENCE));
  parts.maybe(0x81);
  parts.maybe(0x82);
  const extensions = readExtensions(parts.maybe(0xa3));
  parts.done();
  return { tbs: tbs.whole, signature, serial, issuer, subject, fromUs, toUs, point, ...extensions };
}

/** A revocation list: `{tbs, signature, issuer, revoked}`; `revoked` maps serials to microseconds since 1970 UTC. */
export function readRevocations(der) {
  const { tbs, algorithm, signature } = readSigned(der);
  const parts = walk(readAll(tbs.value));
  parts.maybe(TAG.INTEGER);
  requireAlgorithm(parts.take(TAG.SEQUENCE), algorithm);
  const issuer = readName(parts.take(TAG.SEQUENCE));
  while (parts.next() === TAG.UTC_TIME || parts.next() === TAG.TIME) readTime(parts.take(parts.next()));
  const revoked = new Map();
  for (const entry of readAll(parts.maybe(TAG.SEQUENCE)?.value ?? new Uint8Array(0))) {
    const [serial, date] = readAll(entry.value);
    if (date === undefined) throw new DerError('a revocation that is none');
    const number = readInteger(serial);
    revoked.set(number, Math.min(readTime(date), revoked.get(number) ?? Infinity));
  }
  parts.maybe(0xa0);
  parts.done();
  return { tbs: tbs.whole, signature, issuer, revoked };
}

/** Whether `issuer` may issue certificates, has the name that `cert` gives its issuer, and signed it. */
export async function isIssued(cert, issuer) {
  return issuer.ca && issuer.certSign && sameBytes(cert.issuer, issuer.subject) && isSigned(cert, issuer);
}

/** Whether `signed` (a certificate or a revocation list) bears the signature of `issuer`'s key. */
export async function isSigned(signed, issuer) {
  return verifies(await publicKey(issuer.point), signed.tbs, signed.signature);
}

function readSigned(der) {
  const parts = walk(readAll(readOnly(der).value));
  const tbs = parts.take(TAG.SEQUENCE);
  const algorithm = parts.take(TAG.SEQUENCE);
  const { data, unused } = readBits(parts.take(TAG.BITS));
  parts.done();
  const oids = readAll(algorithm.value);
  if (oids.length !== 1 || readOid(oids[0]) !== ECDSA_SHA256) throw new DerError('not signed with ECDSA and SHA-256');
  if (unused !== 0) throw new DerError('a signature that is none');
  return { tbs, algorithm, signature: rawSignature(data) };
}

function requireAlgorithm(inner, outer) {
  if (!sameBytes(inner.whole, outer.whole)) throw new DerError('two signature algorithms');
}

/** A distinguished name, DER; its parts are sets of pairs that begin with an object identifier. */
function readName(element) {
  for (const set of readAll(element.value)) {
    if (set.tag !== 0x31) throw new DerError('a name that is none');
    for (const pair of readAll(set.value)) readOid(walk(readAll(pair.value)).take(TAG.OID));
  }
  return element.whole;
}

function readPoint(element) {
  const parts = walk(readAll(element.value));
  const algorithm = walk(readAll(parts.take(TAG.SEQUENCE).value));
  const { data, unused } = readBits(parts.take(TAG.BITS));
  parts.done();
  if (readOid(algorithm.take(TAG.OID)) !== EC_PUBLIC_KEY || readOid(algorithm.take(TAG.OID)) !== P256) {
    throw new DerError('a key that is not on P-256');
  }
  if (unused !== 0 || data.length !== 65 || data[0] !== 4) throw new DerError('a point that is not uncompressed');
  return data;
}

function readExtensions(element) {
  const read = { uris: null, ca: false, certSign: false };
  const seen = new Set();
  for (const extension of element === null ? [] : readAll(readOnly(element.value).value)) {
    const parts = walk(readAll(extension.value));
    const oid = readOid(parts.take(TAG.OID));
    const critical = parts.maybe(TAG.BOOLEAN);
    if (critical !== null && !readBoolean(critical)) throw new DerError('a default that is written');
    const { value } = parts.take(TAG.OCTETS);
    parts.done();
    if (seen.has(oid)) throw new DerError('an extension occurs twice');
    seen.add(oid);
    if (oid === ALT_NAME) read.uris = readUris(value);
    if (oid === BASIC_CONSTRAINTS) read.ca = readCa(value);
    if (oid === KEY_USAGE) read.certSign = readCertSign(value);
  }
  return read;
}

function readUris(value) {
  const uris = [];
  for (const name of readAll(readOnly(value).value)) {
    if (name.tag === URI_TAG) uris.push(String.fromCharCode(...name.value.subarray(0, 1024)));
  }
  return uris;
}

function readCa(value) {
  const parts = walk(readAll(readOnly(value).value));
  const ca = parts.maybe(TAG.BOOLEAN);
  const length = parts.maybe(TAG.INTEGER);
  if (length !== null && readInteger(length) < 0n) throw new DerError('a path length that is none');
  parts.done();
  if (ca !== null && !readBoolean(ca)) throw new DerError('a default that is written');
  return ca !== null;
}

function readCertSign(value) {
  const element = readElement(value);
  if (element.tag !== TAG.BITS || element.end !== value.length) throw new DerError('a key usage that is none');
  return ((readBits(element).data[0] ?? 0) & KEY_CERT_SIGN) !== 0;
}
