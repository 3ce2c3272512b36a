/** The places of lines (spec/verify.md, step 4 and section 2.1): who follows whom, what is missing, moved or repeated. */

/**
 * The chain of one ledger file. `refused` tells of a line that counts for nothing but its place, `place` of a good one.
 * Nothing is known before the first good line, which a record must open with.
 */
export function chainOfLines() {
  const digests = new Map();
  const claimed = new Set();
  const jumps = [];
  let anonymous = 0;
  let head = null;

  /** How many of the lines `[from, to)` refused lines do not stand for. */
  const unexplained = (from, to, unclaimed) => {
    let count = to - from - unclaimed;
    for (const seq of claimed) if (seq >= from && seq < to && !digests.has(seq)) count -= 1;
    return Math.max(0, count);
  };

  return {
    /** The newest line that counts: `{seq, sha256}`, or null. */
    head: () => head,
    /** A refused line; `seq` is the place that it claims, null where it claims none. */
    refused(seq) {
      if (seq === null || digests.has(seq) || claimed.has(seq)) anonymous += 1;
      else claimed.add(seq);
    },
    /**
     * The first good line. False where something stands before it that nobody can tell: `head-missing`.
     */
    begin({ seq }, digest) {
      const whole = unexplained(0, seq, anonymous) === 0;
      anonymous = 0;
      digests.set(seq, digest);
      head = { seq, sha256: digest };
      return whole;
    },
    /**
     * Where a later good line stands: `{at, prevWrong}`. `at` is `next`, `ahead` (lines are missing so far), `late`
     * (it was missing; it counts), `repeated` or `back` (both count for nothing).
     */
    place({ seq, prev }, digest) {
      if (seq > head.seq) {
        const ahead = seq > head.seq + 1;
        const prevWrong = !ahead && prev !== head.sha256;
        if (ahead) jumps.push({ from: head.seq + 1, to: seq, late: 0, anonymous });
        anonymous = 0;
        digests.set(seq, digest);
        head = { seq, sha256: digest };
        return { at: ahead ? 'ahead' : 'next', prevWrong };
      }
      const before = digests.get(seq);
      if (before !== undefined) return { at: before === digest ? 'repeated' : 'back', prevWrong: false };
      const jump = findJump(jumps, seq);
      if (jump === null) return { at: 'back', prevWrong: false };
      jump.late += 1;
      digests.set(seq, digest);
      return { at: 'late', prevWrong: false };
    },
    /** At the end: `{seq, count}` for each place where lines are missing that nothing stands for. */
    missing() {
      return jumps
        .map(({ from, to, late, anonymous: unclaimed }) => ({ seq: from, count: unexplained(from, to, late + unclaimed) }))
        .filter(({ count }) => count > 0);
    },
  };
}

/** The jump over `seq`. Jumps are in order. */
function findJump(jumps, seq) {
  let [low, high] = [0, jumps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (jumps[middle].to > seq) high = middle;
    else low = middle + 1;
  }
  return low < jumps.length && jumps[low].from <= seq ? jumps[low] : null;
}
