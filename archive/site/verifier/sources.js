/** What was given, sorted: ledgers, media in their places, media that lie anywhere else. */

import { isClip } from './clip.js';
import { sha256, toHex } from './encoding.js';
import { MAX_LINE_BYTES, PROFILE_TYP, RECEIPT_TYP, unseal } from './jws.js';
import { peekIdentity } from './media.js';
import { Misuse, Refusal } from './refusal.js';
import { runKey, segmentName } from './record.js';
import { firstBox } from './segment.js';

const PLACE = '[A-Za-z0-9_-]{43}/[A-Za-z0-9-]{1,32}/(?:0|[1-9][0-9]{0,15})/(?:[0-9]{6,16}\\.m4s|init\\.mp4)';
const PLACED = new RegExp(`^(?:(.*)/)?media/(${PLACE})$`);
const MEDIA_NAME = /\.(?:m4s|mp4)$/;
const KNOWN_NAME = /\.(?:m4s|mp4|jws|pem)$/;
const FIRST_BOXES = ['uuid', 'ftyp', 'styp'];
const IDENTITY_BYTES = 65_536;
/** No segment is longer: of a longer file only the beginning is read, and nothing names it by its digest. */
export const MAX_SEGMENT_BYTES = 67_108_864;

/**
 * Sorts what was given: each `{path, folder, files, store}`, a file being `{path, size, read(from, to)}`. A folder
 * holds all files below it; files of other names in it are left alone. `store(sha256)` gives a file of an archive by
 * its digest, or null; it is left out where the folder is no archive's (spec/verify.md, section 2.3).
 *
 * Resolves to `{ledgers, placed, loose, clips, whole, stores, archived, parts}`: `placed` are `{folder, key, file}`, `whole`
 * says that a folder with media was given, so that what is not in it is missing, `archived` are the paths of ledgers
 * that lie in an archive's folder, `clips` bring their own lines. Throws Misuse where one of them brings nothing.
 */
export async function sortSources(given) {
  const parts = [];
  for (const one of given) parts.push(await sortOne(one));
  const all = (name) => parts.flatMap((part) => part[name]);
  return {
    ledgers: onlyOnce(all('ledgers')),
    placed: all('placed'),
    loose: onlyOnce(all('loose')),
    clips: onlyOnce(all('clips')),
    whole: parts.some(({ whole }) => whole),
    stores: given.filter(({ store }) => store).map(({ store }) => store),
    archived: new Set(parts.flatMap(({ store, ledgers }) => (store ? ledgers.map((file) => file.path) : []))),
    parts,
  };
}

async function sortOne({ path, folder, files, store = null }) {
  const part = { path, folder, store, ledgers: [], placed: [], loose: [], clips: [], whole: store !== null };
  for (const file of files) {
    if (folder && !KNOWN_NAME.test(file.path)) continue;
    const place = folder ? PLACED.exec(file.path) : null;
    const kind = place === null ? await kindOf(file) : 'placed';
    if (kind === 'placed') part.placed.push({ folder: place[1] ?? '', key: place[2], file });
    else if (kind === 'ledger') part.ledgers.push(file);
    else if (kind === 'media') part.loose.push(file);
    else if (kind === 'clip') part.clips.push(file);
    else if (!folder) throw new Misuse(`${path} is neither a ledger nor a segment.`);
    part.whole ||= folder && (kind === 'placed' || kind === 'media');
  }
  const found = part.ledgers.length + part.placed.length + part.loose.length + part.clips.length;
  if (found === 0) throw new Misuse(`Nothing to verify in ${path}.`);
  return part;
}

/** A file by its name, or by its first bytes where the name says nothing. */
async function kindOf(file) {
  if (file.path.endsWith('.pem')) return 'certificate';
  const head = await file.read(0, Math.min(file.size, MAX_LINE_BYTES));
  if (isClip(head)) return 'clip';
  if (MEDIA_NAME.test(file.path) || FIRST_BOXES.includes(firstBox(head))) return 'media';
  const named = file.path.endsWith('.jws') || String.fromCharCode(...head.subarray(0, 3)) === 'eyJ';
  return named && !isNoLedger(head) ? 'ledger' : 'unknown';
}

/** A signed profile is a file of one line, which is no ledger's; so are receipts, one or many. */
function isNoLedger(head) {
  const lf = head.indexOf(0x0a);
  const first = lf < 0 ? head : head.subarray(0, lf);
  return isOfType(head[head.length - 1] === 0x0a ? head.subarray(0, -1) : head, PROFILE_TYP) || isOfType(first, RECEIPT_TYP);
}

function isOfType(text, typ) {
  try {
    unseal(text, typ);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function onlyOnce(files) {
  const seen = new Map(files.map((file) => [file.path, file]));
  return [...seen.values()];
}

/**
 * Where media are found: `segment(piece)` and `init(run)` give the files that may be the named one, best first;
 * `unused()` the loose files whose bytes no line asked for. Loose files are read once, for their digests.
 */
export async function mediaIndex({ placed, loose, stores }) {
  const places = new Map();
  for (const { key, file } of placed) {
    if (!places.has(key)) places.set(key, []);
    places.get(key).push(file);
  }
  const [byDigest, byClaim, digests, used] = [new Map(), new Map(), new Map(), new Set()];
  for (const file of loose) {
    const isLong = file.size > MAX_SEGMENT_BYTES;
    const data = await file.read(0, isLong ? IDENTITY_BYTES : file.size);
    const digest = isLong ? null : toHex(await sha256(data));
    const identity = peekIdentity(data.subarray(0, IDENTITY_BYTES));
    digests.set(file, digest);
    if (digest !== null && !byDigest.has(digest)) byDigest.set(digest, file);
    if (identity !== null) {
      const claim = `${runKey(identity.session, identity.camera, identity.run)}/${segmentName(identity.index)}`;
      if (!byClaim.has(claim)) byClaim.set(claim, file);
    }
  }
  const find = (key, digest, claimed) => {
    const file = byDigest.get(digest) ?? (claimed ? byClaim.get(key) : undefined);
    if (file !== undefined) used.add(file).add(digests.get(file));
    return [...(places.get(key) ?? []), ...(file === undefined ? [] : [file])];
  };
  return {
    async segment({ session, camera, run, index, sha256: digest }) {
      const files = find(`${runKey(session, camera, run)}/${segmentName(index)}`, digest, true);
      for (const store of stores) files.push(await store(digest));
      return files.filter((file) => file !== null);
    },
    init: ({ key, init_sha256: digest }) => find(`${key}/init.mp4`, digest, false),
    unused: () => loose.filter((file) => !used.has(file) && !used.has(digests.get(file) ?? file)),
    digestOf: (file) => digests.get(file),
  };
}

/** What a file says that it is, from its beginning; null where that cannot be read. */
export async function readClaim(file) {
  return peekIdentity(await file.read(0, Math.min(file.size, IDENTITY_BYTES)));
}
