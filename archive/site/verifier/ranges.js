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

/** Whether `[from, to)` shares anything with the set. */
export function meets(ranges, from, to) {
  const at = firstAfter(ranges, from);
  return at < ranges.length && ranges[at][0] < to;
}
