/** Files and folders of Node as sources for `verify`. Reads only; links to folders are not followed. */

import { lstat, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { Misuse } from './refusal.js';

/** `{path, folder, files}` of a path as it was given. Throws Misuse where it cannot be read to its last folder. */
export async function given(path) {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return { path, folder: false, files: found.isFile() ? [source(path, found.size)] : [] };
    const files = [];
    await walk(path, files);
    return { path, folder: true, files };
  } catch (error) {
    throw error.code === undefined ? error : new Misuse(`${path} cannot be read: ${error.code}.`);
  }
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
