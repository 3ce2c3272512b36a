/** Step 9 of spec/verify.md: certificates, judged on the UTC interval of the lines that they stand behind. */

/** Adds what the certificates of sessions and of profiles' signers bring. Call it once all lines are in. */
export function judgeDates(record) {
  for (const { certified, boot_id, start, last } of record.sessions) {
    const place = { seq: start.seq, boot_id, boot_ns: start.boot_ns };
    const codes = judgeValidity(certified, record.utc.at(boot_id, start.boot_ns));
    const revoked = [start, last].map(({ boot_ns }) => judgeRevocation(certified, record.utc.at(boot_id, boot_ns)));
    if (revoked.includes('cert-revoked')) codes.push('cert-revoked');
    else codes.push(...revoked.filter((code) => code !== null));
    for (const code of new Set(codes)) record.findings.add(code, place);
  }
  for (const { certified, boot_id, boot_ns, place } of record.profiles) {
    const utc = record.utc.at(boot_id, boot_ns);
    const revoked = judgeRevocation(certified, utc);
    const dated = judgeValidity(certified, utc).filter((code) => code !== 'cert-time-unknown');
    if (dated.length > 0 || revoked === 'cert-revoked') record.findings.add('profile-refused', place, 'its signer may not');
    else if (revoked !== null) record.findings.add('cert-time-unknown', place);
  }
}

function judgeValidity({ fromUs, toUs }, utc) {
  if (utc === null) return fromUs === -Infinity && toUs === Infinity ? [] : ['cert-time-unknown'];
  const [least, most] = utc;
  if (least > toUs) return ['cert-expired'];
  if (most < fromUs) return ['cert-not-yet-valid'];
  return least < fromUs || most > toUs ? ['cert-time-unknown'] : [];
}

function judgeRevocation({ revokedUs }, utc) {
  if (revokedUs === null) return null;
  if (utc === null) return 'cert-time-unknown';
  const [least, most] = utc;
  if (least >= revokedUs) return 'cert-revoked';
  return most >= revokedUs ? 'cert-time-unknown' : null;
}
