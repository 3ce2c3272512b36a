/** Keeps the cameras of a station in step: those ahead wait for the one furthest behind. */

const EVERY_MS = 250;
/** Further ahead than this a camera holds its picture until the others are there; nearer, it runs a little slower. */
const APART_MS = 1_500;
const NEAR_MS = 80;
const NUDGE = 0.06;
/** A camera whose picture has not moved for so long holds nobody up. */
const STUCK_MS = 8_000;

/**
 * Looks after `cameras()` while they replay. A camera that has jumped a hole waits until the others have come there, so
 * what they show meanwhile is not lost. Live cameras keep step by their distance from the newest picture. Returns what
 * stops it.
 */
export function keepStep(cameras) {
  const waiting = new WeakSet();
  const look = () => {
    const playing = cameras().filter((each) => each.mode() === 'replay' && each.isPlaying() && each.now() !== null);
    const behind = slowest(playing.filter((each) => waiting.has(each) || each.stillMs() < STUCK_MS));
    if (behind === null) return;
    for (const camera of playing) {
      if (camera.now().axis !== behind.now().axis) continue;
      const ahead = camera.now().ms - behind.now().ms;
      if (ahead > (waiting.has(camera) ? NEAR_MS : APART_MS) * camera.rate()) {
        waiting.add(camera);
        camera.wait();
      } else {
        waiting.delete(camera);
        camera.resume();
        camera.nudge(ahead < NEAR_MS ? 1 : 1 - NUDGE);
      }
    }
  };
  const timer = setInterval(look, EVERY_MS);
  return () => clearInterval(timer);
}

/** The camera whose picture is the oldest; null where none shows one. */
export function slowest(cameras) {
  const shown = cameras.filter((each) => each.now() !== null && each.mode() !== 'over');
  return shown.reduce((least, each) => (least === null || each.now().ms < least.now().ms ? each : least), null);
}
