/**
 * The verify page: fills `<div id="verifier">` (docs/design/site.md, "Verify page"), or the page that is one file
 * (`data-alone`), which asks no site and lets people choose their language.
 */

import { Misuse } from '../verifier/refusal.js';
import { archiveProofs } from './asked.js';
import { checkThings } from './check.js';
import { element } from './dom.js';
import { MOST_FILES, TooMany, chosenThings, droppedThings } from './dropped.js';
import { doubtPart, givePart, progressPart, trustPart } from './form.js';
import { readLink } from './link.js';
import { linkedThings } from './linked.js';
import { isZone } from './moments.js';
import { paintAnswer } from './paintrecord.js';
import { paintSegment } from './paintsegment.js';
import { Unanswered, site, siteTrust } from './site.js';
import { trustedRoots } from './trusted.js';
import { LANGUAGES, wordsOf } from './words.js';

const PEM_NAME = /\.(?:pem|crt|cer)$/i;
const MAX_SHOWN_NAMES = 3;
/** Single files beyond that are counted, not shown one by one. */
const MAX_SHOWN = 500;

/** The site has nothing at an address that was pasted. */
class NothingThere extends Error {}

function mount(root) {
  const { lang = navigator.language.slice(0, 2), zone: zoneName = '', alone } = root.dataset;
  const hasSite = alone === undefined;
  const zone = isZone(zoneName) ? zoneName : null;
  const trusted = trustedRoots();
  let words = wordsOf(lang);
  let [running, siteAsked, shown] = [null, false, null];
  const status = element('p', { role: 'status', class: 'status' });
  const trustPlace = element('div', {});
  const results = element('section', { class: 'results', hidden: true });
  let progress = null;

  const say = (text, isError = false) => {
    status.textContent = text;
    status.classList.toggle('error', isError);
  };

  const paintTrust = () => trustPlace.replaceChildren(trustPart(words, trusted.entries(), { add, remove }));

  const add = async (pem, name) => {
    try {
      await trusted.add(pem, name);
      say('');
    } catch (error) {
      if (!(error instanceof Misuse)) throw error;
      say(words.say('trustBad'), true);
    }
    paintTrust();
  };

  const remove = (entry) => {
    trusted.remove(entry);
    paintTrust();
  };

  const askSiteTrust = async (from) => {
    if (siteAsked || from === null) return;
    for (const pem of await siteTrust(from)) await trusted.add(pem, null);
    siteAsked = true;
    paintTrust();
  };

  /** Things as they come out of `collect(from)`, checked; one check at a time. */
  const start = async (name, collect) => {
    running?.abort();
    const control = new AbortController();
    running = control;
    progress.show(words.say('working', { name }));
    say(words.say('working', { name }));
    try {
      const from = hasSite ? site(control.signal) : null;
      const given = await collect(from);
      control.signal.throwIfAborted();
      const things = await takeRoots(given);
      await askSiteTrust(from);
      const ask = from === null ? null : archiveProofs(from);
      const { trust, fingerprints } = trusted.trust();
      const tell = (place) => running === control && progress.tell(place);
      const found = await checkThings(things, { ask, trust, signal: control.signal, tell });
      if (running !== control) return;
      shown = { ...found, fingerprints };
      finish(things);
    } catch (error) {
      if (running === control) explain(error, control.signal.aborted);
    } finally {
      if (running === control) progress.hide();
    }
  };

  /** Roots that were given as files of their own are trusted from now on; never one from within a folder. */
  const takeRoots = async (given) => {
    const things = [];
    for (const thing of given) {
      const isRoot = PEM_NAME.test(thing.path) && !thing.path.includes('/');
      if (isRoot) await add(new Uint8Array(await thing.file.arrayBuffer()), thing.path);
      else things.push(thing);
    }
    return things;
  };

  const finish = (things) => {
    paintResults();
    const names = [...new Set(things.map(({ path }) => path.split('/')[0]))];
    const some = names.slice(0, MAX_SHOWN_NAMES).join(', ') + (names.length > MAX_SHOWN_NAMES ? ' …' : '');
    if (things.length > 0) {
      say(words.say('finished', { names: some }));
      results.querySelector('h2')?.focus();
    }
  };

  const explain = (error, isAborted) => {
    if (isAborted) say(words.say('cancelled'));
    else if (error instanceof TooMany) say(words.say('tooMany', { most: MOST_FILES }), true);
    else if (error instanceof NothingThere) say(words.say('linkNothing'), true);
    else if (error instanceof Unanswered) say(words.say('failedLoad', { name: error.message }), true);
    else if (error instanceof DOMException) say(words.say('failedRead', { name: error.name }), true);
    else {
      say(words.say('failedPage', { name: `${error}` }), true);
      throw error;
    }
  };

  const paintResults = () => {
    if (shown === null) return;
    const { segments, answers, fingerprints } = shown;
    const one = { words, zone, hasSite };
    const roots = fingerprints.length === 0 ? words.say('nobody') : fingerprints.join(', ');
    results.replaceChildren(
      element('h2', { tabindex: '-1' }, words.say('results')),
      ...segments.slice(0, MAX_SHOWN).map((segment) => paintSegment(segment, one)),
      ...counted(segments.slice(MAX_SHOWN)),
      ...answers.flatMap(({ path, answer }) => paintAnswer(path, answer, one)),
      element('p', { class: 'hint' }, `${words.say('byRoot')}: `, element('code', {}, roots)),
    );
    results.hidden = segments.length + answers.length === 0;
  };

  const counted = (segments) => {
    const verdicts = [...new Set(segments.map(({ verdict }) => verdict))];
    return verdicts.map((verdict) => {
      const count = segments.filter((each) => each.verdict === verdict).length;
      return element('p', {}, `${words.say(verdict)}: ${words.say('more', { count })}`);
    });
  };

  const given = ({ files, transfer, link }) => {
    if (globalThis.crypto?.subtle === undefined) return say(words.say('failedHere'), true);
    if (link !== undefined) return follow(link);
    const things = files === undefined ? droppedThings(transfer) : [...files];
    const name = (files ?? transfer.files)[0]?.name ?? '';
    return start(name, async () => (files === undefined ? things : chosenThings(things)));
  };

  const follow = (text) => {
    const link = readLink(text, location.origin);
    if (link?.isElsewhere) return say(words.say('linkElsewhere'), true);
    if (link === null) return say(words.say('linkUnknown'), true);
    return start(link.address, async (from) => {
      const things = await linkedThings(link, from);
      if (things.length === 0) throw new NothingThere();
      return things;
    });
  };

  const paint = () => {
    running?.abort();
    progress = progressPart(words, () => running?.abort());
    say('');
    paintTrust();
    root.replaceChildren(
      ...(hasSite ? [] : [header()]),
      givePart(words, hasSite, given),
      progress.part,
      status,
      results,
      trustPlace,
      ...(hasSite ? [] : [doubtPart(words)]),
    );
    paintResults();
  };

  const header = () => {
    document.documentElement.lang = words.lang;
    document.title = words.say('title');
    const buttons = LANGUAGES.map(([code, name]) => {
      const isPressed = String(code === words.lang);
      const button = element('button', { type: 'button', lang: code, 'aria-pressed': isPressed }, name);
      button.addEventListener('click', () => {
        words = wordsOf(code);
        paint();
        root.querySelector(`button[lang=${code}]`).focus();
      });
      return button;
    });
    const group = element('div', { role: 'group', 'aria-label': words.say('language'), class: 'buttons' }, buttons);
    return element('header', {}, group, element('h1', {}, words.say('title')));
  };

  paint();
  if (hasSite && location.hash.startsWith('#/')) follow(location.hash.slice(1));
}

const root = document.getElementById('verifier');
if (root !== null) mount(root);
