/** One list playing in one video element: hls.js with the checking loader and the gap skipper. */

import Hls from '../vendor/hls.light.min.js';
import { checkedLoader } from './checked.js';
import { skipHoles } from './skipper.js';
import { dateAt, fragmentAt, placeOf, readTag } from './tag.js';

/** Behind the newest entry, seconds: one segment and a half, so that a late one costs no stall. */
const LIVE_BEHIND_S = 3;
const LIVE_RATE = 1.1;
const AHEAD_S = 30;
const BEHIND_S = 30;

/** Whether this browser has Media Source Extensions. */
export const canFeed = () => Hls.isSupported();

/**
 * Plays the list at `address` in `video`. `proofs` check each segment of `camera`; null: nothing is checked. `startMs`
 * is the date to begin with (replay). Told, each at its time: `onReady(place)`, place as `placeOf` says or null where
 * the list has nothing there; `onGood`, `onBad` as `checkedLoader` says; `onSkip(from, to)`; `onEnd()`: the list is
 * played out; `onLost(status)`: it cannot be loaded or played, status 0 where that is no answer of the site. After
 * `onLost` and `onReady(null)` the feed is to be closed.
 */
export function openFeed(video, { address, isLive, startMs, proofs, camera, ...on }) {
  const fragments = () => (hls.levels[0]?.details ?? hls.latestLevelDetails)?.fragments ?? [];
  const { fragLoadPolicy } = Hls.DefaultConfig;
  const Base = Hls.DefaultConfig.loader;
  const hls = new Hls({
    autoStartLoad: false,
    enableWorker: false, // segments are fMP4 already: there is nothing to transmux
    liveSyncDuration: LIVE_BEHIND_S,
    maxLiveSyncPlaybackRate: isLive ? LIVE_RATE : 1,
    maxBufferLength: AHEAD_S, // four seconds at the highest speed
    maxMaxBufferLength: AHEAD_S,
    backBufferLength: BEHIND_S,
    fragLoadPolicy: retrying(fragLoadPolicy, 200),
    ...(proofs && {
      fLoader: checkedLoader({ Base, proofs, camera, isLive, fragments, onGood: on.onGood, onBad: on.onBad }),
    }),
  });
  let isStarted = false;
  let mended = 0;
  const onLoaded = () => {
    if (isStarted) return;
    isStarted = true;
    const place = isLive ? { at: -1, isHole: false, frag: null } : placeOf(fragments(), startMs);
    if (place !== null) hls.startLoad(place.at);
    on.onReady(place);
  };
  const onError = (_, { fatal, type, response }) => {
    if (!fatal) return;
    if (type === Hls.ErrorTypes.MEDIA_ERROR && mended < 2) {
      mended += 1;
      hls.recoverMediaError();
    } else {
      on.onLost(response?.code ?? 0);
    }
  };
  const onEnded = () => on.onEnd();
  hls.on(Hls.Events.LEVEL_LOADED, onLoaded);
  hls.on(Hls.Events.ERROR, onError);
  video.addEventListener('ended', onEnded);
  const names = { errorEvent: Hls.Events.ERROR, gapError: Hls.ErrorDetails.FRAG_GAP };
  const stop = skipHoles(hls, video, { ...names, onSkip: on.onSkip, onEnd: onEnded });
  hls.loadSource(address);
  hls.attachMedia(video);
  return {
    fragments,
    /** The date shown now, ms, or null. */
    date: () => dateAt(fragments(), video.currentTime),
    /** What the list calls the date shown now: `UTC`, `ARRIVAL` or `BOOT`; null where it does not say. */
    kind: () => {
      const frag = fragmentAt(fragments(), video.currentTime);
      return frag === null ? null : readTag(frag)?.date ?? null;
    },
    /** How far behind the newest entry, seconds; null where that is not known. */
    behind: () => (isLive ? hls.latency : null),
    /** Goes to the newest picture of a live list. */
    toEdge() {
      if (hls.liveSyncPosition !== null) video.currentTime = hls.liveSyncPosition;
    },
    /** Moves to a date within the list; what `placeOf` says. */
    seek(ms) {
      hls.config.maxLiveSyncPlaybackRate = 1; // who goes back wants to see it as it was
      const place = placeOf(fragments(), ms);
      if (place !== null) video.currentTime = place.at + 0.001;
      return place;
    },
    close() {
      video.removeEventListener('ended', onEnded);
      stop();
      hls.destroy();
    },
  };
}

function retrying(policy, retryDelayMs) {
  const { default: usual } = policy;
  return { default: { ...usual, errorRetry: { ...usual.errorRetry, retryDelayMs } } };
}
