/** Whom the check trusts: roots and revocation lists, each with where it came from and its fingerprint. */

import { sha256, toHex } from '../verifier/encoding.js';
import { Misuse } from '../verifier/refusal.js';
import { readTrust } from '../verifier/trust.js';

const MAX_PEM_BYTES = 1 << 20;

/**
 * A list of what was brought, by people (`name` is the file's) or by the site (`name` null): `add(bytes, name)`,
 * `remove(entry)`, `entries()` as `{name, pem, fingerprints, hasLists}`, `trust()` as PEM files. Roots that a person
 * chose take the place of the site's; revocation lists add up.
 */
export function trustedRoots() {
  let entries = [];
  return {
    /** Resolves to the entry; throws Misuse where the bytes hold neither root nor list, or cannot be read. */
    async add(pem, name) {
      if (pem.length > MAX_PEM_BYTES) throw new Misuse('too long');
      const { roots, lists } = readTrust([pem]);
      const fingerprints = [];
      for (const { der } of roots) fingerprints.push(fingerprint(await sha256(der)));
      const entry = { name, pem, fingerprints, hasLists: lists.length > 0 };
      entries.push(entry);
      return entry;
    },
    remove(entry) {
      entries = entries.filter((each) => each !== entry);
    },
    entries: () => [...entries],
    /** `{trust, fingerprints}`: PEM files, and the roots by which a verdict is given. */
    trust() {
      const own = entries.filter(({ name, fingerprints }) => name !== null && fingerprints.length > 0);
      const roots = own.length > 0 ? own : entries.filter(({ fingerprints }) => fingerprints.length > 0);
      const lists = entries.filter(({ fingerprints }) => fingerprints.length === 0);
      const trust = [...roots, ...lists].map(({ pem }) => pem);
      return { trust, fingerprints: roots.flatMap((entry) => entry.fingerprints) };
    },
  };
}

/** 32 bytes as pairs of hexadecimal digits, as `openssl x509 -fingerprint -sha256` prints them. */
function fingerprint(digest) {
  return toHex(digest).toUpperCase().match(/../g).join(':');
}
