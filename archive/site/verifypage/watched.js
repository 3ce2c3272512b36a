/** Sources that say how far they have been read, and that stop when the person says so. */

/**
 * What `verify` takes as `given`, over the same files: each read throws once `signal` is aborted, and tells
 * `moved(done, total)`: bytes that have been read at least once, of all that was given.
 */
export function watchGiven(given, signal, moved) {
  const files = given.flatMap((one) => one.files);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const reached = new Map();
  let done = 0;
  const watch = (file) => ({
    ...file,
    async read(from, to) {
      signal.throwIfAborted();
      const data = await file.read(from, to);
      const before = reached.get(file.path) ?? 0;
      if (to > before) {
        reached.set(file.path, Math.min(to, file.size));
        done += Math.min(to, file.size) - before;
        moved(Math.min(done, total), total);
      }
      return data;
    },
  });
  return given.map((one) => {
    if (!one.store) return { ...one, files: one.files.map(watch) };
    const store = async (sha256) => {
      const file = await one.store(sha256);
      return file === null ? null : watch(file);
    };
    return { ...one, files: one.files.map(watch), store };
  });
}
