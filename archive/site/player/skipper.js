/**
 * Plays on behind a hole. hls.js walks entries marked as gap at about one in a second and, after a seek into them, may
 * never come out; so whoever plays a list with holes needs this.
 */

const ROUNDING_S = 0.1;
const STILL_TO_PLAY_S = 0.3;
const AHEAD_S = 0.25;
const TAIL_S = 0.2;
const INSIDE_S = 0.05;

/**
 * Watches `video`, which `hls` feeds. `onSkip(from, to)` is told of each jump (the fragments at its ends), `onEnd()` of
 * a hole that reaches the end of a list that will not grow. `gapError` is `Hls.ErrorDetails.FRAG_GAP`, `errorEvent`
 * `Hls.Events.ERROR`. Returns what stops it.
 */
export function skipHoles(hls, video, { errorEvent, gapError, onSkip = () => {}, onEnd = () => {} }) {
  const skip = () => {
    const details = hls.levels[hls.currentLevel]?.details ?? hls.latestLevelDetails;
    if (!details) return;
    const at = video.currentTime;
    const end = bufferedEnd(video.buffered, at);
    if (end - at > STILL_TO_PLAY_S) return; // there is still something to play
    const { fragments } = details;
    const next = fragments.findIndex(({ start, duration }) => end + AHEAD_S < start + duration - TAIL_S);
    if (next < 0 || !fragments[next].gap) return; // an ordinary stall: hls.js knows what to do
    const beyond = fragments.slice(next).find(({ gap }) => !gap);
    if (beyond !== undefined) {
      onSkip(fragments[next], beyond);
      video.currentTime = beyond.start + INSIDE_S;
    } else if (!details.live) {
      onEnd();
    } // else the next trigger after the list has grown tries again
  };
  const onError = (_, { details }) => {
    if (details === gapError) skip();
  };
  video.addEventListener('waiting', skip);
  video.addEventListener('seeking', skip);
  hls.on(errorEvent, onError);
  return () => {
    video.removeEventListener('waiting', skip);
    video.removeEventListener('seeking', skip);
    hls.off(errorEvent, onError);
  };
}

function bufferedEnd(ranges, at) {
  for (let n = 0; n < ranges.length; n += 1) {
    if (ranges.start(n) <= at + ROUNDING_S && at < ranges.end(n)) return ranges.end(n);
  }
  return at;
}
