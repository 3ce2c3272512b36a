/** One list played by the browser's own HLS, where there are no Media Source Extensions: unchecked, and coarser. */

/** Whether the browser plays lists by itself. */
export const canPlayNatively = (video) => video.canPlayType('application/vnd.apple.mpegurl') !== '';

/** The same contract as `openFeed`; holes are the browser's affair. */
export function openNativeFeed(video, { address, isLive, startMs, ...on }) {
  const origin = () => video.getStartDate?.().getTime() ?? NaN;
  const date = () => (Number.isFinite(origin()) ? origin() + video.currentTime * 1000 : null);
  const onReady = () => {
    if (!isLive && Number.isFinite(origin())) video.currentTime = Math.max(0, (startMs - origin()) / 1000);
    on.onReady({ at: video.currentTime, isHole: false, frag: null });
  };
  const onEnded = () => on.onEnd();
  const onError = () => on.onLost(0);
  video.addEventListener('loadedmetadata', onReady);
  video.addEventListener('ended', onEnded);
  video.addEventListener('error', onError);
  video.src = address;
  return {
    fragments: () => [],
    date,
    kind: () => null,
    behind: () => null,
    toEdge() {
      if (video.seekable.length > 0) video.currentTime = video.seekable.end(video.seekable.length - 1) - 6;
    },
    seek(ms) {
      if (!Number.isFinite(origin())) return null;
      const at = (ms - origin()) / 1000;
      if (at < 0 || at >= video.duration) return null;
      video.currentTime = at;
      return { at, isHole: false, frag: null };
    },
    close() {
      video.removeEventListener('loadedmetadata', onReady);
      video.removeEventListener('ended', onEnded);
      video.removeEventListener('error', onError);
      video.removeAttribute('src');
      video.load();
    },
  };
}
