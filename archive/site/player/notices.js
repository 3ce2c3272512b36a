/** What stands over a picture: holes and their causes, the end, a live picture that stands, faults of the network. */

import { holesIn } from './facts.js';

/** How long a hole that is passed stays told while play goes on. */
const STAYS_MS = 8_000;
const HOLES = {
  gap: 'gap-known', missing: 'gap-coming', held: 'gap-held', withheld: 'gap-withheld', 'at-unit': 'gap-at-unit', pruned: 'gap-pruned',
  damaged: 'gap-damaged', unexplained: 'gap-unknown', thinned: 'gap-coming',
};

/** The notices of one picture; `spans()` is what is known of its camera. Times are ms on `axis`. */
export function makeNotices({ picture, say, clock, spans }) {
  const refused = new Set(); // addresses of what did not check
  let since = 0;
  const dated = (axis, ms) => clock.dated({ axis, ms });
  const tell = (kind, ...sentences) => {
    picture.tell(sentences, kind);
    since = performance.now();
  };
  /** Each hole with its own ends and cause, where known. */
  const holes = (axis, from, to) => {
    const known = holesIn(spans(), axis, from, to);
    if (known.length === 0) return [say('gap-unknown', { from: dated(axis, from), to: dated(axis, to) })];
    return known.map((hole) => {
      const cause = hole.state === 'gap' ? say(`cause-${hole.cause ?? 'unknown'}`) : '';
      const isPart = hole.state === 'thinned'; // of which only this piece is not here
      const [begin, end] = isPart ? [Math.max(hole.from, from), Math.min(hole.to, to)] : [hole.from, hole.to];
      const times = { from: dated(axis, begin), to: dated(axis, end) };
      return say(HOLES[hole.state] ?? 'gap-unknown', { ...times, cause });
    });
  };
  return {
    none: () => picture.tell([], ''),
    loading: () => picture.told() === '' && tell('loading', say('loading')),
    /** The video cannot be loaded; `isNone`: the site says that there is none. */
    lost: (isNone) => tell('lost', say(isNone ? 'nothing-live' : 'lost')),
    refuse: (address) => refused.add(address),
    /** Play passes the time from `from` to `to`. */
    passed: (axis, from, to) => tell('hole', ...holes(axis, from, to)),
    /** Play goes on at `to`; `first` is the first entry without video, where the list has one. */
    jumped(axis, from, to, first = null) {
      const times = { from: dated(axis, from), to: dated(axis, to) };
      const why = first !== null && refused.has(first.url) ? [say('gap-damaged', times)] : holes(axis, from, to);
      tell('hole', ...why, say('gap-next', { local: dated(axis, to) }));
    },
    /** Nothing comes after `ms`; `isNothing`: nothing was shown at all. */
    over(axis, ms, isNothing) {
      const end = Math.max(...spans().filter((span) => span.axis === axis).map(({ to }) => to));
      const last = end > ms + 1_000 ? holes(axis, ms, end) : [];
      tell('end', ...last, say(isNothing ? 'nothing-here' : 'gap-end'));
    },
    /** The live picture of `instant` stands. */
    standing(instant, isThinned) {
      const why = isThinned ? [say('thinned')] : [];
      picture.tell([say('held-picture', { local: clock.dated(instant) }), ...why], 'held');
    },
    /** Takes away what holds no longer; `moved` is when the picture last moved, `isThere` whether there is one. */
    fade(moved, isThere) {
      const isOld = performance.now() - since > STAYS_MS && moved > since;
      const isDone = { held: true, loading: isThere, hole: isOld, lost: isThere }[picture.told()] ?? false;
      if (isDone) picture.tell([], '');
    },
  };
}
