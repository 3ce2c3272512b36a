/** A fragment loader for hls.js that hands over nothing that was not checked. */

import { NoProof } from './ledgerlines.js';
import { reasonOf } from './proof.js';
import { readTag } from './tag.js';

/** How often a proof is asked for that the site does not give, before its segment counts as unproven. */
const TRIES = 3;
const INIT_MS = 20_000;

/**
 * A loader class for `config.fLoader`. `Base` is the loader of hls.js that fetches, `proofs` those of the unit,
 * `camera` its name, `isLive` whether the list is live, `fragments()` the entries of the list as hls.js has them now.
 * `onGood(frag, proof)` and `onBad(frag, {code, detail})` are told of each verdict.
 *
 * What does not check becomes an entry without video (a gap): hls.js passes it over, and the skipper jumps it. Where
 * the network fails, or the site is busy, a proof is loaded again like any file, and nothing is said of anybody.
 */
export function checkedLoader({ Base, proofs, camera, isLive, fragments, onGood, onBad }) {
  const inits = new Map(); // by address: a promise of the digest that was checked, and how it is kept
  const tries = new Map();

  /** hls.js loads an init segment and the first segment that needs it at the same time: one waits for the other. */
  const initOf = (url) => {
    if (!inits.has(url)) {
      const kept = {};
      kept.digest = new Promise((resolve, reject) => {
        Object.assign(kept, { resolve, reject });
        setTimeout(() => reject(new NoProof('the init segment did not come', 0)), INIT_MS);
      });
      kept.digest.catch(() => inits.delete(url));
      inits.set(url, kept);
    }
    return inits.get(url);
  };

  const checkInit = async (frag, data) => {
    const tag = fragments().filter(({ initSegment }) => initSegment?.url === frag.url).map(readTag).find(Boolean);
    if (tag === undefined) throw new NoProof('no entry of the list names a run of this init segment', 200);
    initOf(frag.url).resolve(await proofs.init(tag, data));
  };

  const checkSegment = async (frag, data) => {
    const tag = readTag(frag);
    if (tag === null) throw new NoProof('the list does not say which line proves it', 200);
    const before = fragments().find(({ sn }) => sn === frag.sn - 1);
    const proof = await proofs.segment({
      tag,
      after: before === undefined ? null : readTag(before),
      newest: Math.max(...fragments().map(readTag).filter((each) => each?.branch === tag.branch).map(({ seq }) => seq)),
      isLive,
      camera,
      data,
      init: initOf(frag.initSegment?.url).digest,
      dateMs: frag.programDateTime,
    });
    onGood(frag, proof);
  };

  /** Whether to hand over; else whether to ask again. */
  const judge = async (frag, data) => {
    const isInit = frag.sn === 'initSegment';
    try {
      await (isInit ? checkInit(frag, data) : checkSegment(frag, data));
      tries.delete(frag.url);
      return true;
    } catch (error) {
      const reason = reasonOf(error);
      if (error instanceof NoProof && error.isPassing) return false;
      const tried = (tries.get(frag.url) ?? 0) + 1;
      tries.set(frag.url, tried);
      if (error instanceof NoProof && tried < TRIES) return false;
      if (isInit) initOf(frag.url).reject(error);
      const wrong = isInit ? fragments().filter(({ initSegment }) => initSegment?.url === frag.url) : [frag];
      wrong.forEach(passOver);
      onBad(wrong[0] ?? frag, reason);
      return false;
    }
  };

  return class CheckedLoader extends Base {
    #isLeft = false;

    load(context, config, { onSuccess, onError, ...others }) {
      const { frag } = context;
      const onLoaded = async (response, stats, told, details) => {
        const isGood = await judge(frag, new Uint8Array(response.data));
        if (this.#isLeft) return; // hls.js has gone elsewhere meanwhile
        if (isGood) onSuccess(response, stats, told, details);
        else onError({ code: 0, text: 'not checked' }, told, details, stats);
      };
      // Progress would hand over bytes before they are checked.
      super.load(context, config, { ...others, onProgress: undefined, onSuccess: onLoaded, onError });
    }

    abort() {
      this.#isLeft = true;
      super.abort();
    }

    destroy() {
      this.#isLeft = true;
      super.destroy();
    }
  };
}

/** hls.js takes an entry for a gap that has the tag of one. */
function passOver(frag) {
  frag.gap = true;
  if (!frag.tagList.some(([name]) => name === 'GAP')) frag.tagList.push(['GAP']);
}
