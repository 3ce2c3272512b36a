/** Small pictures, where somebody asks for them: only of the tiles in sight, at most sixteen, asked for anew slowly. */

const MOST = 16;
const AGAIN_MS = 10_000;
const WITH_PICTURE = ['live', 'thinned', 'degraded', 'backfilling'];

/** `box` is the checkbox that turns them on. */
export function showPictures(tiles, box) {
  const seen = new Set();
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) seen.add(target);
      else {
        seen.delete(target);
        target.querySelector('img')?.remove();
      }
    }
    load();
  });
  const load = (anew = false) => {
    if (!box.checked) return;
    const able = [...seen].filter((tile) => WITH_PICTURE.some((state) => tile.classList.contains(`state-${state}`)));
    for (const tile of able.slice(0, MOST)) {
      const name = tile.id.slice(2);
      const image = tile.querySelector('img') ?? document.createElement('img');
      if (image.parentElement !== null && !anew) continue;
      image.alt = '';
      image.src = `/thumbnails/${name}.jpeg?${Date.now()}`;
      image.onerror = () => image.remove();
      tile.append(image);
    }
  };
  box.addEventListener('change', () => {
    for (const tile of tiles.querySelectorAll('a.tile')) {
      if (box.checked) sight.observe(tile);
      else sight.unobserve(tile);
    }
    if (!box.checked) {
      seen.clear();
      for (const image of tiles.querySelectorAll('img')) image.remove();
    }
  });
  setInterval(() => {
    if (document.visibilityState === 'visible') load(true);
  }, AGAIN_MS);
}
