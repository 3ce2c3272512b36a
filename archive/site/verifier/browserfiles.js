/** Files of a browser as sources for `verify`: chosen in a form, dropped, or fetched. Nothing is uploaded. */

/** As `givenPaths`, of File objects of `<input type="file" multiple>` or `webkitdirectory`. */
export function givenFiles(files) {
  return givenPaths([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/**
 * What `verify` takes as `given`, from `{path, file}`, a File or Blob each: each folder, by the first part of a path
 * that has several, is one thing given, each single file another. An archive's folder (spec/verify.md, section 2.3) is
 * known by its `ledgers/` and `cas/`.
 */
export function givenPaths(things) {
  const folders = new Map();
  const given = [];
  for (const { path, file } of things) {
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

/**
 * A folder of sources; that of an archive gives its media by their digests, and so does what was fetched from its public
 * site, each file under the path of its address.
 */
export function givenFolder(path, sources) {
  for (const [lines, media, ending] of [['ledgers', 'cas', ''], ['ledger', 'media', '.m4s']]) {
    const below = (name) => sources.filter((source) => source.path.startsWith(`${path}/${name}/`));
    const [ledgers, objects] = [below(lines), below(media)];
    if (ledgers.length === 0 || objects.length === 0) continue;
    const byName = new Map(objects.map((source) => [source.path.slice(path.length + media.length + 2), source]));
    const store = async (sha256) => byName.get(`${sha256.slice(0, 2)}/${sha256}${ending}`) ?? null;
    return { path, folder: true, files: ledgers, store };
  }
  return { path, folder: true, files: sources };
}

async function readPart(file, from, to) {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}
