/** Step 5 of spec/verify.md for the lines of one ledger: boot time, and what lines say of the clock. */

import { clockAgreement } from './utc.js';

const SECOND_NS = 1_000_000_000;
const STEP_US = 500_000;

/**
 * Judges the stamps of good lines in order. `report(code, detail)` takes findings on the line at hand. `utc` is the
 * record's; `forget()` is called after a break of the chain.
 */
export function timing(report, utc) {
  const boots = [];
  const agreements = new Map();
  let before = null;

  const judgeBoot = (line, boot_id, isLate) => {
    const last = boots[boots.length - 1];
    if (last === undefined || last.boot_id !== boot_id) {
      const comesBack = boots.some((boot) => boot.boot_id === boot_id);
      if (comesBack) report('time-backwards', 'a boot comes back');
      boots.push({ boot_id, last_ns: line.boot_ns, broken: before === null || comesBack });
      before = null;
    } else if (!isLate) {
      if (line.boot_ns < last.last_ns) report('time-backwards', 'boot time decreases');
      last.last_ns = Math.max(last.last_ns, line.boot_ns);
    }
  };

  const judgeStep = (line) => {
    if (before === null || before.utc_us === null || line.utc_us === null) return;
    // Exact to a microsecond, which is far below what is allowed.
    const jump_us = line.utc_us - before.utc_us - (line.boot_ns - before.boot_ns) / 1000;
    if (Math.abs(jump_us) <= STEP_US) return;
    const told = line.kind === 'clock' ? line.body.step_us : null;
    if (told === null || Math.abs(jump_us - told) > STEP_US) report('clock-step-untold', '');
  };

  const judgeAgreement = (line, boot_id, isLate) => {
    if (isLate) {
      if (line.utc_us !== null && line.error_us !== null) utc.observe(boot_id, line);
      return;
    }
    if (!agreements.has(boot_id)) agreements.set(boot_id, clockAgreement());
    const told = line.kind === 'clock' && line.body.step_us !== null && Math.abs(line.body.step_us) > 0;
    const { code, contradicts } = agreements.get(boot_id).observe(line, told);
    if (code !== null) report(code, '');
    if (line.utc_us !== null && line.error_us !== null) utc.observe(boot_id, line);
    if (contradicts) utc.contradicted(boot_id);
  };

  const judgeBody = ({ kind, boot_ns, body }, session, sessionOf) => {
    if (kind === 'segment') {
      if (body.from_ns < session.start.boot_ns) report('time-backwards', 'a segment begins before its session');
      if (body.to_ns > boot_ns + SECOND_NS) report('time-ahead', '');
    } else if (kind === 'gap' || kind === 'close') {
      if (body.to_ns > boot_ns + SECOND_NS) report('time-ahead', '');
    } else if (kind === 'recovered') {
      const sameBoot = sessionOf(body.session)?.boot_id === session.boot_id;
      if (sameBoot && body.to_ns > session.start.boot_ns + SECOND_NS) report('time-ahead', '');
    }
  };

  return {
    /** A good line of `session`; `isLate` says that it stands in the wrong place. */
    judge(line, session, sessionOf, isLate) {
      judgeBoot(line, session.boot_id, isLate);
      if (!isLate) judgeStep(line);
      judgeAgreement(line, session.boot_id, isLate);
      if (line.body !== null) judgeBody(line, session, sessionOf);
      before = isLate ? null : line;
    },
    /** After a break: what comes next is not compared with what came before. */
    forget() {
      before = null;
      for (const agreement of agreements.values()) agreement.forget();
    },
    /** At the end: the boots that begin before the last line of the boot before them. */
    finish() {
      return boots.filter((boot, at) => {
        if (at === 0 || boot.broken) return false;
        const [began, ended] = [utc.at(boot.boot_id, 0), utc.at(boots[at - 1].boot_id, boots[at - 1].last_ns)];
        return began !== null && ended !== null && began[1] < ended[0];
      });
    },
  };
}
