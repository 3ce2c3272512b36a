/** Sets of numbers as sorted lists of half-open ranges `[from, to)` that do not touch. */

/** The place of the first range that ends after `at`. */
export function firstAfter(ranges, at) {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle][1] > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Adds `[from, to)`, joining what it meets. */
export function addRange(ranges, from, to) {
  const last = ranges[ranges.length - 1];
  if (last === undefined || from > last[1]) {
    ranges.push([from, to]);
    return;
  }
  let first = firstAfter(ranges, from);
  if (first > 0 && ranges[first - 1][1] === from) first -= 1;
  let end = first;
  let [least, most] = [from, to];
  while (end < ranges.length && ranges[end][0] <= to) {
    least = Math.min(least, ranges[end][0]);
    most = Math.max(most, ranges[end][1]);
    end += 1;
  }
  ranges.splice(first, end - first, [least, most]);
}

/** Takes one number out. */
export function removeOne(ranges, number) {
  const at = firstAfter(ranges, number);
  if (at === ranges.length || ranges[at][0] > number) return;
  const [from, to] = ranges[at];
  const rest = [[from, number], [number + 1, to]].filter(([begin, end]) => begin < end);
  ranges.splice(at, 1, ...rest);
}

/** What of the set lies in `[from, to)`. */
export function partsIn(ranges, from, to) {
  const parts = [];
  for (let at = firstAfter(ranges, from); at < ranges.length && ranges[at][0] < to; at += 1) {
    parts.push([Math.max(ranges[at][0], from), Math.min(ranges[at][1], to)]);
  }
  return parts;
}

/** What of `[from, to)` lies outside the set. */
export function partsOutside(ranges, from, to) {
  const parts = [];
  let at = from;
  for (const [begin, end] of partsIn(ranges, from, to)) {
    if (at < begin) parts.push([at, begin]);
    at = end;
  }
  if (at < to) parts.push([at, to]);
  return parts;
}

/** Whether `[from, to)` shares anything with the set. */
export function meets(ranges, from, to) {
  const at = firstAfter(ranges, from);
  return at < ranges.length && ranges[at][0] < to;
}
