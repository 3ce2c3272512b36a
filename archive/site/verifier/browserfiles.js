/** Files of a browser as sources for `verify`: chosen in a form, dropped, or fetched. Nothing is uploaded. */

/**
 * What `verify` takes as `given`, from File objects of `<input type="file" multiple>` or `webkitdirectory`: each folder
 * that was chosen is one thing given, each single file another. An archive's folder (spec/verify.md, section 2.3) is
 * known by its `ledgers/` and `cas/`.
 */
export function givenFiles(files) {
  const folders = new Map();
  const given = [];
  for (const file of files) {
    const path = file.webkitRelativePath || file.name;
    const source = { path, size: file.size, read: (from, to) => readPart(file, from, to) };
    const slash = path.indexOf('/');
    if (slash < 0) {
      given.push({ path, folder: false, files: [source] });
    } else {
      const folder = path.slice(0, slash);
      if (!folders.has(folder)) folders.set(folder, []);
      folders.get(folder).push(source);
    }
  }
  for (const [path, sources] of folders) given.push(givenFolder(path, sources));
  return given;
}

/** A folder of sources; that of an archive gives its media by their digests. */
export function givenFolder(path, sources) {
  const isBelow = (name) => (source) => source.path.startsWith(`${path}/${name}/`);
  const [ledgers, objects] = [sources.filter(isBelow('ledgers')), sources.filter(isBelow('cas'))];
  if (ledgers.length === 0 || objects.length === 0) return { path, folder: true, files: sources };
  const byName = new Map(objects.map((source) => [source.path.slice(path.length + 5), source]));
  const store = async (sha256) => byName.get(`${sha256.slice(0, 2)}/${sha256}`) ?? null;
  return { path, folder: true, files: ledgers, store };
}

async function readPart(file, from, to) {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}
