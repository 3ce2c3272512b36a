/** Media that no line names, and media without any ledger: what they say of themselves proves nothing. */

import { readIdentity } from './identity.js';
import { describe, peekIdentity } from './media.js';
import { newRecord } from './record.js';
import { Refusal } from './refusal.js';
import { initDigests } from './init.js';
import { firstBox, identityPayload, readSegment } from './segment.js';
import { MAX_SEGMENT_BYTES, readClaim } from './sources.js';

const IDENTITY_BYTES = 65_536;

/** Media without any ledger: one record for each unit that they speak of. */
export async function reportAlone(sources, media) {
  const records = new Map();
  for (const file of [...sources.loose, ...sources.placed.map(({ file: placed }) => placed)]) {
    if (file.path.endsWith('init.mp4')) continue;
    const isLong = file.size > MAX_SEGMENT_BYTES;
    const data = await file.read(0, isLong ? IDENTITY_BYTES : file.size);
    const identity = peekIdentity(data);
    const record = recordOf(records, identity);
    if (identity === null && firstBox(data) === 'ftyp') {
      record.findings.add('media-foreign', {}, file.path);
      continue;
    }
    const fault = isLong ? 'it is longer than a segment can be' : await malformation(data);
    if (fault !== null) record.findings.add('media-malformed', {}, `${file.path}: ${fault}`);
    if (identity === null) continue;
    const digest = media.digestOf(file) ?? '';
    record.findings.add('unsigned-alone', {}, `${file.path} says that it is ${describe(identity)} ${digest}`.trim());
  }
  return [...records.values()];
}

/**
 * Beside ledgers: media that no line names, a note, or where they speak of a unit without a ledger here, and folders of
 * which no ledger names anything, a record of their own. Where lines are missing or refused, nothing is said.
 */
export async function reportUnnamed(records, sources, media) {
  if (records.some(({ damaged }) => damaged)) return [];
  const strangers = new Map();
  const unused = media.unused().filter((file) => !records.some(({ named }) => named.has(media.digestOf(file))));
  const isNamed = ({ key, folder, file }) => {
    const relative = folder === '' ? file.path : file.path.slice(folder.length + 1);
    return records.some(({ named, setAside }) => named.has(key) || setAside.has(relative));
  };
  const unnamed = [...unused.map((file) => ({ file })), ...sources.placed.filter((placed) => !isNamed(placed))];
  for (const { file, key } of unnamed) {
    const identity = await readClaim(file);
    const known = identity === null || records.some(({ names }) => names !== null && sameUnit(names, identity));
    if (known) {
      records[0].findings.add('media-unnamed', { camera: key?.split('/')[1] }, file.path);
    } else {
      const detail = `${file.path} says that it is ${describe(identity)}`;
      recordOf(strangers, identity).findings.add('unsigned-alone', {}, detail);
    }
  }
  for (const part of sources.parts) {
    if (!part.folder || part.ledgers.length + part.clips.length > 0) continue;
    const names = part.placed.some(isNamed) || part.loose.some((file) => !unused.includes(file));
    if (names) continue;
    recordOf(strangers, null).findings.add('unsigned-alone', {}, `no ledger names anything in ${part.path}`);
  }
  return [...strangers.values()];
}

function recordOf(records, identity) {
  const names = identity === null ? null : namesOf(identity);
  const key = JSON.stringify(names);
  if (!records.has(key)) records.set(key, Object.assign(newRecord(), { names }));
  return records.get(key);
}

function namesOf({ election, station, unit }) {
  return { election, station, unit };
}

function sameUnit(names, identity) {
  return ['election', 'station', 'unit'].every((name) => names[name] === identity[name]);
}

/** What breaks the format of a whole file, or null. */
async function malformation(data) {
  try {
    const identity = readIdentity(identityPayload(data));
    readSegment(data, identity.timescale);
    await initDigests()(identity);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}
