/** What the page asks of the site that served it: public addresses only, and nothing of what a person dropped. */

/** The site does not have it (404), or answers otherwise than it should: `status` is 0 where no such answer came. */
export class Unanswered extends Error {
  constructor(address, status) {
    super(`${address}: ${status}`);
    this.name = 'Unanswered';
    this.status = status;
  }
}

/** No file of a clip or ledger that is checked here is longer. */
const MAX_BYTES = 8 * 1024 ** 3;

/**
 * `site(signal)` asks until `signal` is aborted: `blob(address)`, `text(address)`, `json(address)`, and
 * `maybe(promise)`, null where that has no such address. Throws Unanswered.
 */
export function site(signal) {
  const ask = async (address) => {
    let answer;
    try {
      answer = await fetch(address, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' });
    } catch {
      signal.throwIfAborted();
      throw new Unanswered(address, 0);
    }
    if (!answer.ok) throw new Unanswered(address, answer.status);
    if (Number(answer.headers.get('Content-Length') ?? 0) > MAX_BYTES) throw new Unanswered(address, 0);
    return answer;
  };
  return {
    blob: async (address) => (await ask(address)).blob(),
    text: async (address) => (await ask(address)).text(),
    async json(address) {
      try {
        return await (await ask(address)).json();
      } catch (error) {
        throw error instanceof SyntaxError ? new Unanswered(address, 0) : error;
      }
    },
    async maybe(promise) {
      try {
        return await promise;
      } catch (error) {
        if (error instanceof Unanswered && error.status === 404) return null;
        throw error;
      }
    },
  };
}

/** A Blob as a source: `{path, size, read(from, to)}`. */
export function blobSource(path, blob) {
  const read = async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer());
  return { path, size: blob.size, read };
}

/** The site's trusted roots and revocation lists, PEM files (bytes); one that holds nothing is left out. */
export async function siteTrust(from) {
  const files = await Promise.all(['/trust.pem', '/revoked.pem'].map((address) => from.maybe(from.blob(address))));
  const bytes = await Promise.all(files.map(async (blob) => new Uint8Array((await blob?.arrayBuffer()) ?? 0)));
  return bytes.filter((data) => new TextDecoder().decode(data).includes('-----BEGIN '));
}
