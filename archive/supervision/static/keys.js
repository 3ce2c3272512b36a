/** One tile at a time is in the order of Tab; arrow keys, Home and End go from tile to tile (ARIA practices, roving). */

/** Begins on the links within `tiles`. */
export function roveTiles(tiles) {
  const links = () => [...tiles.querySelectorAll('a.tile')].filter((each) => isShown(each));
  let current = null;
  for (const link of tiles.querySelectorAll('a.tile')) link.tabIndex = -1;
  const go = (link) => {
    if (current !== null) current.tabIndex = -1;
    current = link;
    link.tabIndex = 0;
  };
  const first = links()[0];
  if (first !== undefined) go(first);
  tiles.addEventListener('focusin', (event) => {
    const link = event.target.closest('a.tile');
    if (link !== null) go(link);
  });
  tiles.addEventListener('keydown', (event) => {
    const all = links();
    const next = step(all, all.indexOf(current), event.key);
    if (next === undefined) return;
    event.preventDefault();
    go(next);
    next.focus();
  });
  document.getElementById('filter').addEventListener('input', () => {
    // After the filter: Tab leads to a tile that is there.
    requestAnimationFrame(() => {
      const all = current !== null && isShown(current) ? [] : links();
      if (all.length > 0) go(all[0]);
    });
  });
}

function isShown(link) {
  return !link.parentElement.hidden && !link.closest('.group').hidden;
}

function step(all, place, key) {
  if (key === 'Home') return all[0];
  if (key === 'End') return all[all.length - 1];
  if (key === 'ArrowRight') return all[place + 1];
  if (key === 'ArrowLeft') return all[place - 1];
  if (key !== 'ArrowDown' && key !== 'ArrowUp') return undefined;
  const down = key === 'ArrowDown';
  const from = all[place]?.getBoundingClientRect();
  if (from === undefined) return all[0];
  const rows = down ? all.slice(place + 1) : all.slice(0, place).reverse();
  let best;
  let row = null;
  for (const link of rows) {
    const box = link.getBoundingClientRect();
    if (Math.abs(box.top - from.top) < 4) continue;
    row ??= box.top;
    if (Math.abs(box.top - row) >= 4) break;
    const away = Math.abs(box.left - from.left);
    if (best === undefined || away < best.away) best = { link, away };
  }
  return best?.link;
}
