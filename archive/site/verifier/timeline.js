/** The day of a camera: what covers each moment, over all branches, and how long (spec/verify.md, section 3). */

import { addRange, firstAfter } from './ranges.js';

/** What comes first at a moment. */
const ORDER = ['segment', 'recovered', 'held', 'damaged', 'missing', 'at-unit', 'pruned', 'gap', 'unexplained'];
const MISSING = new Set(['damaged', 'missing', 'at-unit', 'pruned', 'gap', 'unexplained']);

/**
 * The spans of a camera in order: `{from, to, state, mode, cause, evidence, duration_ns}`; `from` and `to` are
 * `{boot_id, boot_ns}`, `duration_ns` is `[min, max]`, max null where unbounded.
 */
export function spansOf(record, camera) {
  const pieces = [...record.pieces.values()].filter((piece) => piece.camera === camera);
  const gaps = record.gaps.filter((gap) => gap.camera === camera);
  const boots = bootsOf(record, camera, pieces, gaps);
  const spans = [];
  let end = null;
  for (const boot of boots) {
    const resolved = resolve(boot);
    if (end !== null) {
      const first = resolved[0];
      const joins = first !== undefined && first.from_ns === 0 && first.crosses;
      if (joins) resolved.shift();
      const to = { boot_id: boot.boot_id, boot_ns: joins ? first.to_ns : boot.begin_ns };
      const what = joins ? first : { state: boot.crossing ? 'gap' : 'unexplained', ...(boot.crossing ?? {}) };
      spans.push(span(record, end, to, what));
    }
    for (const part of resolved) {
      const [from, to] = [part.from_ns, part.to_ns].map((boot_ns) => ({ boot_id: boot.boot_id, boot_ns }));
      spans.push(span(record, from, to, part));
    }
    end = { boot_id: boot.boot_id, boot_ns: boot.end_ns };
  }
  return merge(record, spans);
}

/** `covered`, `held`, `missing`: `[min, max]` milliseconds, rounded outwards; `modes`: covered and held ns by mode. */
export function sumSpans(spans) {
  const sums = { covered: [0, 0], held: [0, 0], missing: [0, 0] };
  const modes = {};
  for (const { state, mode, duration_ns: [least, most] } of spans) {
    const sum = sums[state === 'held' ? 'held' : MISSING.has(state) ? 'missing' : 'covered'];
    sum[0] += least;
    sum[1] = sum[1] === null || most === null ? null : sum[1] + most;
    if (!MISSING.has(state)) modes[mode] = (modes[mode] ?? 0) + least;
  }
  return { ...Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, milliseconds(sum)])), modes };
}

/** `[min, max]` nanoseconds as milliseconds, rounded outwards. */
export function milliseconds([least, most]) {
  return [Math.floor(least / 1e6), most === null ? null : Math.ceil(most / 1e6)];
}

/** The boots in which the camera has a record, in order, with all that claims their time. */
function bootsOf(record, camera, pieces, gaps) {
  const begin = record.cameras.get(camera);
  const found = new Map();
  const order = [...record.boots];
  const at = (boot_id) => {
    const boot = found.get(boot_id) ?? { boot_id, claims: [], crossing: null, begins: [], ends: [], tails: [] };
    found.set(boot_id, boot);
    return boot;
  };
  if (begin !== undefined) at(begin.boot_id).begins.push(begin.boot_ns);
  for (const piece of pieces) {
    const { mode, from_ns, to_ns } = piece;
    const state = piece.state === 'here' || piece.state === 'absent' ? piece.kind : piece.state;
    at(piece.boot_id).claims.push({ state, mode, from_ns, to_ns });
  }
  for (const gap of gaps) {
    const { boot_id, from_boot, from_ns, to_ns, cause, evidence } = gap;
    const claim = { state: 'gap', mode: null, cause, evidence };
    if (from_boot === null || from_boot === boot_id) {
      if (from_ns < to_ns) at(boot_id).claims.push({ ...claim, from_ns, to_ns });
      continue;
    }
    at(boot_id).crossing ??= { cause, evidence, mode: null };
    at(boot_id).claims.push({ ...claim, from_ns: 0, to_ns, crosses: true });
    at(from_boot).tails.push({ ...claim, from_ns });
    if (!order.includes(from_boot)) order.splice(order.indexOf(boot_id), 0, from_boot);
  }
  for (const close of begin === undefined ? [] : record.closes) at(close.boot_id).ends.push(close.boot_ns);
  const known = order.filter((boot_id) => found.has(boot_id)).map((boot_id) => found.get(boot_id));
  known.forEach(bound);
  return known;
}

