/** What a pasted address of this site stands for, fetched as things to check. */

import { branchesOf } from './asked.js';
import { hourAddress, readEntries } from './hours.js';
import { Unanswered } from './site.js';

const MAX_SEGMENTS = 16;

/** `{path, file}` for each thing behind a link of link.js; none where the site has nothing there. Throws Unanswered. */
export async function linkedThings(link, from) {
  if (link.kind === 'station') return stationThings(link, from);
  if (link.kind === 'clip') return clipThings(link, from);
  const blob = await from.maybe(from.blob(link.address));
  return blob === null ? [] : [{ path: nameOf(link), file: blob }];
}

/** A clip's range may hold several films, one for each run; its list names them. */
async function clipThings({ address }, from) {
  const list = address.replace(/(?:-[0-9]+)?\.mp4$/, '.json');
  const isOne = /-[0-9]+\.mp4$/.test(address.slice(address.indexOf('Z-') + 2));
  const told = isOne ? null : await from.maybe(from.json(list));
  if (told !== null && !Array.isArray(told.parts)) throw new Unanswered(list, 0);
  const addresses = isOne ? [address] : (told?.parts ?? []).map((part) => String(part?.address)).filter(isClip);
  const things = [];
  for (const each of addresses.slice(0, MAX_SEGMENTS)) {
    const file = await from.maybe(from.blob(each));
    if (file !== null) things.push({ path: nameOf({ address: each }), file });
  }
  return things;
}

/** What the list names is asked for only where it is a clip's address. */
function isClip(address) {
  return /^\/clip\/[A-Za-z0-9/-]+\.mp4$/.test(address);
}

function nameOf({ kind, address, station, unit, branch }) {
  return kind === 'ledger' ? ledgerName(station, unit, branch) : address.slice(address.lastIndexOf('/') + 1);
}

function ledgerName(station, unit, branch) {
  return `${station}-${unit}-${branch}.jws`;
}

/** At an instant: the segments of all cameras that hold it. Without one: the ledgers of all units. */
async function stationThings({ station, atMs }, from) {
  const address = `/open/stations/${station}.json`;
  const told = await from.maybe(from.json(address));
  if (told !== null && !(Array.isArray(told.units) && Array.isArray(told.cameras))) throw new Unanswered(address, 0);
  const things = [];
  for (const { unit, cameras } of told === null ? [] : unitsOf(told)) {
    if (atMs === null) things.push(...(await ledgerThings(station, unit, from)));
    else things.push(...(await segmentThings(station, unit, cameras, atMs, from)));
  }
  return things;
}

async function ledgerThings(station, unit, from) {
  const things = [];
  for (const branch of (await branchesOf(from, station, unit)) ?? []) {
    const file = await from.blob(`/ledger/${station}/${unit}/${branch}.jws`);
    things.push({ path: ledgerName(station, unit, branch), file });
  }
  return things;
}

async function segmentThings(station, unit, cameras, atMs, from) {
  const things = [];
  for (const camera of cameras) {
    // A segment belongs to the hour in which it begins; where its time was never known, to a live list by its arrival.
    const hours = [atMs, atMs - 60_000].map((ms) => hourAddress(station, unit, camera, Math.max(0, ms)));
    for (const address of new Set([...hours, `/hls/${station}/${unit}/${camera}/live.m3u8`])) {
      const entries = readEntries((await from.maybe(from.text(address))) ?? '');
      const hit = entries.find(({ dateMs, durationMs }) => dateMs <= atMs && atMs < dateMs + durationMs);
      if (hit === undefined || things.length >= MAX_SEGMENTS) continue;
      const name = `${hit.sha256}.m4s`;
      const file = await from.blob(`/media/${hit.sha256.slice(0, 2)}/${name}`);
      things.push({ path: `${camera} ${name}`, file });
      break;
    }
  }
  return things;
}

/** `{unit, cameras}` of a station's open data, names only; a unit with several branches once. */
function unitsOf({ units, cameras }) {
  const names = [...new Set(units.map(({ unit }) => unit))];
  return names.map((unit) => {
    const own = cameras.filter((each) => each.unit === unit);
    return { unit, cameras: [...new Set(own.map(({ camera }) => camera))] };
  });
}
