/** The places of lines (spec/verify.md, step 4 and section 2.1): who follows whom, what is missing, moved, repeated. */

import { addRange, meets, partsIn, partsOutside, removeOne } from './ranges.js';

/**
 * The chain of one ledger file. Of a part of a record, lines up to the number `since` may be left out. A good line is placed by its `seq`; a refused one counts for nothing but its place.
 * A verifier goes on from the line at hand, whatever its place: so one damage is one finding.
 */
export function chainOfLines(since = -1) {
  const digests = new Map();
  /** Numbers up to `top` that no good line brought, and those of them that nothing stands for. */
  const [unseen, unexplained] = [[], []];
  const claimed = [];
  let [base, top, strays] = [null, -1, 0];
  let [headless, damaged] = [false, false];
  /** The line before: nothing yet, or `{seq, sha256}`. */
  let before = null;

  const isSeen = (seq) => base !== null && base <= seq && seq <= top && !meets(unseen, seq, seq + 1);

  /** Lines are left out before `seq`, unless they came before or refused lines stand for them. */
  const jump = (seq) => {
    const from = before === null ? 0 : before.seq + 1;
    if ((headless && before === null) || seq <= since) return;
    const first = Math.max(from, top + 1);
    if (first < seq) addRange(unseen, first, seq);
    const absent = partsIn(unseen, from, seq);
    const unclaimed = absent.flatMap(([begin, end]) => partsOutside(claimed, begin, end));
    if (unclaimed.reduce((sum, [begin, end]) => sum + end - begin, 0) <= strays) return;
    damaged = true;
    for (const [begin, end] of unclaimed) addRange(unexplained, begin, end);
  };

  return {
    /** The line that the next one should follow: the newest good one, `{seq, sha256}`, or null. */
    head: () => before,
    /** Whether lines are missing so far, or refused. */
    isDamaged: () => damaged,
    /** The file begins with a line that can be read and is not the first of a record. */
    begin() {
      headless = damaged = true;
    },
    /** A refused line; `seq` is the place that it claims, null where it cannot be read. */
    refused(seq) {
      damaged = true;
      if (seq === null || seq <= (before?.seq ?? -1)) strays += 1;
      else addRange(claimed, seq, seq + 1);
    },
    /**
     * Where a good line stands: `next`; `wrong` (next, but it follows another line); `ahead` (lines before it are
     * missing so far); `late` (it was missing; it counts); `repeated`, `back` or `again` (a number that was there
     * before; all three count for nothing, and `again` follows one that was told already).
     */
    place({ seq, prev }, digest) {
      if (isSeen(seq)) {
        if (digests.get(seq) === digest) return 'repeated';
        const at = seq === before.seq + 1 ? 'again' : 'back';
        before = { seq, sha256: digest };
        return at;
      }
      let at = 'next';
      if (seq === (before?.seq ?? -1) + 1) {
        if (before !== null && prev !== before.sha256) at = 'wrong';
      } else if (seq > (before?.seq ?? -1)) {
        at = 'ahead';
        jump(seq);
      } else {
        at = 'late';
      }
      removeOne(unseen, seq);
      removeOne(unexplained, seq);
      digests.set(seq, digest);
      before = { seq, sha256: digest };
      base = base === null ? seq : Math.min(base, seq);
      top = Math.max(top, seq);
      strays = 0;
      return at;
    },
    /** Whether a number lies behind all that were seen. */
    isBehind: (seq) => seq > top && !isSeen(seq),
    /** At the end: `[from, to)` of the lines that are missing for good. */
    missing: () => unexplained,
  };
}
