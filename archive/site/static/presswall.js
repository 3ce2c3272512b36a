/**
 * The press wall: one station after the other over the whole screen, and a slate where the site does not answer.
 *
 * The page renders `<div class="presswall" data-lang="az">` with a `.presswall-slate` in it. Which stations are live is asked of this site every time round; state, test mark and gap notices are the
 * embed's own. One frame at a time: what is not seen loads nothing.
 */

const TURN_MS = 20_000;
const ASK_MS = 10_000;
const MOST = 200;
const NAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/;
const SHOWN = new Set(['live', 'thinned', 'degraded']);

/** Names of stations that are live, in the order of the list; null where the site does not answer. */
export async function liveStations(get = fetch) {
  try {
    const answer = await get('/open/stations.json', { credentials: 'omit', signal: AbortSignal.timeout?.(ASK_MS) });
    if (!answer.ok) return null;
    const { stations } = await answer.json();
    if (!Array.isArray(stations)) return null;
    const live = stations.filter(({ state, station }) => SHOWN.has(state) && NAME.test(station));
    return live.slice(0, MOST).map(({ station }) => station);
  } catch {
    return null;
  }
}

/** The one behind `shown` in `names`, the first behind the last; null where there is none. */
export function following(names, shown) {
  if (names.length === 0) return null;
  return names[(names.indexOf(shown) + 1) % names.length];
}

function begin(whole) {
  const slate = whole.querySelector('.presswall-slate');
  let shown = null;
  let frame = null;
  const turn = async () => {
    const names = await liveStations();
    const next = names === null ? null : following(names, shown);
    slate.hidden = next !== null;
    if (frame !== null && next === shown && next !== null) return;
    frame?.remove();
    frame = null;
    shown = next;
    if (next === null) return;
    frame = document.createElement('iframe');
    frame.title = next;
    frame.allow = 'fullscreen';
    frame.src = `/embed/${next}/${whole.dataset.lang}`;
    whole.append(frame);
  };
  turn();
  setInterval(turn, TURN_MS);
  whole.addEventListener('dblclick', () => whole.requestFullscreen?.());
  whole.querySelector('button')?.addEventListener('click', () => whole.requestFullscreen?.());
}

if (typeof document !== 'undefined') document.querySelectorAll('.presswall').forEach(begin);
