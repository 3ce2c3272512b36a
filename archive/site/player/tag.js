/** What a list says of each of its entries: the project's own tag and the date (spec/list.md). It proves nothing. */

const NAME = 'EXT-X-UNBROKEN';
const NUMBER = /^(0|[1-9][0-9]{0,15})$/;
const MODES = ['LIVE', 'TEST', 'UNARMED'];
const DATES = ['UTC', 'ARRIVAL', 'BOOT'];

/**
 * The tag of an hls.js fragment: `{branch, seq, run, start, mode, date}`, `run` and `start` the `seq` of those lines;
 * null where the entry has none, or one that breaks the form. Members that this version does not know are passed over.
 */
export function readTag(frag) {
  const found = frag.tagList.find(([name]) => name === NAME);
  if (found === undefined) return null;
  const members = new Map((found[1] ?? '').split(',').map((pair) => pair.split('=')));
  const [branch, seq, run, start] = ['BRANCH', 'SEQ', 'RUN', 'START'].map((name) => number(members.get(name)));
  const [mode, date] = [members.get('MODE'), members.get('DATE')];
  if ([branch, seq, run, start].includes(null) || !MODES.includes(mode) || !DATES.includes(date)) return null;
  return { branch, seq, run, start, mode, date };
}

function number(text) {
  if (text === undefined || !NUMBER.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** The fragment that holds the media time `at` (seconds), or null. */
export function fragmentAt(fragments, at) {
  return fragments.find(({ start, duration }) => at >= start && at < start + duration) ?? null;
}

/** Date of the media time `at` by the list, in milliseconds since 1970; null where no entry holds it. */
export function dateAt(fragments, at) {
  const frag = fragmentAt(fragments, at);
  if (frag === null || frag.programDateTime === null) return null;
  return frag.programDateTime + (at - frag.start) * 1000;
}

/**
 * Where to play to see the date `ms`: `{at, isHole, frag}`, `at` the media time of that date, or of the next picture
 * where nothing is there; null where the list holds no picture at or after it.
 */
export function placeOf(fragments, ms) {
  for (const frag of fragments) {
    const begin = frag.programDateTime;
    if (frag.gap || begin === null || ms >= begin + frag.duration * 1000) continue;
    if (ms >= begin) return { at: frag.start + (ms - begin) / 1000, isHole: false, frag };
    // A tenth of a second between two entries is rounding, not a hole.
    return { at: frag.start, isHole: begin - ms > 100, frag };
  }
  return null;
}
