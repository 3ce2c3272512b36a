/** What a person can do on the page: give files, a folder or an address, choose whom to trust, stop. */

import { element } from './dom.js';

/**
 * The part that takes things: `given` is told of `{files}` (a FileList), `{transfer}` (of a drop) or `{link}` (a text).
 * Without `hasSite` there is no address to paste.
 */
export function givePart(words, hasSite, given) {
  const files = fileButton(words.say('chooseFiles'), { multiple: true }, (chosen) => given({ files: chosen }));
  const folder = fileButton(words.say('chooseFolder'), { webkitdirectory: true }, (chosen) => given({ files: chosen }));
  const part = element('section', { class: 'give' }, [
    element('p', { class: 'lead' }, words.say('drop')),
    element('p', { class: 'buttons' }, files, folder),
    element('p', { class: 'hint' }, words.say('what')),
    hasSite ? linkForm(words, (link) => given({ link })) : null,
  ]);
  part.addEventListener('dragover', (event) => {
    event.preventDefault();
    part.classList.add('over');
  });
  part.addEventListener('dragleave', () => part.classList.remove('over'));
  part.addEventListener('drop', (event) => {
    event.preventDefault();
    part.classList.remove('over');
    given({ transfer: event.dataTransfer });
  });
  return part;
}

/** A file input that looks like a button and is one for the keyboard. */
export function fileButton(text, attributes, chosen) {
  const input = element('input', { type: 'file', ...attributes });
  input.addEventListener('change', () => {
    if (input.files.length > 0) chosen(input.files);
    input.value = ''; // the same file may be chosen again
  });
  return element('label', { class: 'button' }, element('span', {}, text), input);
}

function linkForm(words, given) {
  const input = element('input', { id: 'verifier-link', type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const form = element('form', { class: 'link' }, [
    element('label', { for: 'verifier-link' }, words.say('linkLabel')),
    element('span', { class: 'row' }, input, element('button', { type: 'submit' }, words.say('linkButton'))),
  ]);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (input.value.trim() !== '') given(input.value);
  });
  return form;
}

/** The roots and lists in force; `add(bytes, name)` and `remove(entry)` are for the page. */
export function trustPart(words, entries, { add, remove }) {
  const choose = fileButton(words.say('trustChoose'), { multiple: true, accept: '.pem,.crt,.cer' }, async (files) => {
    for (const file of files) await add(new Uint8Array(await file.arrayBuffer()), file.name);
  });
  const text = element('textarea', { id: 'verifier-pem', rows: '4', spellcheck: 'false', autocomplete: 'off' });
  const form = element('form', {}, [
    element('label', { for: 'verifier-pem' }, words.say('trustPaste')),
    text,
    element('button', { type: 'submit' }, words.say('trustAdd')),
  ]);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (text.value.trim() !== '') add(new TextEncoder().encode(text.value), 'PEM');
  });
  const hasRoot = entries.some(({ fingerprints }) => fingerprints.length > 0);
  return element('section', { class: 'trust' }, [
    element('h2', {}, words.say('trustTitle')),
    hasRoot ? null : element('p', {}, words.say('trustNone')),
    element('ul', {}, entries.map((entry) => trustItem(words, entry, remove))),
    element('p', { class: 'buttons' }, choose),
    form,
    element('p', { class: 'hint' }, words.say('trustCompare')),
  ]);
}

function trustItem(words, entry, remove) {
  const { name, fingerprints } = entry;
  const title = fingerprints.length === 0 ? 'trustList' : name === null ? 'trustSite' : 'trustOwn';
  const drop = element('button', { type: 'button' }, words.say('trustDrop'));
  drop.addEventListener('click', () => remove(entry));
  const prints = fingerprints.map((text) => [`${words.say('fingerprint')}: `, element('code', {}, text), ' ']);
  const said = `${words.say(title, { name: name ?? '/revoked.pem' })}. `;
  return element('li', {}, said, prints, name === null ? null : drop);
}

/** Who checks the checker: what the one file says of itself. The site's page says that of a page in its own words. */
export function doubtPart(words) {
  const title = element('h2', {}, words.say('doubtTitle'));
  return element('section', { class: 'doubt' }, title, element('p', {}, words.say('doubt')));
}

/** How far a check is, and a button that stops it: `{part, show(name), tell(place), hide()}`. */
export function progressPart(words, cancel) {
  const [name, place] = [element('p', {}), element('p', { class: 'hint' })];
  const bar = element('progress', { max: '1' });
  const button = element('button', { type: 'button' }, words.say('cancel'));
  button.addEventListener('click', cancel);
  const part = element('div', { class: 'progress', hidden: true }, name, bar, place, button);
  return {
    part,
    show(text) {
      name.textContent = text;
      bar.setAttribute('aria-label', text);
      bar.removeAttribute('value');
      place.textContent = '';
      part.hidden = false;
    },
    tell({ done, total, segment, segments }) {
      if (total > 0) bar.value = done / total;
      const read = words.say('readSoFar', { done: megabytes(done), total: megabytes(total) });
      const compared = words.say('segmentsSoFar', { done: segment, total: segments });
      place.textContent = segments === 0 ? read : `${read}; ${compared}`;
    },
    hide() {
      part.hidden = true;
    },
  };
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
