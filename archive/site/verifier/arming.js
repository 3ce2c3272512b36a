/** Step 7 of spec/verify.md: which mode is in force, and whether a segment may say what it says. */

const GRACE_NS = 10_000_000_000;

/** The modes of one ledger. `report(code, detail)` takes findings on the line at hand. */
export function arming(report) {
  const profiles = new Map();
  const refused = new Set();
  const boots = [];
  let mode = 'UNARMED';
  /** The last change: `{boot, boot_ns, before}`, or null. */
  let change = null;
  /** After a break a line that armed the unit may be missing. */
  let unsure = false;

  const bootNumber = (boot_id) => {
    if (!boots.includes(boot_id)) boots.push(boot_id);
    return boots.indexOf(boot_id);
  };

  const set = (next, boot, boot_ns) => {
    if (next !== mode) change = { boot, boot_ns, before: mode };
    mode = next;
    unsure = false;
  };

  /** Whether a segment of this time may still be of the mode before the last change. */
  const isInTime = (boot, from_ns) =>
    boot < change.boot || (boot === change.boot && from_ns < change.boot_ns + GRACE_NS);

  return {
    /** The boots in their order. */
    begin(boot_id) {
      bootNumber(boot_id);
    },
    /** A profile by the digest of its text; null for one that is refused. */
    profile(profile, digest) {
      if (profile === null) refused.add(digest);
      else profiles.set(digest, profile.mode);
    },
    /** An `armed` event. */
    armed({ mode: claimed, profile_sha256 }, boot_id, boot_ns) {
      if (claimed !== 'TEST' && claimed !== 'LIVE') {
        report('mode-mismatch', 'an event arms for no mode');
        return;
      }
      const allowed = profiles.get(profile_sha256);
      const excused = refused.has(profile_sha256) || (allowed === undefined && unsure);
      if (allowed !== claimed && !excused) {
        const isTest = claimed === 'LIVE' && allowed === 'TEST';
        report(isTest ? 'test-as-live' : 'mode-mismatch', 'the profile says otherwise');
      }
      set(claimed, bootNumber(boot_id), boot_ns);
    },
    /** A segment or recovered piece of this boot. */
    segment({ mode: said, from_ns }, boot_id) {
      const boot = bootNumber(boot_id);
      if (said === mode || (change !== null && said === change.before && isInTime(boot, from_ns))) return;
      if (unsure) set(said, boot, from_ns);
      else report(said === 'LIVE' ? 'test-as-live' : 'mode-mismatch', `${said} where ${mode} is in force`);
    },
    /** After a break the next segment of another mode tells which one is in force. */
    forget() {
      unsure = true;
    },
  };
}
