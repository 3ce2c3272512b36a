/** Which tiles the form leaves on the wall; archive/supervision/wall/page.py says the same for a page without this. */

/** Hides the others. `{count, all}`: how many are left, of how many. */
export function filterTiles(tiles, asked) {
  const state = asked.get('state') ?? '';
  const constituency = asked.get('constituency') ?? '';
  const words = (asked.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  let all = 0;
  for (const group of tiles.children) {
    let some = false;
    const here = constituency === '' || group.dataset.constituency === constituency;
    for (const item of group.lastElementChild.children) {
      const tile = item.firstElementChild;
      const is = here && hasState(tile, state) && words.every((word) => tile.dataset.search.includes(word));
      if (item.hidden === is) item.hidden = !is;
      some ||= is;
      count += is ? 1 : 0;
      all += 1;
    }
    if (group.hidden === some) group.hidden = !some;
  }
  return { count, all };
}

function hasState(tile, state) {
  if (state === '') return true;
  return tile.classList.contains(state === 'alert' ? 'alert' : `state-${state}`);
}
