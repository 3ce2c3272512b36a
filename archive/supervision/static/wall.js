/** The wall, alive: events bring what has changed; the form filters in place; arrow keys go from tile to tile. */

import { filterTiles } from './filter.js';
import { roveTiles } from './keys.js';
import { showPictures } from './pictures.js';

const wall = document.getElementById('wall');
const tiles = document.getElementById('tiles');
const form = document.getElementById('filter');
const { lang, at, shown, alerts, calm, on, off } = wall.dataset;

const put = (id, text) => {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
};
const filter = () => {
  const { count, all } = filterTiles(tiles, new FormData(form));
  put('shown', shown.replace('{shown}', count).replace('{count}', all));
};

/** One tile as an event tells it: `[name, state, sign, word, detail, test, alert]`. False for a station not here. */
function paint([name, state, sign, word, detail, test, alert]) {
  const tile = document.getElementById(`t-${name}`);
  if (tile === null) return false;
  const look = `tile state-${state}${alert ? ' alert' : ''}`;
  if (tile.className !== look) tile.className = look;
  const texts = [['.sign', sign], ['.word', word], ['.detail', detail]];
  for (const [place, text] of texts) {
    const part = tile.querySelector(place);
    if (part.textContent !== text) part.textContent = text;
  }
  const badge = tile.querySelector('i');
  if (test && badge === null) {
    const made = document.createElement('i');
    made.textContent = 'TEST';
    tile.querySelector('b').after(' ', made);
  } else if (!test) badge?.remove();
  return true;
}

function follow() {
  const events = new EventSource(`/events?lang=${lang}`);
  events.addEventListener('open', () => put('link', on));
  events.addEventListener('error', () => {
    put('link', off);
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, 5_000);
  });
  events.addEventListener('blind', () => put('link', off));
  events.addEventListener('batch', (event) => {
    put('link', on);
    const batch = JSON.parse(event.data);
    const known = batch.tiles.map(paint);
    put('at', at.replace('{time}', batch.at));
    put('alerts', batch.alerts > 0 ? alerts.replace('{count}', batch.alerts) : calm);
    // A station that nobody listed has begun to deliver: the page is made anew.
    if (known.includes(false)) location.reload();
    else if (batch.tiles.length > 0) filter();
  });
}

form.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('input', filter);
roveTiles(tiles);
showPictures(tiles, document.getElementById('pictures'));
follow();
