/** Hour lists (spec/list.md) as this page reads them: where in the ledger a segment is named, and when it began. */

const HOUR_MS = 3_600_000;
const HOUR_NS = 3_600_000_000_000;
const TAG = /^#EXT-X-UNBROKEN:(.*)$/;
const MEDIA = /^\/media\/[0-9a-f]{2}\/([0-9a-f]{64})\.m4s$/;
const NUMBER = /^(?:0|[1-9][0-9]{0,15})$/;

/** The address of a camera's list for the hour that holds `ms` since 1970 UTC. */
export function hourAddress(station, unit, camera, ms) {
  const hour = new Date(Math.floor(ms / HOUR_MS) * HOUR_MS).toISOString().slice(0, 13);
  return `/hls/${station}/${unit}/${camera}/${hour}Z.m3u8`;
}

/**
 * The addresses of lists in which an identity's segment may stand, the likeliest first: its hour, the one nearby at an
 * edge, and the hour of its boot, which holds it where its time was never known.
 */
export function hoursOf({ station, unit, camera, boot_id, boot_ns, utc_us, error_us }) {
  const bootHour = `${boot_id}+${String(Math.floor(boot_ns / HOUR_NS)).padStart(2, '0')}`;
  const byBoot = `/hls/${station}/${unit}/${camera}/${bootHour}.m3u8`;
  if (utc_us === null || utc_us < 0 || utc_us > 8.64e18) return [byBoot];
  const [ms, edge] = [utc_us / 1000, 60_000];
  const near = [ms, ms - edge, ms + edge].map((at) => hourAddress(station, unit, camera, Math.max(at, 0)));
  return [...new Set(error_us === null ? [byBoot, ...near] : [...near, byBoot])];
}

/** The entries of a list: `{sha256, branch, seq, run, start, dateMs, durationMs}`; others are passed over. */
export function readEntries(text) {
  const entries = [];
  let next = {};
  for (const line of text.split(/\r?\n/)) {
    const [, members] = TAG.exec(line) ?? [];
    if (members !== undefined) Object.assign(next, readMembers(members));
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) next.dateMs = Date.parse(line.slice(25));
    else if (line.startsWith('#EXTINF:')) next.durationMs = Number.parseFloat(line.slice(8)) * 1000;
    else if (line !== '' && !line.startsWith('#')) {
      const sha256 = MEDIA.exec(line)?.[1];
      if (sha256 !== undefined && next.branch !== undefined) entries.push({ sha256, ...next });
      next = {};
    }
  }
  return entries;
}

function readMembers(text) {
  const members = new Map(text.split(',').map((pair) => pair.split('=')));
  const numbers = ['BRANCH', 'SEQ', 'RUN', 'START'].map((name) => members.get(name) ?? '');
  if (!numbers.every((number) => NUMBER.test(number))) return {};
  const [branch, seq, run, start] = numbers.map(Number);
  return { branch, seq, run, start };
}
