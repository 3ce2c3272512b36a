/** The pictures of the day on the page: a click in one seeks, and a mark shows where the player is. */

import { readInstant } from './instant.js';
import { element } from './words.js';

/**
 * Makes the elements with `data-dayline` in `page` answer to clicks: `onSeek(instant)`. A link whose query has `t`
 * keeps its address for those who open it elsewhere. Returns `show(instant)`, which moves the marks.
 */
export function dayLines(page, onSeek) {
  const lines = [...page.querySelectorAll('[data-dayline]')].map((whole) => {
    const mark = element('span', { className: 'dayline-mark', 'aria-hidden': 'true', hidden: '' });
    whole.classList.add('dayline');
    whole.append(mark);
    return { whole, mark, places: readPlaces(whole.dataset.places) };
  });
  for (const { whole, places } of lines) {
    whole.addEventListener('click', (event) => {
      if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const link = event.target.closest?.('a') ?? null;
      const asked = link === null ? null : readInstant(new URL(linkOf(link), document.baseURI).searchParams.get('t'));
      if (link !== null && asked === null) return; // it leads elsewhere
      const isKeyboard = event.detail === 0;
      const instant = isKeyboard ? asked : instantAt(whole, places, event.clientX) ?? asked;
      if (instant === null) return;
      event.preventDefault();
      onSeek(instant);
    });
  }
  return (instant) => lines.forEach(({ whole, mark, places }) => place(whole, mark, places, instant));
}

function linkOf(link) {
  return link.getAttribute('href') ?? link.getAttribute('xlink:href') ?? '';
}

/** `[[left, right, from_us, to_us], …]` in the picture's own units; [] where it cannot be read. */
function readPlaces(text) {
  try {
    const places = JSON.parse(text ?? '[]');
    return places.filter((each) => Array.isArray(each) && each.length === 4 && each.every(Number.isFinite));
  } catch {
    return [];
  }
}

function instantAt(whole, places, clientX) {
  const svg = whole.querySelector('svg');
  const box = svg?.getBoundingClientRect();
  const width = svg?.viewBox?.baseVal?.width;
  if (!box?.width || !width) return null;
  const x = ((clientX - box.left) / box.width) * width;
  const found = places.find(([left, right]) => x >= left && x <= right);
  if (found === undefined) return null;
  const [left, right, from, to] = found;
  return { axis: '', ms: Math.round((from + ((x - left) / (right - left)) * (to - from)) / 1000) };
}

function place(whole, mark, places, instant) {
  const svg = whole.querySelector('svg');
  const box = svg?.getBoundingClientRect();
  const us = instant === null || instant.axis !== '' ? NaN : instant.ms * 1000;
  const found = places.find(([, , from, to]) => us >= from && us <= to);
  mark.hidden = found === undefined || !box?.width;
  if (mark.hidden) return;
  const [left, right, from, to] = found;
  const x = left + ((us - from) / (to - from)) * (right - left);
  const scale = box.width / svg.viewBox.baseVal.width;
  mark.style.left = `${box.left - whole.getBoundingClientRect().left + x * scale}px`;
}
