/**
 * UTC of a boot time, as an interval, from what synchronised lines say (spec/verify.md, section 3).
 *
 * Exact: offsets of UTC to boot time are whole numbers (BigInt) of 1/2,000,000 microsecond, in which 500 ppm of one
 * nanosecond is one unit. A line at boot time b says that the offset at t lies between low - |t - b| and
 * high + |t - b|.
 */

import { clockState } from './lines.js';

const UNIT = 2_000_000n;
const UNITS_PER_NS = 2_000n;

function statement({ boot_ns, utc_us, error_us }) {
  const place = BigInt(boot_ns);
  const offset = BigInt(utc_us) * UNIT - place * UNITS_PER_NS;
  const error = BigInt(error_us) * UNIT;
  return { place, low: offset - error, high: offset + error };
}

/** The lowest of `height + |t - place|` over cones: `add(place, height)`, then `at(t)`. */
function lowestCone() {
  let cones = [];
  let before = null;
  let after = null;
  const settle = () => {
    cones.sort((one, two) => (one.place < two.place ? -1 : 1));
    before = cones.map(({ place, height }) => height - place);
    after = cones.map(({ place, height }) => height + place);
    for (let at = 1; at < cones.length; at += 1) if (before[at - 1] < before[at]) before[at] = before[at - 1];
    for (let at = cones.length - 2; at >= 0; at -= 1) if (after[at + 1] < after[at]) after[at] = after[at + 1];
  };
  return {
    add(place, height) {
      const last = cones[cones.length - 1];
      if (last !== undefined && last.place <= place && last.height + place - last.place <= height) return;
      cones.push({ place, height });
      before = null;
    },
    at(place) {
      if (before === null) settle();
      let [low, high] = [0, cones.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (cones[middle].place > place) high = middle;
        else low = middle + 1;
      }
      const left = low > 0 ? before[low - 1] + place : null;
      const right = low < cones.length ? after[low] - place : null;
      if (left === null || right === null) return left ?? right;
      return left < right ? left : right;
    },
  };
}

function least(one, two) {
  return one === null || two < one ? two : one;
}

/** What is known of UTC in each boot of a record, over all its branches. */
export function utcOfBoots() {
  const boots = new Map();
  const bootOf = (boot_id) => {
    if (!boots.has(boot_id)) {
      const hull = { lowUp: null, lowDown: null, highUp: null, highDown: null };
      const cones = { upper: lowestCone(), lower: lowestCone() };
      const agreement = clockAgreement();
      boots.set(boot_id, { ...cones, hull, agreement, isKnown: false, isContradicted: false });
    }
    return boots.get(boot_id);
  };
  const interval = (boot, place) => {
    const [low, high] = [-boot.lower.at(place), boot.upper.at(place)];
    if (low <= high && !boot.isContradicted) return [low, high];
    const { lowUp, lowDown, highUp, highDown } = boot.hull;
    return [least(lowUp - place, lowDown + place), -least(highUp - place, highDown + place)];
  };
  const include = (boot, stamp) => {
    const { place, low, high } = statement(stamp);
    boot.isKnown = true;
    boot.upper.add(place, high);
    boot.lower.add(place, -low);
    const { hull } = boot;
    hull.lowUp = least(hull.lowUp, low + place);
    hull.lowDown = least(hull.lowDown, low - place);
    hull.highUp = least(hull.highUp, place - high);
    hull.highDown = least(hull.highDown, -place - high);
  };
  return {
    /**
     * Takes in a line's stamp, in ledger order; `isTold` says that the line tells a step of the clock. Gives
     * `clock-contradiction`, `clock-step` or null. After a contradiction the boot's UTC is the hull of all lines.
     */
    observe(boot_id, stamp, isTold) {
      const boot = bootOf(boot_id);
      const { code, contradicts } = boot.agreement.observe(stamp, isTold);
      if (clockState(stamp) === 'synced') include(boot, stamp);
      boot.isContradicted ||= contradicts;
      return code;
    },
    /** `[least, most]` microseconds at a boot time, rounded outwards; null where nothing is known. */
    at(boot_id, boot_ns) {
      const boot = boots.get(boot_id);
      if (boot === undefined || !boot.isKnown) return null;
      const place = BigInt(boot_ns);
      const [low, high] = interval(boot, place);
      const now = place * UNITS_PER_NS;
      return [Number(floorDiv(low + now, UNIT)), Number(-floorDiv(-high - now, UNIT))];
    },
  };
}

function floorDiv(value, by) {
  const whole = value / by;
  return value % by < 0n ? whole - 1n : whole;
}

/**
 * Whether the synced lines of one boot agree, in ledger order: `observe(stamp, isTold)` gives the code
 * `clock-contradiction`, `clock-step` where a line between tells the step, or null.
 */
function clockAgreement() {
  let [overall, recent, told] = [openBounds(), openBounds(), false];
  return {
    /** `contradicts` says that the line and an earlier one of the boot contradict, whether excused or not. */
    observe(stamp, isTold) {
      if (isTold && overall.high !== null) [recent, told] = [openBounds(), true];
      if (clockState(stamp) !== 'synced') return { code: null, contradicts: false };
      const said = statement(stamp);
      const contradicts = !allows(overall, said);
      let code = null;
      if (!allows(recent, said)) {
        code = 'clock-contradiction';
        recent = openBounds();
      } else if (contradicts && told) {
        code = 'clock-step';
        told = false;
      }
      take(overall, said);
      take(recent, said);
      return { code, contradicts };
    },
  };
}

/** What all lines so far allow at a place that is not before any of them. */
function openBounds() {
  return { low: null, high: null, last: -1n };
}

function take(bounds, { place, low, high }) {
  bounds.high = least(bounds.high, high - place);
  bounds.low = least(bounds.low, -low - place);
  if (place > bounds.last) bounds.last = place;
}

function allows(bounds, { place, low, high }) {
  if (bounds.high === null || place < bounds.last) return true;
  return low <= bounds.high + place && high >= -bounds.low - place;
}
