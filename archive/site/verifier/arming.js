/** Step 7 of spec/verify.md: which mode is in force, and whether a segment may say what it says. */

const GRACE_NS = 10_000_000_000;

/** The modes of one ledger. `report(code, detail)` takes findings on the line at hand. */
export function arming(report) {
  const profiles = new Map();
  const boots = [];
  let refused = false;
  let excused = false;
  let changes = [{ mode: 'UNARMED', boot: -1, boot_ns: 0 }];

  const bootNumber = (boot_id) => {
    if (!boots.includes(boot_id)) boots.push(boot_id);
    return boots.indexOf(boot_id);
  };

  /** The modes that a segment of this time may have. */
  const allowed = (boot, from_ns) => {
    const modes = [];
    for (let at = changes.length - 1; at >= 0; at -= 1) {
      modes.push(changes[at].mode);
      const { boot: since, boot_ns } = changes[at];
      if (boot > since || (boot === since && from_ns >= boot_ns + GRACE_NS)) break;
    }
    return modes;
  };

  return {
    /** The boots in their order. */
    begin(boot_id) {
      bootNumber(boot_id);
    },
    /** A profile that verifies, by the digest of its text; null for one that does not. */
    profile(profile, digest) {
      if (profile === null) refused = true;
      else profiles.set(digest, profile);
    },
    /** An `armed` event. */
    armed({ mode, profile_sha256 }, boot_id, boot_ns) {
      if (!['UNARMED', 'TEST', 'LIVE'].includes(mode)) {
        report('mode-mismatch', 'an event arms for no mode');
        return;
      }
      const profile = profiles.get(profile_sha256);
      if (profile === undefined ? !refused && !excused : profile.mode !== mode) {
        report(mode === 'LIVE' ? 'test-as-live' : 'mode-mismatch', 'the profile does not say so');
      }
      changes.push({ mode, boot: bootNumber(boot_id), boot_ns });
    },
    /** A segment or recovered piece of this boot. */
    segment({ mode, from_ns }, boot_id) {
      const boot = bootNumber(boot_id);
      const modes = allowed(boot, from_ns);
      if (!modes.includes(mode) && excused) {
        changes.push({ mode, boot, boot_ns: from_ns });
      } else if (!modes.includes(mode)) {
        report(mode === 'LIVE' ? 'test-as-live' : 'mode-mismatch', `${mode} where ${modes[0]} is in force`);
      }
      excused = false;
    },
    /** After a break the mode of the next segment is the one in force. */
    forget() {
      excused = true;
    },
  };
}
