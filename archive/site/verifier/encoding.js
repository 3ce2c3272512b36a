/** Bytes and the texts that stand for them: base64url, hexadecimal, UTF-8, SHA-256. One text for each value. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Uint8Array(256).fill(255);
for (let at = 0; at < ALPHABET.length; at += 1) VALUES[ALPHABET.charCodeAt(at)] = at;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** `data` as base64url without padding. */
export function toBase64url(data) {
  let text = '';
  for (let at = 0; at < data.length; at += 3) {
    const word = (data[at] << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
    const size = Math.min(data.length - at, 3) + 1;
    for (let place = 0; place < size; place += 1) text += ALPHABET[(word >> (18 - 6 * place)) & 63];
  }
  return text;
}

/**
 * The bytes that base64url without padding in `text[from, to)` stands for (RFC 4648, section 5), or null for anything
 * that `toBase64url` would not have written: other characters, padding, unused bits that are set. `text` is bytes.
 */
export function fromBase64url(text, from = 0, to = text.length) {
  const rest = (to - from) % 4;
  if (rest === 1) return null;
  const data = new Uint8Array(Math.floor(((to - from) * 3) / 4));
  let at = 0;
  for (let place = from; place < to; place += 4) {
    const size = Math.min(to - place, 4);
    let word = 0;
    for (let i = 0; i < 4; i += 1) {
      const value = i < size ? VALUES[text[place + i]] : 0;
      if (value === 255) return null;
      word = (word << 6) | value;
    }
    if (size === 4) {
      data[at] = word >> 16;
      data[at + 1] = word >> 8;
      data[at + 2] = word;
      at += 3;
    } else {
      if (word & (size === 3 ? 0xff : 0xffff)) return null;
      data[at] = word >> 16;
      if (size === 3) data[at + 1] = word >> 8;
    }
  }
  return data;
}

/** As `fromBase64url`, of a text. */
export function textFromBase64url(text) {
  return /^[A-Za-z0-9_-]*$/.test(text) ? fromBase64url(toUtf8(text)) : null;
}

/** Lower-case hexadecimal. */
export function toHex(data) {
  let text = '';
  for (const byte of data) text += HEX[byte];
  return text;
}

/** The text that UTF-8 `data` holds, a byte order mark included. Null where it is not UTF-8. */
export function fromUtf8(data) {
  try {
    return UTF8.decode(data);
  } catch {
    return null;
  }
}

/** `text` in UTF-8. */
export function toUtf8(text) {
  return ENCODER.encode(text);
}

/** Whether two byte arrays are the same. */
export function sameBytes(one, two) {
  if (one.length !== two.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== two[at]) return false;
  return true;
}

/** All `parts` in one array. */
export function join(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** SHA-256 of `data`, 32 bytes. */
export async function sha256(data) {
  return new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', data));
}
