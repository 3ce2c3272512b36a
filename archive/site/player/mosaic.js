/**
 * The mosaic: four or nine live tiles that this browser alone remembers. Tiles out of sight do not play. What the page
 * renders for it stands in docs/design/site.md, "Player".
 */

import { stationFacts } from './facts.js';
import { clockOf } from './instant.js';
import { isStation, readCamera } from './names.js';
import { tuner } from './tuning.js';
import { element, readWords } from './words.js';

const KEY = 'unbroken.mosaic';
const SIZES = [4, 9];
const EMPTY = { size: SIZES[0], tiles: [] };

/** `{size, tiles}` with tiles `STATION` or `STATION/UNIT/CAMERA`; what is no such thing is left out. */
function recall() {
  try {
    const { size, tiles } = JSON.parse(localStorage.getItem(KEY)) ?? EMPTY;
    const most = SIZES.includes(size) ? size : SIZES[0];
    return { size: most, tiles: Array.isArray(tiles) ? tiles.filter(isTile).slice(0, most) : [] };
  } catch {
    return EMPTY; // a browser may have no memory, or somebody else's
  }
}

function remember(choice) {
  try {
    localStorage.setItem(KEY, JSON.stringify(choice));
  } catch {
    // Then it lasts as long as the page.
  }
}

function isTile(text) {
  if (typeof text !== 'string') return false;
  const [station, ...camera] = text.split('/');
  return isStation(station) && (camera.length === 0 || readCamera(camera.join('/')) !== null);
}

/** Fills `whole`, an element of class `mosaic`. */
function begin(whole) {
  const { zone = 'UTC', verify, election, page = '' } = whole.dataset;
  const say = readWords(document);
  const clock = clockOf(zone);
  let choice = recall();
  const open = new Map(); // by tile: what plays there

  const told = element('p', { className: 'mosaic-told', role: 'status' });
  const tiles = element('div', { className: 'mosaic-tiles' });
  const sight = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      const tile = open.get(target.dataset.tile);
      if (tile !== undefined && tile.isSeen !== isIntersecting) {
        tile.isSeen = isIntersecting;
        if (isIntersecting) tile.start();
        else tile.stop();
      }
    }
  }, { rootMargin: '100px' });

  const change = (next) => {
    choice = next;
    remember(choice);
    draw();
  };
  const remove = (name) => change({ ...choice, tiles: choice.tiles.filter((each) => each !== name) });
  const replace = (name, other) => {
    if (choice.tiles.includes(other)) return;
    change({ ...choice, tiles: choice.tiles.map((each) => (each === name ? other : each)) });
  };
  const add = async (text) => {
    const station = text.trim().replace(/[\s/_]+/g, '-');
    if (choice.tiles.length >= choice.size) {
      told.textContent = say('mosaic-full');
      return;
    }
    const answer = isStation(station) ? await fetch(`/open/stations/${station}.json`).catch(() => null) : null;
    told.textContent = answer?.ok ? '' : say('mosaic-unknown', { station: text.trim() });
    const isThere = choice.tiles.some((each) => each.split('/')[0] === station);
    if (answer?.ok && !isThere) change({ ...choice, tiles: [...choice.tiles, station] });
  };

  const openTile = (name) => {
    const [station, unit, camera] = name.split('/');
    const facts = stationFacts(station);
    const body = element('div', { className: 'mosaic-tile', 'data-tile': name });
    const tile = { body, isSeen: false, start: () => {}, stop: () => {}, close: () => facts.close() };
    facts.first.then(() => {
      if (open.get(name) !== tile) return;
      const cameras = facts.cameras().map(readCamera).filter(Boolean);
      const shown = unit ? { unit, camera } : cameras[0];
      if (shown === undefined) {
        body.prepend(element('p', { text: `${station}: ${say('nothing-live')}` }));
        return;
      }
      const at = cameras.findIndex((each) => each.unit === shown.unit && each.camera === shown.camera);
      const title = cameras.length > 1 ? `${station} · ${say('camera', { number: at + 1 })}` : station;
      const tune = tuner({ say, clock, station, election, verify }, facts);
      const playing = tune(shown, { name: title });
      body.prepend(playing.element);
      if (cameras.length > 1) {
        const next = cameras[(at + 1) % cameras.length];
        const name_ = say('mosaic-next', { station });
        const button = element('button', { type: 'button', 'aria-label': name_, title: name_, text: '⇄' });
        button.addEventListener('click', () => replace(name, `${station}/${next.unit}/${next.camera}`));
        body.append(button);
      }
      tile.start = () => playing.live();
      tile.stop = () => playing.rest();
      tile.close = () => {
        facts.close();
        playing.close();
      };
      if (tile.isSeen) tile.start();
    });
    const text = say('mosaic-open', { station });
    const link = element('a', { className: 'mosaic-link', href: `${page}${station}`, text });
    const away = element('button', { type: 'button', text: '✕', 'aria-label': say('mosaic-remove', { station }) });
    away.addEventListener('click', () => remove(name));
    body.append(link, away);
    open.set(name, tile);
    return tile;
  };

  const draw = () => {
    whole.dataset.size = String(choice.size);
    size.value = String(choice.size);
    for (const [name, tile] of open) {
      if (choice.tiles.includes(name)) continue;
      open.delete(name);
      sight.unobserve(tile.body);
      tile.close();
    }
    const bodies = choice.tiles.map((name) => (open.get(name) ?? openTile(name)).body);
    const free = Math.max(0, choice.size - bodies.length);
    const empty = Array.from({ length: free }, () => {
      return element('p', { className: 'mosaic-tile is-empty', text: say('mosaic-empty') });
    });
    tiles.replaceChildren(...bodies, ...empty);
    bodies.forEach((body) => sight.observe(body));
  };

  const size = element('select', { 'aria-label': say('mosaic-size') }, SIZES.map((each) => {
    return element('option', { value: String(each), text: String(each) });
  }));
  size.addEventListener('change', () => {
    change({ size: Number(size.value), tiles: choice.tiles.slice(0, Number(size.value)) });
  });
  const hint = say('mosaic-number');
  const number = element('input', { type: 'text', 'aria-label': hint, placeholder: hint, maxlength: '40' });
  const form = element('form', { className: 'mosaic-bar' }, [
    number, element('button', { type: 'submit', text: say('mosaic-add') }), size,
  ]);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    add(number.value).then(() => (number.value = ''));
  });
  whole.replaceChildren(form, told, tiles, element('p', { text: say('mosaic-local') }));
  whole.setAttribute('role', 'group');
  whole.setAttribute('aria-label', say('mosaic'));
  draw();
  const asked = new URL(location.href).searchParams.get('add');
  if (asked !== null) {
    history.replaceState(history.state, '', location.pathname);
    add(asked);
  }
}

document.querySelectorAll('.mosaic').forEach(begin);
