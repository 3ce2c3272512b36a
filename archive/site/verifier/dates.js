/** Step 9 of spec/verify.md: certificates, judged on the UTC interval of the lines that they stand behind. */

/** Adds what the certificates of sessions and of profiles' signers bring. Call it once all lines are in. */
export function judgeDates(record) {
  const utcOf = (boot_id, boot_ns) => record.utc.at(boot_id, boot_ns) ?? [-Infinity, Infinity];
  for (const { certified, boot_id, start, last } of record.sessions.values()) {
    const [began, ended] = [start, last].map(({ boot_ns }) => utcOf(boot_id, boot_ns));
    const code = judgeSession(certified, began, ended);
    if (code !== null) record.findings.add(code, { seq: start.seq, boot_id, boot_ns: start.boot_ns });
  }
  for (const { certified, boot_id, boot_ns, place } of record.profiles) {
    const code = judgeProfile(certified, utcOf(boot_id, boot_ns));
    if (code !== null) record.findings.add(code, place, "the certificate of the profile's signer");
  }
}

/** A session's certificate: one finding at most. `began`, `ended`: UTC as `[least, most]`, infinite where unknown. */
export function judgeSession({ fromUs, toUs, revokedUs }, began, ended) {
  const revoked = revokedUs ?? Infinity;
  if (began[0] >= revoked) return 'cert-revoked';
  if (began[0] > toUs) return 'cert-expired';
  if (began[1] < fromUs) return 'cert-not-yet-valid';
  if (ended[0] >= revoked) return 'cert-revoked';
  const isRevocationOpen = revokedUs !== null && Math.max(began[1], ended[1]) >= revokedUs;
  return began[0] < fromUs || began[1] > toUs || isRevocationOpen ? 'cert-time-unknown' : null;
}

function judgeProfile({ fromUs, toUs, revokedUs }, [least, most]) {
  const revoked = revokedUs ?? Infinity;
  if (least >= revoked || least > toUs || most < fromUs) return 'profile-refused';
  return revokedUs !== null && most >= revokedUs ? 'cert-time-unknown' : null;
}
