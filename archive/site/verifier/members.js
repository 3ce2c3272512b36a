/** Members of JSON objects: what each may be. A check takes a value and gives it back, or throws with a reason. */

import { textFromBase64url } from './encoding.js';

/** Not what a member must be; whoever reads the whole object makes it a refusal. */
export class Unfit extends Error {}

function unfit(what) {
  throw new Unfit(what);
}

/** A whole number. */
export function integer(value) {
  return Number.isInteger(value) ? value : unfit('is not an integer');
}

/** A whole number, 0 or more. */
export function natural(value) {
  return Number.isInteger(value) && value >= 0 ? value : unfit('is not an integer of 0 or more');
}

/** A whole number, 1 or more. */
export function positive(value) {
  return Number.isInteger(value) && value >= 1 ? value : unfit('is not an integer of 1 or more');
}

/** Null, or what `check` takes. */
export function nullable(check) {
  return (value) => (value === null ? null : check(value));
}

/** Text that matches `pattern`, which is anchored at both ends. */
export function matching(pattern, what) {
  return (value) => (typeof value === 'string' && pattern.test(value) ? value : unfit(`is not ${what}`));
}

/** Text of at most `most` Unicode characters. */
export function text(most) {
  return (value) => {
    if (typeof value !== 'string') unfit('is not text');
    if (value.length > most && [...value].length > most) unfit(`has more than ${most} characters`);
    return value;
  };
}

/** One of `words`. */
export function oneOf(...words) {
  return (value) => (words.includes(value) ? value : unfit(`is none of ${words.join(', ')}`));
}

/** An array of `least` to `most` values. */
export function arrayOf(check, least, most) {
  return (value) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) {
      unfit(`is not an array of ${least} to ${most} values`);
    }
    return value.map((each) => check(each));
  };
}

/** Bytes, written as base64url. */
export function binary(value) {
  const data = typeof value === 'string' ? textFromBase64url(value) : null;
  return data === null ? unfit('is not base64url') : data;
}

/** An object of at most 32 texts, integers and nulls: `evidence` and `data`. */
export function facts(value) {
  if (!isObject(value) || Object.keys(value).length > 32) unfit('is not an object of at most 32 members');
  for (const held of Object.values(value)) {
    const isFact = held === null || typeof held === 'string' || Number.isInteger(held);
    if (!isFact) unfit('holds more than texts, integers and null');
  }
  return value;
}

/** The public key of a JWK that holds exactly crv, kty, x and y: an uncompressed point of 65 bytes. */
export function point(value) {
  if (!isObject(value) || Object.keys(value).sort().join() !== 'crv,kty,x,y') unfit('is not a public JWK');
  if (value.crv !== 'P-256' || value.kty !== 'EC') unfit('is not a P-256 key');
  const [x, y] = [binary(value.x), binary(value.y)];
  if (x.length !== 32 || y.length !== 32) unfit('has coordinates that are not 32 bytes long');
  return Uint8Array.of(4, ...x, ...y);
}

export const NAME = matching(/^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/, 'a name');
export const WORD = matching(/^[a-z0-9][a-z0-9-]{0,47}$/, 'a word in lower case');
export const DIGEST = matching(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');
export const HASH = matching(/^[A-Za-z0-9_-]{43}$/, 'a SHA-256 in base64url');
export const BOOT_ID = matching(/^[0-9a-f]{32}$/, 'a kernel boot id');
export const MODE = oneOf('UNARMED', 'TEST', 'LIVE');

/** A member that may be left out; then it is `fallback`. */
export function optional(check, fallback) {
  return { check, fallback };
}

/**
 * The members of `object` that `schema` lists, each checked; others are not looked at.
 * `schema` maps names to checks or to `optional` ones. Throws Unfit that names the member.
 */
export function decode(schema, object) {
  const decoded = {};
  for (const [name, rule] of Object.entries(schema)) {
    const check = typeof rule === 'function' ? rule : rule.check;
    if (name in object) {
      try {
        decoded[name] = check(object[name]);
      } catch (error) {
        throw error instanceof Unfit ? new Unfit(`${name}: ${error.message}`) : error;
      }
    } else if (typeof rule === 'function') {
      throw new Unfit(`${name} is missing`);
    } else {
      decoded[name] = rule.fallback;
    }
  }
  return decoded;
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
