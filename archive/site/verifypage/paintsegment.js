/** What is shown of a single segment file. */

import { element, terms } from './dom.js';
import { lengthText, momentTexts } from './moments.js';

const GLYPHS = { genuine: '✓', altered: '✕', wrong: '✕', unknown: '?' };

/** An article on one of the values of checkSegments. On the site, `hasSite`, it leads to the same moment there. */
export function paintSegment(one, { words, zone, hasSite }) {
  const { verdict, reason, code, identity, segment, recorded } = one;
  const said = segment ?? identity;
  const place = [
    [words.say('station'), segment?.station ?? null],
    [words.say('unit'), segment?.unit ?? null],
    [words.say('camera'), segment?.camera ?? null],
    [words.say('election'), segment?.election ?? null],
    [words.say('begins'), segment === null ? null : begins(segment, identity, words, zone)],
    [words.say('lasts'), segment === null ? null : lengthText([lasts(segment), lasts(segment)], words)],
    [words.say('line'), one.seq === null ? null : String(one.seq)],
  ];
  const claims = { ...identity, mode: words.say(said.mode) };
  const isOther = recorded !== null && recorded.sha256 !== one.sha256;
  const isCut = isOther && recorded.size !== one.size;
  const bytes = [
    [words.say('size'), String(one.size)],
    [words.say('digest'), element('code', {}, one.sha256)],
    [words.say('expected'), isOther ? element('code', {}, recorded.sha256) : null],
  ];
  return element('article', { class: `outcome ${verdict}` }, [
    element('h3', {}, headline(words, verdict, one.path)),
    modeLine(segment?.mode ?? null, words),
    element('p', {}, words.say(reason ?? saying(one))),
    code === null ? null : element('p', {}, `${words.code(code)} `, element('code', {}, code)),
    segment === null ? element('p', {}, words.say('claims', claims)) : null,
    isCut ? element('p', {}, words.say('cut', { size: one.size, signed: recorded.size })) : null,
    one.open === null ? null : element('p', {}, words.code(one.open)),
    terms([...place, ...bytes]),
    hasSite ? linkThere(segment, words) : null,
  ]);
}

function linkThere(segment, words) {
  if (segment === null || segment.utc_us === null) return null;
  const [least, most] = segment.utc_us;
  const time = new Date((least + most) / 2000).toISOString();
  const href = `/${words.lang}/stations/${segment.station}?t=${time}`;
  return element('p', {}, element('a', { href }, words.say('seeThere')));
}

/** Glyph and word of a verdict, and of what. */
export function headline(words, verdict, path, glyphs = GLYPHS) {
  const glyph = element('span', { class: 'glyph', 'aria-hidden': 'true' }, glyphs[verdict]);
  return [glyph, ` ${words.say(verdict)}: `, path];
}

/** TEST and UNARMED in clear words; LIVE is plain. */
export function modeLine(mode, words) {
  if (mode === null) return null;
  return element('p', { class: mode === 'LIVE' ? 'mode' : 'mode loud' }, words.say(mode));
}

/** UTC of a moment, or that it is not known. */
export function moments(utc_us, words, zone) {
  if (utc_us === null) return words.say('notKnown');
  return momentTexts(utc_us, zone).flatMap((text, at) => (at === 0 ? [text] : [' – ', text]));
}

/** UTC of the first picture; where nothing proves it, what the unit's clock showed. */
function begins({ utc_us }, identity, words, zone) {
  if (utc_us !== null || identity.utc_us === null) return moments(utc_us, words, zone);
  const [time] = momentTexts([identity.utc_us, identity.utc_us], zone);
  return words.say('unproven', { time: time.replace(' ± 0 s', '') });
}

function lasts({ from_ns, to_ns }) {
  return (to_ns - from_ns) / 1e6;
}

function saying({ verdict, segment }) {
  return segment?.kind === 'recovered' ? 'recovered-says' : `${verdict}-says`;
}
