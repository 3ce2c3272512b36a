/** Files that a person drops or chooses, as `{path, file}`; a path with a slash lies in a folder. */

/** More files than that are not looked at: a day of a unit with two cameras has 72,000. */
export const MOST_FILES = 500_000;

/** There are more than MOST_FILES. */
export class TooMany extends Error {}

/** Of `<input type="file">`, with `multiple` or `webkitdirectory`. */
export function chosenThings(files) {
  if (files.length > MOST_FILES) throw new TooMany();
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Of a drop. Call it within the event: the browser forgets what was dropped right after. */
export function droppedThings(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const found = items.map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  return collect(found);
}

async function collect(found) {
  const things = [];
  for (const { entry, file } of found) {
    if (entry?.isDirectory) await walk(entry, things);
    else if (file !== null) things.push({ path: file.name, file });
  }
  return things;
}

async function walk(folder, things) {
  const reader = folder.createReader();
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (things.length >= MOST_FILES) throw new TooMany();
      if (entry.isDirectory) await walk(entry, things);
      else things.push({ path: entry.fullPath.slice(1), file: await fileOf(entry) });
    }
  }
}

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
