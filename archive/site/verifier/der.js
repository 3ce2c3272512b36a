/** DER (ITU-T X.690), as much as certificates and revocation lists need. Each value has one form; any other throws. */

/** Not DER, or not what was asked for. */
export class DerError extends Error {}

export const TAG = {
  BOOLEAN: 0x01, INTEGER: 0x02, BITS: 0x03, OCTETS: 0x04, OID: 0x06, UTC_TIME: 0x17, TIME: 0x18, SEQUENCE: 0x30,
};

/**
 * One element of `data` from `at`: `{tag, value, whole, end}`; `value` is the content, `whole` the element with its
 * header, `end` where the next one begins. Tags of one byte and definite lengths of the shortest form only.
 */
export function readElement(data, at = 0) {
  const tag = data[at];
  let length = data[at + 1];
  let begin = at + 2;
  if (length === undefined || (tag & 0x1f) === 0x1f) throw new DerError('an element ends too early');
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count < 1 || count > 3 || begin + count > data.length) throw new DerError('a length that is none');
    length = 0;
    for (let i = 0; i < count; i += 1) length = length * 256 + data[begin + i];
    if (length < 0x80 || (count > 1 && data[begin] === 0)) throw new DerError('a length that is not the shortest');
    begin += count;
  }
  const end = begin + length;
  if (end > data.length) throw new DerError('an element ends too early');
  return { tag, value: data.subarray(begin, end), whole: data.subarray(at, end), end };
}

/** The one element that `data` is, of this tag. */
export function readOnly(data, tag = TAG.SEQUENCE) {
  const element = readElement(data);
  if (element.tag !== tag || element.end !== data.length) throw new DerError('more than one element, or another one');
  return element;
}

/** The elements that `data` is made of, in order. */
export function readAll(data) {
  const elements = [];
  for (let at = 0; at < data.length; ) {
    const element = readElement(data, at);
    elements.push(element);
    at = element.end;
  }
  return elements;
}

/** A walk through `elements`: `take(tag)` gives the next one or throws, `maybe(tag)` gives it or null, `done()`. */
export function walk(elements) {
  let at = 0;
  const maybe = (tag) => {
    if (at === elements.length || elements[at].tag !== tag) return null;
    at += 1;
    return elements[at - 1];
  };
  const take = (tag) => {
    const element = maybe(tag);
    if (element === null) throw new DerError('an element is missing, or another one');
    return element;
  };
  const done = () => {
    if (at !== elements.length) throw new DerError('an element too many');
  };
  const next = () => (at === elements.length ? null : elements[at].tag);
  return { take, maybe, next, done };
}

/** An INTEGER of any size. */
export function readInteger(element) {
  const { value } = element;
  if (value.length === 0) throw new DerError('an integer of no bytes');
  if (value.length > 1 && (value[0] === 0 ? value[1] < 0x80 : value[0] === 0xff && value[1] >= 0x80)) {
    throw new DerError('an integer that is not the shortest');
  }
  let number = 0n;
  for (const byte of value) number = (number << 8n) | BigInt(byte);
  return value[0] >= 0x80 ? number - (1n << BigInt(8 * value.length)) : number;
}

/** A BOOLEAN. */
export function readBoolean(element) {
  if (element.value.length !== 1 || (element.value[0] !== 0 && element.value[0] !== 0xff)) {
    throw new DerError('a boolean that is none');
  }
  return element.value[0] === 0xff;
}

/** An OBJECT IDENTIFIER in dotted form. */
export function readOid(element) {
  const { value } = element;
  if (value.length === 0 || value[value.length - 1] >= 0x80) throw new DerError('an object identifier that is none');
  const arcs = [];
  let arc = 0;
  let begins = true;
  for (const byte of value) {
    if (begins && byte === 0x80) throw new DerError('an object identifier that is not the shortest');
    arc = arc * 128 + (byte & 0x7f);
    begins = byte < 0x80;
    if (arc > Number.MAX_SAFE_INTEGER) throw new DerError('an object identifier that is too long');
    if (!begins) continue;
    if (arcs.length === 0) arcs.push(...(arc < 80 ? [Math.floor(arc / 40), arc % 40] : [2, arc - 80]));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

/** A BIT STRING: its bytes, and how many bits of the last one are unused. */
export function readBits(element) {
  const unused = element.value[0];
  const data = element.value.subarray(1);
  if (unused === undefined || unused > 7 || (unused > 0 && data.length === 0)) throw new DerError('bits that are none');
  if (unused > 0 && data[data.length - 1] & ((1 << unused) - 1)) throw new DerError('unused bits that are set');
  return { data, unused };
}

const TIME_FORMS = new Map([
  [TAG.UTC_TIME, /^(\d\d)(\d{10})Z$/],
  [TAG.TIME, /^(\d{4})(\d{10})Z$/],
]);

/** A UTCTime or GeneralizedTime in microseconds since 1970 UTC, in the forms that RFC 5280, section 4.1.2.5, allows. */
export function readTime(element) {
  const text = String.fromCharCode(...element.value.subarray(0, 20));
  const found = TIME_FORMS.get(element.tag)?.exec(text) ?? null;
  if (found === null) throw new DerError('a time that is none');
  let year = Number(found[1]);
  if (element.tag === TAG.UTC_TIME) year += year < 50 ? 2000 : 1900;
  const [month, day, hour, minute, second] = found[2].match(/\d\d/g).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const whole = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours()];
  const isSame = whole.join() === [year, month, day, hour].join();
  if (!isSame || minute > 59 || second > 59) throw new DerError('no such time');
  return date.getTime() * 1000;
}

/** r and s of an ECDSA signature on P-256, 64 bytes as WebCrypto takes them. */
export function rawSignature(der) {
  const parts = readAll(readOnly(der).value);
  if (parts.length !== 2) throw new DerError('a signature that is none');
  const raw = new Uint8Array(64);
  parts.forEach((part, place) => {
    let number = part.tag === TAG.INTEGER ? readInteger(part) : -1n;
    if (number < 0n || number >= 1n << 256n) throw new DerError('a signature that is none');
    for (let at = 31; at >= 0; at -= 1) {
      raw[32 * place + at] = Number(number & 0xffn);
      number >>= 8n;
    }
  });
  return raw;
}
