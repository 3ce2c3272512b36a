/** Keeps the cameras of a station in step by the clock of the first one. */

const EVERY_MS = 500;
/** Further apart than this a camera moves or waits; nearer, it runs a little faster or slower. */
const APART_MS = 1_500;
const NEAR_MS = 80;
const NUDGE = 0.06;

/**
 * While all of `cameras()` replay, each follows the first: one behind moves on, one ahead (it has jumped a hole) holds
 * its picture until the first has come there. Live cameras keep step by their distance from the newest picture.
 * Returns what stops it.
 */
export function keepStep(cameras) {
  const look = () => {
    const [first, ...others] = cameras();
    if (first === undefined || first.mode() !== 'replay' || !first.isPlaying() || first.now() === null) return;
    for (const camera of others) {
      if (camera.mode() !== 'replay' || camera.now() === null || camera.now().axis !== first.now().axis) continue;
      const ahead = camera.now().ms - first.now().ms;
      if (ahead > APART_MS * first.rate()) {
        camera.wait();
      } else if (ahead < -APART_MS * first.rate() && first.video.readyState >= 3) {
        camera.at(first.now());
      } else {
        camera.resume();
        camera.nudge(Math.abs(ahead) < NEAR_MS ? 1 : 1 - Math.sign(ahead) * NUDGE);
      }
    }
  };
  const timer = setInterval(look, EVERY_MS);
  return () => clearInterval(timer);
}
