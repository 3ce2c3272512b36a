/** What stands behind one camera, wherever it is shown: its feed, its proofs, its seal. */

import { makeCamera } from './camera.js';
import { canFeed, openFeed } from './feed.js';
import { canPlayNatively, openNativeFeed } from './nativefeed.js';
import { makePicture } from './picture.js';
import { unitProofs } from './proof.js';
import { makeSeal } from './seal.js';

/**
 * Makes cameras of one station: `tune({unit, camera}, {name, controls, onMove})` gives what `makeCamera` does; cameras
 * of one unit share their proofs. `settings` are `{say, clock, station, election, verify}` and `facts` of the station.
 */
export function tuner({ say, clock, station, election, verify }, facts) {
  const isChecking = Boolean(globalThis.crypto?.subtle) && canFeed();
  const units = new Map();
  const proofsOf = (unit) => {
    const expected = { station, unit, ...(election && { election }) };
    if (!units.has(unit)) units.set(unit, unitProofs(expected));
    return units.get(unit);
  };
  return ({ unit, camera }, { name, controls = [], onMove }) => {
    const seal = makeSeal(say, clock, verify);
    if (!isChecking) seal.unchecked(canFeed() ? 'no-crypto' : 'native');
    const picture = makePicture(say, clock, { name, key: `${unit}/${camera}`, seal: seal.element, controls });
    const open = (video, options) => {
      if (canFeed()) return openFeed(video, { ...options, camera, proofs: isChecking ? proofsOf(unit) : null });
      return openNativeFeed(video, options);
    };
    if (!canFeed() && !canPlayNatively(picture.video)) picture.tell([say('cannot-play')], 'cannot');
    return makeCamera({
      path: `${station}/${unit}/${camera}`,
      picture,
      seal,
      say,
      clock,
      open,
      known: {
        spans: () => facts.spansOf(unit, camera),
        state: () => facts.stateOf(unit, camera),
        isTest: () => facts.isTest(unit, camera),
        isFresh: () => facts.isFresh(unit, camera),
        refresh: facts.refresh,
      },
      onMove,
    });
  };
}
