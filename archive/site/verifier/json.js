/** Strict JSON (spec/ledger.md, 2.6): integers only, no name twice, nesting bounded, texts that are Unicode. */

import { fromUtf8 } from './encoding.js';
import { Refusal } from './refusal.js';

const MAX_DEPTH = 8;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const HALF_A_PAIR = /[\ud800-\udfff]/u;
const ESCAPES = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * The object that `payload` holds, without a prototype. Texts, integers, true, false, null, arrays and objects like it
 * are its values. Throws Refusal with `payload-malformed`.
 */
export function parseObject(payload) {
  const text = fromUtf8(payload);
  if (text === null) throw new Refusal('payload-malformed', 'the content is not UTF-8');
  const reader = { text, at: 0 };
  skipSpace(reader);
  if (text[reader.at] !== '{') throw refused(reader, 'not an object');
  const value = readValue(reader, 0);
  skipSpace(reader);
  if (reader.at !== text.length) throw refused(reader, 'more than one value');
  return value;
}

function readValue(reader, depth) {
  switch (reader.text[reader.at]) {
    case '{':
      return readMembers(reader, depth + 1);
    case '[':
      return readElements(reader, depth + 1);
    case '"':
      return readText(reader);
    case 't':
      return readWord(reader, 'true', true);
    case 'f':
      return readWord(reader, 'false', false);
    case 'n':
      return readWord(reader, 'null', null);
    default:
      return readInteger(reader);
  }
}

function readMembers(reader, depth) {
  const members = Object.create(null);
  enter(reader, depth);
  if (accept(reader, '}')) return members;
  for (;;) {
    const name = readText(reader);
    if (name in members) throw refused(reader, 'a name occurs twice');
    skipSpace(reader);
    expect(reader, ':');
    skipSpace(reader);
    members[name] = readValue(reader, depth);
    skipSpace(reader);
    if (accept(reader, '}')) return members;
    expect(reader, ',');
    skipSpace(reader);
  }
}

function readElements(reader, depth) {
  const elements = [];
  enter(reader, depth);
  if (accept(reader, ']')) return elements;
  for (;;) {
    elements.push(readValue(reader, depth));
    skipSpace(reader);
    if (accept(reader, ']')) return elements;
    expect(reader, ',');
    skipSpace(reader);
  }
}

function enter(reader, depth) {
  if (depth > MAX_DEPTH) throw refused(reader, `nested deeper than ${MAX_DEPTH}`);
  reader.at += 1;
  skipSpace(reader);
}

function readText(reader) {
  expect(reader, '"');
  let value = '';
  let escaped = false;
  for (;;) {
    value += match(reader, PLAIN);
    const mark = reader.text[reader.at];
    reader.at += 1;
    if (mark === '"') break;
    if (mark !== '\\') throw refused(reader, 'a text does not end');
    value += readEscape(reader);
    escaped = true;
  }
  if (escaped && HALF_A_PAIR.test(value)) throw refused(reader, 'half a surrogate pair');
  return value;
}

function readEscape(reader) {
  const mark = reader.text[reader.at];
  reader.at += 1;
  if (mark === 'u') {
    const digits = reader.text.slice(reader.at, reader.at + 4);
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) throw refused(reader, 'an escape that is none');
    reader.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }
  const meant = Object.hasOwn(ESCAPES, mark) ? ESCAPES[mark] : undefined;
  if (meant === undefined) throw refused(reader, 'an escape that is none');
  return meant;
}

function readInteger(reader) {
  const digits = match(reader, NUMBER);
  if (digits === '') throw refused(reader, 'not an integer');
  const value = Number(digits);
  if (!Number.isSafeInteger(value)) throw refused(reader, 'an integer is out of range');
  return value + 0; // -0 is 0
}

function readWord(reader, word, value) {
  if (!reader.text.startsWith(word, reader.at)) throw refused(reader, 'not a value');
  reader.at += word.length;
  return value;
}

function match(reader, pattern) {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text);
  if (found === null) return '';
  reader.at += found[0].length;
  return found[0];
}

function skipSpace(reader) {
  match(reader, SPACE);
}

function accept(reader, mark) {
  if (reader.text[reader.at] !== mark) return false;
  reader.at += 1;
  return true;
}

function expect(reader, mark) {
  if (!accept(reader, mark)) throw refused(reader, `no ${mark}`);
}

function refused(reader, what) {
  return new Refusal('payload-malformed', `the content is not strict JSON: ${what} at character ${reader.at}`);
}
