/** Findings of a record, and the verdict that follows from them (spec/verify.md, sections 1 and 5). */

import { CODES, adviceOn } from './codes.js';

/** Findings of one code and camera whose `seq` are at most so far apart are one. */
const NEAR = 32;

/** Collects findings: `add(code, place, detail)`; `all()` gives them in order of their first line. */
export function findingList() {
  const found = [];
  const latest = new Map();
  return {
    /** `place` is `{camera, seq, boot_id, boot_ns}`, each left out where it does not apply; `count` is how many. */
    add(code, place = {}, detail = '', count = 1) {
      const { camera = null, seq = null, boot_id = null, boot_ns = null } = place;
      const key = `${code} ${camera}`;
      const before = latest.get(key);
      if (before !== undefined && seq !== null && Math.abs(seq - before.lastSeq) <= NEAR) {
        before.finding.count += count;
        before.lastSeq = seq;
        return;
      }
      const finding = { code, camera, seq, boot_id, boot_ns, detail, count };
      found.push(finding);
      if (seq !== null) latest.set(key, { finding, lastSeq: seq });
    },
    /** Whether any finding bears this code. */
    has: (code) => found.some((finding) => finding.code === code),
    all: () => [...found].sort((one, two) => (one.seq ?? Infinity) - (two.seq ?? Infinity) || 0),
  };
}

/** The verdict of findings: `verified`, `findings` or `cannot-tell`. */
export function verdictOf(findings) {
  const classes = new Set(findings.map(({ code }) => CODES.get(code).class));
  if (classes.has('wrong')) return 'findings';
  return classes.has('open') ? 'cannot-tell' : 'verified';
}

/** The worst of several verdicts. */
export function worstOf(verdicts) {
  return ['findings', 'cannot-tell'].find((verdict) => verdicts.includes(verdict)) ?? 'verified';
}

/** A finding as the answer gives it. `utcAt(boot_id, boot_ns)` is UTC there, or null. */
export function writeFinding(finding, utcAt) {
  const { code, camera, seq, boot_id, boot_ns, detail, count } = finding;
  const { class: kind, meaning } = CODES.get(code);
  const written = {
    code,
    class: kind,
    camera,
    seq,
    boot_id,
    boot_ns,
    utc_us: boot_ns === null ? null : utcAt(boot_id, boot_ns),
    message: detail === '' ? meaning : `${meaning} (${detail})`,
    advice: adviceOn(code),
  };
  return count === 1 ? written : { ...written, count };
}
