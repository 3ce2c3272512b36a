/** hls.js as it comes, with or without our skipper, so that both can be seen. */
import Hls from '/static/t/vendor/hls.light.min.js';
import { skipHoles } from '/static/t/player/skipper.js';

const video = document.querySelector('video');
const query = new URLSearchParams(location.search);
const hls = new Hls({ enableWorker: false });
const seen = { skips: 0, fatal: 0, gaps: 0, ends: 0 };
hls.on(Hls.Events.ERROR, (_, { fatal, details }) => {
  seen.fatal += fatal ? 1 : 0;
  seen.gaps += details === Hls.ErrorDetails.FRAG_GAP ? 1 : 0;
});
if (query.has('skip')) {
  skipHoles(hls, video, {
    errorEvent: Hls.Events.ERROR,
    gapError: Hls.ErrorDetails.FRAG_GAP,
    onSkip: () => (seen.skips += 1),
    onEnd: () => (seen.ends += 1),
  });
}
hls.loadSource(query.get('list'));
hls.attachMedia(video);
video.playbackRate = Number(query.get('rate') ?? 1);
video.play();
const start = Number(query.get('at') ?? 0);
hls.once(Hls.Events.LEVEL_LOADED, () => {
  if (start > 0) video.addEventListener('loadedmetadata', () => { video.currentTime = start; }, { once: true });
});
window.look = () => ({
  ...seen,
  time: video.currentTime,
  date: hls.playingDate?.getTime() ?? null,
  frames: video.getVideoPlaybackQuality().totalVideoFrames,
  ready: video.readyState,
  latency: hls.latency,
});
