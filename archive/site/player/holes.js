/** What is said of a time without video. */

import { holesIn } from './facts.js';

const WORDS = {
  gap: 'gap-known', missing: 'gap-coming', held: 'gap-held', 'at-unit': 'gap-at-unit', pruned: 'gap-pruned',
  damaged: 'gap-damaged', unexplained: 'gap-unknown',
};

/** Sentences on the time from `from` to `to` (ms) of an axis: each hole with its own ends and cause, where known. */
export function describeHoles(say, clock, spans, axis, from, to) {
  const at = (ms) => clock.dated({ axis, ms });
  const holes = holesIn(spans, axis, from, to);
  if (holes.length === 0) return [say('gap-unknown', { from: at(from), to: at(to) })];
  return holes.map((hole) => {
    const cause = hole.state === 'gap' ? say(`cause-${hole.cause ?? 'unknown'}`) : '';
    return say(WORDS[hole.state] ?? 'gap-unknown', { from: at(hole.from), to: at(hole.to), cause });
  });
}
