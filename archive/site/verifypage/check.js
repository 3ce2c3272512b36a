/** Everything that a person gave at once, checked: single segments by their lines, the rest as records. */

import { givenPaths } from '../verifier/browserfiles.js';
import { isClip } from '../verifier/clip.js';
import { peekIdentity } from '../verifier/media.js';
import { Misuse } from '../verifier/refusal.js';
import { MAX_SEGMENT_BYTES } from '../verifier/sources.js';
import { verify } from '../verifier/verify.js';
import { checkSegments } from './segments.js';
import { watchGiven } from './watched.js';

const HEAD_BYTES = 65_536;
const LEDGER_START = 'eyJ';

/**
 * Checks `things`, `{path, file}` with a File or Blob each; a path with a slash lies in a folder that was given.
 * `ask` as checkSegments takes it; `trust` are PEM files. `tell({done, total, segment, segments})` says how far
 * it is: bytes, and segments of records. Throws what `signal` was aborted with.
 * Resolves to `{segments, answers}`: what checkSegments yields, and `{path, answer}` for each record or set of records;
 * `answer` is null for what is neither ledger, segment nor clip.
 */
export async function checkThings(things, { ask, trust, signal, tell }) {
  const place = { done: 0, total: 0, segment: 0, segments: 0 };
  // A folder's files come in whatever order its file system has.
  const sortedThings = [...things].sort((one, two) => (one.path < two.path ? -1 : 1));
  const moved = (done, total) => tell(Object.assign(place, { done, total }));
  const given = watchGiven(givenPaths(sortedThings), signal, moved);
  const progress = (segment, segments) => tell(Object.assign(place, { segment, segments }));
  const sorted = { folders: given.filter(({ folder }) => folder), ledgers: [], segments: [], others: [] };
  for (const one of given.filter(({ folder }) => !folder)) sorted[await kindOf(one.files[0])].push(one);
  const answers = [];
  const run = async (path, some) => {
    try {
      answers.push({ path, answer: await verify({ given: some, trust, progress }) });
    } catch (error) {
      if (!(error instanceof Misuse)) throw error;
      answers.push({ path, answer: null });
    }
  };
  const inFolders = sorted.folders.flatMap(({ files }) => files.filter(isLedger));
  const ledgers = [...sorted.ledgers.map(({ files }) => files[0]), ...inFolders];
  const segments = [];
  const single = sorted.segments.map(({ files }) => files[0]);
  for await (const one of checkSegments(single, { ledgers, ask, trust })) segments.push(one);
  const whole = [...sorted.folders, ...sorted.ledgers];
  if (whole.length > 0) await run(whole.map(({ path }) => path).join(', '), withSegments(whole, sorted));
  for (const one of sorted.others) await run(one.path, [one]);
  return { segments, answers };
}

/** Segments given beside ledgers belong to their records; beside folders only they would count as strangers there. */
function withSegments(whole, { ledgers, segments }) {
  return ledgers.length > 0 ? [...whole, ...segments] : whole;
}

function isLedger({ path }) {
  return path.endsWith('.jws');
}

async function kindOf(file) {
  const head = await file.read(0, Math.min(file.size, HEAD_BYTES));
  if (String.fromCharCode(...head.subarray(0, 3)) === LEDGER_START) return 'ledgers';
  const isSegment = file.size <= MAX_SEGMENT_BYTES && peekIdentity(head) !== null && !isClip(head);
  return isSegment ? 'segments' : 'others';
}
