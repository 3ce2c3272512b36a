/** What an address of this site stands for, as a person pastes it. */

const NAME = '[A-Za-z0-9][A-Za-z0-9-]{0,31}';
const FORMS = [
  ['segment', new RegExp('^/media/([0-9a-f]{2})/(\\1[0-9a-f]{62})\\.m4s$'), ['', 'sha256']],
  ['clip', new RegExp(`^/clip/(${NAME})/(${NAME})/(${NAME})/[0-9]{8}T[0-9]{6}Z-[0-9]{8}T[0-9]{6}Z(?:-[0-9]+)?\\.mp4$`),
    ['station', 'unit', 'camera']],
  ['ledger', new RegExp(`^/ledger/(${NAME})/(${NAME})/(0|[1-9][0-9]{0,5})\\.jws$`), ['station', 'unit', 'branch']],
  ['station', new RegExp(`^/(?:az|en|ru)/stations/(${NAME})$`), ['station']],
];

/**
 * `{kind, address, …}` of a pasted text, or null where it is no such address of `origin`: a `segment` with `sha256`, a
 * `clip`, a `ledger` with `station`, `unit`, `branch`, or a `station`'s page with `atMs`, the instant of `?t=` or null.
 * `isElsewhere` is true of an address of another site, which the page does not ask.
 */
export function readLink(text, origin) {
  let url;
  try {
    url = new URL(text.trim(), origin);
  } catch {
    return null;
  }
  if (url.origin !== origin) return { kind: null, isElsewhere: true };
  for (const [kind, form, names] of FORMS) {
    const found = form.exec(url.pathname);
    if (found === null) continue;
    const members = names.map((name, at) => [name, found[at + 1]]).filter(([name]) => name !== '');
    const link = { kind, isElsewhere: false, address: url.pathname, ...Object.fromEntries(members) };
    return kind === 'station' ? { ...link, atMs: instantOf(url.searchParams.get('t')) } : link;
  }
  return null;
}

function instantOf(text) {
  const ms = text === null ? NaN : Date.parse(text.replace(' ', '+'));
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}
