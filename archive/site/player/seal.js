/** The seal beside a picture: what was checked in this browser, and what did not check. */

import { element } from './words.js';

const MOST_REASONS = 20;
const GLYPHS = { checked: '✓', wrong: '✕', unchecked: '–', waiting: '…' };
const REASONS = [
  ['media', /^(media-changed|media-mismatch|media-malformed|init-mismatch)$/],
  ['signature', /^signature-/],
  ['chain', /^(prev-mismatch|line-missing|line-repeated|line-reordered|head-missing)$/],
  ['place', /^(media-swapped|media-unnamed|identity-mismatch|start-mismatch|run-unknown|test-as-live|cert-wrong-.*)$/],
  ['key', /^(key-|cert-|no-trust)/],
  ['proof', /^proof-missing$/],
];

/** The word for a code of spec/verify.md, section 4: `wrong-…`. */
export function wrongWord(code) {
  return `wrong-${REASONS.find(([, codes]) => codes.test(code))?.[0] ?? 'form'}`;
}

/**
 * A seal: `element`, and `state()`: `waiting`, `checked`, `wrong` or `unchecked`. Once wrong it stays wrong. `verify`
 * is the address that tells where to get the verifier from elsewhere.
 */
export function makeSeal(say, clock, verify) {
  const glyph = element('span', { className: 'seal-glyph', 'aria-hidden': 'true' });
  const word = element('span', { className: 'seal-word', role: 'status' });
  const count = element('p');
  const reasons = element('ul');
  const why = element('p');
  const page = element('p', { text: `${say('seal-page')} ` });
  if (verify) page.append(element('a', { href: verify, text: say('seal-elsewhere') }));
  const body = element('div', { className: 'seal-body' }, [why, count, reasons, page]);
  const made = element('details', { className: 'seal' }, [element('summary', {}, [glyph, word]), body]);
  const told = new Set();
  let [state, segments, milliseconds] = ['', 0, 0];

  const show = (next) => {
    if (state === next || state === 'wrong') return;
    state = next;
    made.dataset.seal = next;
    glyph.textContent = GLYPHS[next];
    word.textContent = say(`seal-${next}`);
    made.open ||= next === 'wrong'; // the reason is not to be looked for
  };
  const tell = (key, text) => {
    if (told.has(key) || told.size >= MOST_REASONS) return;
    told.add(key);
    reasons.append(element('li', { text }));
  };
  show('waiting');

  return {
    element: made,
    state: () => state,
    /** What `proofs.segment` said of a segment that is appended. */
    good({ segment, isDated, isOpen }, instant) {
      segments += 1;
      milliseconds += (segment.to_ns - segment.from_ns) / 1e6;
      count.textContent = say('seal-count', { count: segments, seconds: Math.round(milliseconds / 1000) });
      show('checked');
      if (isOpen) tell('open', say('seal-open'));
      if (isDated) return;
      show('wrong');
      tell(`date ${segment.seq}`, say('seal-date', { local: clock.dated(instant) }));
    },
    /** The entry at `instant` does not check. */
    bad({ code }, instant, key) {
      show('wrong');
      tell(key, say('seal-reason', { local: clock.dated(instant), reason: say(wrongWord(code)), code }));
    },
    /** Nothing is checked here; `reason` is `no-crypto` or `native`. */
    unchecked(reason) {
      show('unchecked');
      why.textContent = say(`seal-${reason}`);
    },
  };
}