/** Where a boot's part of the record begins and ends; a gap into the next boot reaches to that end. */
function bound(boot) {
  const tails = boot.tails.map(({ from_ns }) => from_ns);
  const begins = [...boot.begins, ...boot.claims.map(({ from_ns }) => from_ns), ...tails];
  const ends = [...boot.ends, ...boot.claims.map(({ to_ns }) => to_ns), ...tails];
  boot.end_ns = [...ends, ...(ends.length === 0 ? begins : [])].reduce((most, ns) => Math.max(most, ns), 0);
  boot.begin_ns = begins.reduce((least, ns) => Math.min(least, ns), boot.end_ns);
  for (const tail of boot.tails) {
    if (tail.from_ns < boot.end_ns) boot.claims.push({ ...tail, to_ns: boot.end_ns, isTail: true });
  }
}

/** A gap into the next boot begins where all branches of its own have ended: any other gap comes before it. */
function rank({ state, isTail }) {
  return ORDER.indexOf(state) + (isTail ? 0.5 : 0);
}

/** The parts of a boot's time in order, each with the claim that comes first. */
function resolve({ claims, begin_ns, end_ns }) {
  const covered = [];
  const parts = [];
  const whole = { state: 'unexplained', mode: null, from_ns: begin_ns, to_ns: end_ns };
  const sorted = [...claims, whole].sort(
    (one, two) => rank(one) - rank(two) || one.from_ns - two.from_ns,
  );
  for (const claim of sorted) {
    let from_ns = claim.from_ns;
    for (let at = firstAfter(covered, from_ns); from_ns < claim.to_ns; at += 1) {
      const [begins, ends] = covered[at] ?? [Infinity, Infinity];
      const to_ns = Math.min(begins, claim.to_ns);
      if (from_ns < to_ns) parts.push({ ...claim, from_ns, to_ns });
      from_ns = ends;
    }
    if (claim.from_ns < claim.to_ns) addRange(covered, claim.from_ns, claim.to_ns);
  }
  return parts.sort((one, two) => one.from_ns - two.from_ns);
}

function span(record, from, to, { state, mode = null, cause = null, evidence = null }) {
  return { from, to, state, mode, cause, evidence, duration_ns: durationOf(record, from, to) };
}

/** Exact within a boot; across boots at least the new boot's age, and bounded where UTC is known on both sides. */
function durationOf(record, from, to) {
  if (from.boot_id === to.boot_id) return [to.boot_ns - from.boot_ns, to.boot_ns - from.boot_ns];
  const [before, after] = [record.utc.at(from.boot_id, from.boot_ns), record.utc.at(to.boot_id, to.boot_ns)];
  if (before === null || after === null) return [to.boot_ns, null];
  const least = Math.max(to.boot_ns, (after[0] - before[1]) * 1000);
  return [least, Math.max(least, (after[1] - before[0]) * 1000)];
}

/** Neighbours of one state, mode and cause within a boot are one. */
function merge(record, spans) {
  const merged = [];
  for (const next of spans) {
    const last = merged[merged.length - 1];
    const same = last !== undefined && ['state', 'mode', 'cause'].every((name) => last[name] === next[name]);
    const boots = last === undefined ? [] : [last.from.boot_id, last.to.boot_id, next.from.boot_id, next.to.boot_id];
    if (same && new Set(boots).size === 1 && last.to.boot_ns === next.from.boot_ns) {
      last.to = next.to;
      last.duration_ns = durationOf(record, last.from, last.to);
    } else {
      merged.push({ ...next });
    }
  }
  return merged;
}
