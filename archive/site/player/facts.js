/** What is known of a station: states, and what is true of each moment of its cameras. */

const VIDEO = new Set(['segment', 'recovered']);
const EVERY_MS = 10_000;
const FRESH_MS = 60_000;

/**
 * Asks for `/open/stations/STATION.json` now and every ten seconds while the page is seen, and tells `onNews()`. What
 * cannot be loaded or read leaves what was known before.
 */
export function stationFacts(station, onNews = () => {}) {
  let known = { state: null, cameras: [] };
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
  const find = (unit, camera) => known.cameras.find((each) => each.unit === unit && each.camera === camera);
  return {
    /** Resolves once the first answer came, or did not. */
    first,
    refresh,
    state: () => known.state,
    stateOf: (unit, camera) => find(unit, camera)?.state ?? known.state,
    spansOf: (unit, camera) => readSpans(find(unit, camera)?.spans),
    /** Whether its newest video is of the last minute. */
    isFresh(unit, camera) {
      const ends = readSpans(find(unit, camera)?.spans).filter(isVideo).map(({ to }) => to);
      return ends.length > 0 && Date.parse(known.at) - Math.max(...ends) < FRESH_MS;
    },
    cameras: () => known.cameras.map(({ unit, camera }) => `${unit}/${camera}`),
    close: () => clearInterval(timer),
  };
}

const isVideo = ({ axis, state }) => axis === '' && VIDEO.has(state);

/** Spans with times in milliseconds: `{axis, from, to, state, cause}`; what cannot be read is left out. */
export function readSpans(spans) {
  if (!Array.isArray(spans)) return [];
  return spans
    .map(({ from, to, state, cause, boot }) => ({
      axis: boot ?? '', from: Date.parse(from), to: Date.parse(to), state, cause: cause ?? null,
    }))
    .filter(({ from, to }) => Number.isFinite(from) && Number.isFinite(to) && from < to);
}

/** What is known of the time from `from` to `to` (ms) without video: the spans of it, at most `most`. */
export function holesIn(spans, axis, from, to, most = 3) {
  const isHole = (span) => span.axis === axis && span.from < to && span.to > from && !VIDEO.has(span.state);
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
