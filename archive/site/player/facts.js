/** What is known of a station: states, and what is true of each moment of its cameras. */

/** Of a thinned stretch a part is here, all through. */
const VIDEO = new Set(['segment', 'recovered', 'thinned']);
const WHOLE = new Set(['segment', 'recovered']);
const EVERY_MS = 10_000;
const FRESH_MS = 60_000;

/**
 * Asks for `/open/stations/STATION.json` now and every ten seconds while the page is seen, and tells `onNews()`. What
 * cannot be loaded or read leaves what was known before.
 */
export function stationFacts(station, onNews = () => {}) {
  let known = { state: null, test: false, cameras: [] };
  let first = null;
  const refresh = async () => {
    try {
      const signal = AbortSignal.timeout?.(EVERY_MS);
      const answer = await fetch(`/open/stations/${station}.json`, { credentials: 'omit', signal });
      if (!answer.ok) return;
      const told = await answer.json();
      if (told === null || !Array.isArray(told.cameras)) return;
      known = told;
      onNews();
    } catch (error) {
      console.warn('the station is not known', error);
    }
  };
  first = refresh();
  const timer = setInterval(() => document.hidden || refresh(), EVERY_MS);
  const read = new WeakMap(); // by camera as it was told: its spans
  const spansOf = (told) => {
    if (told === undefined) return [];
    if (!read.has(told)) read.set(told, readSpans(told));
    return read.get(told);
  };
  const find = (unit, camera) => known.cameras.find((each) => each.unit === unit && each.camera === camera);
  return {
    /** Resolves once the first answer came, or did not. */
    first,
    refresh,
    state: () => known.state,
    stateOf: (unit, camera) => find(unit, camera)?.state ?? known.state,
    /** Whether what it records is a test, whatever the state. */
    isTest: (unit, camera) => (find(unit, camera)?.test ?? known.test) === true,
    spansOf: (unit, camera) => spansOf(find(unit, camera)),
    /** Whether its newest video is of the last minute. */
    isFresh(unit, camera) {
      const ends = spansOf(find(unit, camera)).filter(isVideo).map(({ to }) => to);
      return ends.length > 0 && Date.parse(known.at) - Math.max(...ends) < FRESH_MS;
    },
    cameras: () => known.cameras.map(({ unit, camera }) => `${unit}/${camera}`),
    close: () => clearInterval(timer),
  };
}

const isVideo = ({ axis, state }) => axis === '' && VIDEO.has(state);

/**
 * What is known of a camera, in order of time: `{axis, from, to, state, cause}`, times in milliseconds. Where its gaps
 * are told with their causes, they stand for the spans of that state. What cannot be read is left out.
 */
export function readSpans({ spans, gaps }) {
  const told = (Array.isArray(spans) ? spans : []).map(({ from, to, state, cause, boot }) => {
    return { axis: boot ?? '', from: Date.parse(from), to: Date.parse(to), state, cause: cause ?? null };
  });
  const causes = (Array.isArray(gaps) ? gaps : []).map(({ from, to, cause }) => {
    const isKnown = Array.isArray(from?.utc) && Array.isArray(to?.utc);
    const axis = isKnown ? '' : to?.boot;
    return { axis, from: msOf(from, isKnown), to: msOf(to, isKnown), state: 'gap', cause: cause ?? null };
  });
  const known = causes.length > 0 ? [...told.filter(({ state }) => state !== 'gap'), ...causes] : told;
  return known.filter(isSpan).sort((one, two) => one.from - two.from);
}

function isSpan({ axis, from, to }) {
  return typeof axis === 'string' && Number.isFinite(from) && Number.isFinite(to) && from < to;
}

/** The middle of what is known of a moment's UTC, or its boot time. */
function msOf(moment, isKnown) {
  if (!isKnown) return Number(moment?.boot_ns) / 1e6;
  const [least, most] = moment.utc.map((each) => Date.parse(each));
  return (least + most) / 2;
}

/** What is known of the time from `from` to `to` (ms) without video: the spans of it, at most `most`. */
export function holesIn(spans, axis, from, to, most = 3) {
  const isHole = (span) => span.axis === axis && span.from < to && span.to > from && !WHOLE.has(span.state);
  return spans.filter(isHole).slice(0, most);
}

/** The first moment at or after `ms` of which there is video; null where none is known. */
export function nextVideo(spans, axis, ms) {
  const span = spans.find((each) => each.axis === axis && VIDEO.has(each.state) && each.to > ms);
  return span === undefined ? null : Math.max(span.from, ms);
}

/** From when to when anything is known on an axis: `{from, to}`, or null. */
export function extentOf(spans, axis) {
  const own = spans.filter((span) => span.axis === axis);
  if (own.length === 0) return null;
  return { from: Math.min(...own.map(({ from }) => from)), to: Math.max(...own.map(({ to }) => to)) };
}
