/** Files and folders of Node as sources for `verify`. Reads only; links to folders are not followed. */

import { lstat, open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

import { Misuse } from './refusal.js';

/** `{path, folder, files, store}` of a path as given. Throws Misuse where it cannot be read to its last folder. */
export async function given(path) {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return { path, folder: false, files: found.isFile() ? [source(path, found.size)] : [] };
    const files = [];
    const archive = await archiveOf(path);
    if (archive === null && (await holds(path, ['ledger', 'media']))) {
      await walk(join(path, 'ledger'), files);
      return { path, folder: true, files, store: storeOf(join(path, 'media'), '.m4s') };
    }
    await walk(archive === path ? join(path, 'ledgers') : path, files);
    return { path, folder: true, files, store: archive === null ? undefined : storeOf(join(archive, 'cas')) };
  } catch (error) {
    throw error.code === undefined ? error : new Misuse(`${path} cannot be read: ${error.code}.`);
  }
}

/** The archive's folder that `path` is, or in whose `ledgers` it lies; else null (spec/verify.md, section 2.3). */
async function archiveOf(path) {
  if (await isArchive(path)) return path;
  const whole = await realpath(path);
  for (let above = dirname(whole); ; above = dirname(above)) {
    const ledgers = join(above, 'ledgers');
    if ((whole === ledgers || whole.startsWith(ledgers + sep)) && (await isArchive(above))) return above;
    if (above === dirname(above)) return null;
  }
}

async function isArchive(folder) {
  return holds(folder, ['ledgers', 'cas']);
}

async function holds(folder, names) {
  const inside = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => null)));
  return inside.every((found) => found?.isDirectory());
}

/** Files by their digests, as an archive keeps them, or as they are fetched from its public site. */
function storeOf(folder, ending = '') {
  return async (sha256) => {
    const path = join(folder, sha256.slice(0, 2), `${sha256}${ending}`);
    const found = await stat(path).catch(() => null);
    return found?.isFile() ? source(path, found.size) : null;
  };
}

async function walk(folder, files) {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((one, two) => (one.name < two.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      await walk(path, files);
    } else {
      const found = entry.isSymbolicLink() ? await stat(path).catch(() => null) : await lstat(path);
      if (found?.isFile()) files.push(source(path, found.size));
    }
  }
}

function source(path, size) {
  return {
    path,
    size,
    async read(from, to) {
      const data = new Uint8Array(to - from);
      const file = await open(path);
      try {
        let at = 0;
        while (at < data.length) {
          const { bytesRead } = await file.read(data, at, data.length - at, from + at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
        return data.subarray(0, at);
      } finally {
        await file.close();
      }
    },
  };
}
