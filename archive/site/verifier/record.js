/** What the lines of one unit say, over all branches that were given, before media and answer. */

import { findingList } from './findings.js';
import { clockState } from './lines.js';
import { utcOfBoots } from './utc.js';

/** The key of a run, and with `index` of a segment: where its media lie. */
export function runKey(session, camera, run) {
  return `${session}/${camera}/${run}`;
}

/** The name of a segment file in its run's folder (spec/segment.md, section 2). */
export function segmentName(index) {
  return `${String(index).padStart(6, '0')}.m4s`;
}

/**
 * An empty record. `pieces` are named segments by their lines' digests, in order: the line's body with `kind`,
 * `boot_id`, `session` and the names of the unit; `state` is what the answer counts it as. `boots` and `cameras`
 * are in the order in which they appear.
 */
export function newRecord() {
  return {
    names: null,
    findings: findingList(),
    utc: utcOfBoots(),
    digests: new Set(),
    /** Findings on lines, each once, though several branches hold the line. */
    reported: new Set(),
    lines: 0,
    head: null,
    closed: false,
    /** Where the record is a clip: what it holds. */
    clip: null,
    /** Lines are missing or refused: they may have named anything. */
    damaged: false,
    boots: [],
    cameras: new Map(),
    pieces: new Map(),
    gaps: [],
    closes: [],
    /** `run` lines by their digests, and by the key of their run. */
    runs: new Map(),
    streams: new Map(),
    pruned: [],
    /** By name: the session, with its `start` and its last line. */
    sessions: new Map(),
    profiles: [],
    timeZone: null,
    events: [],
    clock: [],
    /** What good lines name: places as `SESSION/CAMERA/RUN/NAME`, and digests; and every path that one set aside. */
    named: new Set(),
    setAside: new Set(),
  };
}

/** From one line to another of a boot the clock is synced, unsynced or unset. */
export function noteClock(record, boot_id, line) {
  const state = clockState(line);
  const last = record.clock[record.clock.length - 1];
  if (last !== undefined && last.boot_id === boot_id) {
    last.to_ns = Math.max(last.to_ns, line.boot_ns);
    if (last.state === state) return;
  }
  record.clock.push({ boot_id, state, from_ns: line.boot_ns, to_ns: line.boot_ns });
}
