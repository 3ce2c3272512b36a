/** Whom a reader trusts: election roots and revocation lists, and what a chain of certificates is worth by them. */

import { DerError } from './der.js';
import { fromUtf8, sameBytes } from './encoding.js';
import { thumbprint } from './keys.js';
import { Misuse, Refusal } from './refusal.js';
import { isIssued, isSigned, readCertificate, readRevocations } from './x509.js';

const MAX_DER_BYTES = 4_096;
const PEM = /-----BEGIN (CERTIFICATE|X509 CRL)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;
const URI = new RegExp(
  '^urn:unbroken:([A-Za-z0-9-]{1,32}):' +
    '(?:(root|authority|receipt|archive)|(unit|uplink):([A-Za-z0-9-]{1,32}):([A-Za-z0-9-]{1,32})|' +
    '(operator):(?:watch|operate|administer):[A-Za-z0-9-]{1,32})$',
);

/** Validity from 1970-01-01T00:00:00Z and before has no beginning, to 9999-12-31T23:59:59Z no end. */
const BEGINNING_US = 0;
const END_US = 253_402_300_799_000_000;

/**
 * `{roots, lists}` from PEM files (bytes), roots and revocation lists in any order. No file: nobody is trusted. A root
 * is as `readCertificate` gives it, with its bytes as `der`.
 * Throws Misuse where a file holds neither, or something that cannot be read.
 */
export function readTrust(files) {
  const trust = { roots: [], lists: [] };
  for (const file of files) {
    const found = [...(fromUtf8(file) ?? '').matchAll(PEM)];
    if (found.length === 0) throw new Misuse('a file holds neither a certificate nor a revocation list in PEM');
    for (const [, what, text] of found) {
      try {
        const der = Uint8Array.from(globalThis.atob(text.replace(/\s/g, '')), (char) => char.charCodeAt(0));
        if (what === 'CERTIFICATE') trust.roots.push({ ...readCertificate(der), der });
        else trust.lists.push(readRevocations(der));
      } catch (error) {
        throw new Misuse(`a certificate or revocation list cannot be read: ${error.message}`);
      }
    }
  }
  return trust;
}

/**
 * What a chain of DER certificates (subject first, root left out) vouches for, dates aside:
 * `{subject, point, kid, fromUs, toUs, revokedUs}`. `subject` is `{election, role, station, unit}`; `fromUs` and `toUs`
 * are the narrowest validity of the chain, both ends valid, infinite where there is none; `revokedUs` is when a list of
 * its issuer says that one of them was revoked, or null. Without roots the chain is checked in itself only.
 * Throws Refusal with `cert-untrusted` or `cert-wrong-election`.
 */
export async function checkChain(trust, chain) {
  const certs = chain.map(load);
  for (let at = 0; at + 1 < certs.length; at += 1) {
    if (!(await isIssued(certs[at], certs[at + 1]))) {
      throw untrusted('a certificate is not issued by the next one of its chain');
    }
  }
  const issuers = certs.slice(1);
  const subject = readSubject(certs[0]);
  if (trust.roots.length > 0) issuers.push(await findRoot(trust, certs[certs.length - 1], subject));
  const revoked = [];
  for (let at = 0; at < issuers.length; at += 1) revoked.push(...(await revocations(trust, certs[at], issuers[at])));
  const fromUs = Math.max(...certs.map((cert) => cert.fromUs));
  const toUs = Math.min(...certs.map((cert) => cert.toUs));
  return {
    subject,
    point: certs[0].point,
    kid: await thumbprint(certs[0].point),
    fromUs: fromUs <= BEGINNING_US ? -Infinity : fromUs,
    toUs: toUs >= END_US ? Infinity : toUs,
    revokedUs: revoked.length === 0 ? null : Math.min(...revoked),
  };
}

function untrusted(message) {
  return new Refusal('cert-untrusted', message);
}

function load(der) {
  if (der.length > MAX_DER_BYTES) throw untrusted('a certificate is too long');
  try {
    const cert = readCertificate(der);
    if (cert.serial <= 0n) throw untrusted("a certificate's serial number is not positive");
    return cert;
  } catch (error) {
    throw error instanceof DerError ? untrusted(`a certificate cannot be read: ${error.message}`) : error;
  }
}

async function findRoot(trust, cert, subject) {
  const issuing = [];
  for (const root of trust.roots) if (await isIssued(cert, root)) issuing.push(root);
  if (issuing.length === 0) throw untrusted('the certificate does not lead to a trusted root');
  const root = issuing.find((each) => readSubject(each).election === subject.election);
  if (root === undefined) {
    throw new Refusal('cert-wrong-election', 'the certificate and its root are of two elections');
  }
  return root;
}

async function revocations(trust, cert, issuer) {
  const found = [];
  for (const list of trust.lists) {
    const at = list.revoked.get(cert.serial);
    if (at !== undefined && sameBytes(list.issuer, cert.issuer) && (await isSigned(list, issuer))) found.push(at);
  }
  return found;
}

function readSubject(cert) {
  const found = cert.uris?.length === 1 ? URI.exec(cert.uris[0]) : null;
  if (found === null) throw untrusted('the certificate names nobody of an election');
  const role = found[2] ?? found[3] ?? found[6];
  return { election: found[1], role, station: found[4] ?? null, unit: found[5] ?? null };
}
