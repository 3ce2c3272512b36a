/** Step 10 of spec/verify.md: where the ledgers of one unit part, and what that is (spec/ledger.md, section 8). */

const MAX_TAIL_NS = 60_000_000_000;

/**
 * The forks between each two `histories`: `{code, seq, abandoned}`; `abandoned` is the number of the branch that did
 * not go on, null for an equivocation. A history maps each `seq` to its good line.
 */
export function findForks(histories) {
  const forks = [];
  for (let one = 0; one < histories.length; one += 1) {
    for (let two = one + 1; two < histories.length; two += 1) {
      const seq = parting(histories[one], histories[two]);
      if (seq !== null) forks.push(judgeFork(histories, one, two, seq));
    }
  }
  return forks;
}

/** The first `seq` that stands in both with different payloads. */
function parting(one, two) {
  let first = null;
  for (const [seq, line] of one) {
    const other = two.get(seq);
    if (other !== undefined && other.said !== line.said && (first === null || seq < first)) first = seq;
  }
  return first;
}

function judgeFork(histories, one, two, seq) {
  const branches = [one, two].map((number) => ({ number, ...branchOf(histories[number], seq) }));
  const [left, right] = branches;
  const sameSession = !left.opens && !right.opens && left.kid === right.kid;
  if (sameSession || (left.holds && right.holds) || left.opens === right.opens) {
    return { code: 'equivocation', seq, abandoned: null };
  }
  const abandoned = left.opens ? right : left;
  if (abandoned.holds) return { code: 'equivocation', seq, abandoned: null };
  return { code: abandoned.span_ns <= MAX_TAIL_NS ? 'tail-lost' : 'rolled-back', seq, abandoned: abandoned.number };
}

/** A branch from `seq` on: whether it opens with a `start` and holds one, and its span of boot time. */
function branchOf(history, since) {
  const first = history.get(since);
  let [holds, least, most] = [false, first.boot_ns, first.boot_ns];
  for (const [seq, line] of history) {
    if (seq < since) continue;
    holds ||= line.start;
    least = Math.min(least, line.boot_ns);
    most = Math.max(most, line.boot_ns);
  }
  return { opens: first.start, kid: first.kid, holds, span_ns: most - least };
}
