/** Step 5 of spec/verify.md for the lines of one ledger: boot time, and what lines say of the clock. */

const SECOND_NS = 1_000_000_000;
const STEP_US = 500_000;

/** Judges the stamps of good lines in order. `report(code, detail)` takes findings on them; `utc` is the record's. */
export function timing(report, utc) {
  const newest = new Map();
  const reboots = [];
  /** The line before: its session, its boot and its stamp. */
  let before = null;

  const judgeBoot = (line, { boot_id }, isLate) => {
    if (!isLate && line.boot_ns < (newest.get(boot_id) ?? 0)) report('time-backwards', 'boot time decreases');
    if (line.kind === 'start' && !isLate && before !== null && before.boot_id !== boot_id) {
      if (newest.has(boot_id)) report('time-backwards', 'a boot comes back');
      else reboots.push({ before: { boot_id: before.boot_id, boot_ns: before.line.boot_ns }, boot_id });
    }
    newest.set(boot_id, line.boot_ns);
  };

  const judgeStep = (line, { kid }) => {
    const last = before?.kid === kid ? before.line : null;
    if (last === null || last.utc_us === null || line.utc_us === null) return;
    const jump_us = line.utc_us - last.utc_us - Math.floor((line.boot_ns - last.boot_ns) / 1000);
    const told_us = line.kind === 'clock' ? line.body.step_us ?? 0 : 0;
    if (Math.abs(jump_us) > STEP_US && Math.abs(jump_us - told_us) > STEP_US) report('clock-step-untold', '');
  };

  const judgeAgreement = (line, { boot_id }, isExcused) => {
    const isTold = line.kind === 'clock' && (line.body.change === 'step' || (line.body.step_us ?? 0) !== 0);
    const code = utc.observe(boot_id, line, isTold || isExcused);
    if (code === 'clock-contradiction' || (code === 'clock-step' && !isExcused)) report(code, '');
  };

  const judgeBody = ({ kind, boot_ns, body }, session, owner, isLate, counts) => {
    if (['segment', 'gap', 'close'].includes(kind) && body.to_ns > boot_ns + SECOND_NS) report('time-ahead', '');
    if (!counts) return;
    if (kind === 'segment' && !isLate && body.from_ns < session.start.boot_ns) {
      report('time-backwards', 'a segment begins before its session');
    }
    const isFound = kind === 'recovered' && !isLate && owner !== null && owner.boot_id === session.boot_id;
    if (isFound && body.to_ns > session.start.boot_ns + SECOND_NS) report('time-ahead', 'found after a restart');
  };

  return {
    /**
     * A good line of `session`; `owner` is the session that a `recovered` line names, or null. `at` is its place:
     * `next`, `wrong`, `ahead` or `late` (chain.js). The clock is judged by lines that no other branch brought. `counts`
     * says whether what the line reports does.
     */
    judge(line, session, owner, at, isNew, counts = true) {
      const isLate = at === 'late';
      judgeBoot(line, session, isLate);
      if (at === 'next') judgeStep(line, session);
      if (!isLate && isNew) judgeAgreement(line, session, at !== 'next');
      judgeBody(line, session, owner, isLate, counts);
      before = { kid: session.kid, boot_id: session.boot_id, line };
    },
    /** At the end: the boots that begin before the last line of the boot before them. */
    finish() {
      return reboots
        .filter(({ before: last, boot_id }) => {
          const [began, ended] = [utc.at(boot_id, 0), utc.at(last.boot_id, last.boot_ns)];
          return began !== null && ended !== null && began[1] < ended[0];
        })
        .map(({ boot_id }) => boot_id);
    },
  };
}
