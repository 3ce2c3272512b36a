/** Moments and lengths of time for people: the election's zone and UTC, with what is not known about them. */

const EXACT_US = 2_000_000;

/** Whether the browser knows a time zone of this name. */
export function isZone(name) {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * `[least, most]` microseconds of UTC as texts: one, where they lie within two seconds (with what may be wrong), else
 * both ends.
 */
export function momentTexts([least, most], zone) {
  if (most - least > EXACT_US) return [inZone(least, zone), inZone(most, zone)];
  const half = Math.ceil((most - least) / 2_000) / 1_000;
  return [`${inZone(Math.floor((least + most) / 2), zone)} ± ${half} s`];
}

function inZone(us, zone) {
  const date = new Date(us / 1000);
  if (Number.isNaN(date.getTime())) return '?';
  const utc = `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  if (zone === null || zone === 'UTC' || zone === 'Etc/UTC') return utc;
  const two = '2-digit';
  const parts = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two };
  const format = new Intl.DateTimeFormat('en-GB', { ...parts, hourCycle: 'h23', timeZone: zone });
  const part = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]));
  const local = `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second} (${zone})`;
  return `${local} = ${utc}`;
}

/** `[least, most]` milliseconds, most null where unbounded, as `h:mm:ss.s`. */
export function lengthText([least, most], words) {
  const [from, to] = [clock(least), most === null ? null : clock(most)];
  if (to === null) return words.say('atLeast', { time: from });
  return from === to ? from : words.say('range', { least: from, most: to });
}

function clock(ms) {
  const tenths = Math.round(ms / 100);
  const [hours, minutes, rest] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, tenths % 600];
  const seconds = `${String(Math.floor(rest / 10)).padStart(2, '0')}.${rest % 10}`;
  return `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`;
}
