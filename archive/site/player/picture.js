/** What a person sees of one camera: the picture, its clock, mode, state, notice and seal. */

import { element } from './words.js';

/**
 * The elements of one camera. `name` is what it is called; `seal` the element of its seal, `controls` further elements
 * of its caption.
 */
export function makePicture(say, clock, { name, key, seal, controls = [] }) {
  const video = element('video', { playsinline: '', muted: '', preload: 'none', tabindex: '-1', 'aria-label': name });
  video.muted = true;
  const still = element('canvas', { className: 'player-still', 'aria-hidden': 'true' });
  const mode = element('p', { className: 'player-mode', hidden: '' });
  const notice = element('div', { className: 'player-notice', role: 'status', hidden: '' });
  const stamp = element('time', { className: 'player-clock' });
  const state = element('span', { className: 'player-state' });
  const title = element('span', { className: 'player-name', text: name });
  const caption = element('figcaption', {}, [title, state, stamp, ...controls, seal]);
  const screen = element('div', { className: 'player-screen' }, [still, video, mode, notice]);
  const whole = element('figure', { className: 'player-camera', 'data-camera': key }, [screen, caption]);
  return {
    element: whole,
    screen,
    video,
    /** Keeps the picture that is shown now behind the video while another list is loaded. */
    hold() {
      if (video.videoWidth === 0 || video.readyState < 2) return;
      [still.width, still.height] = [video.videoWidth, video.videoHeight];
      still.getContext('2d').drawImage(video, 0, 0);
    },
    /** The time of the picture; `kind` is what the list calls it. */
    showTime(instant, kind) {
      if (instant === null) {
        stamp.textContent = '';
        stamp.removeAttribute('datetime');
        return;
      }
      const values = { local: clock.dated(instant), utc: clock.utc(instant), elapsed: clock.elapsed(instant) };
      const word = instant.axis !== '' ? 'clock-boot' : kind === 'ARRIVAL' ? 'clock-arrival' : 'clock';
      const text = say(word, values);
      if (stamp.textContent !== text) stamp.textContent = text;
      stamp.dataset.kind = kind ?? '';
      if (instant.axis === '') stamp.setAttribute('datetime', new Date(instant.ms).toISOString());
      else stamp.removeAttribute('datetime');
    },
    /** The mode of what is shown, as it was signed; LIVE needs no word. */
    showMode(name_) {
      mode.hidden = name_ === null || name_ === 'LIVE';
      mode.textContent = mode.hidden ? '' : say(`mode-${name_}`);
      mode.dataset.mode = name_ ?? '';
    },
    /** The state of the station; that of a test is told as one. */
    showState(name_, isTest) {
      const text = name_ ? say(`state-${name_}`) : '';
      state.textContent = text && isTest ? `${say('test')} · ${text}` : text;
      state.dataset.state = name_ ?? '';
    },
    /** A few sentences over the picture; none takes them away. `kind` is for styles and tests. */
    tell(sentences, kind = '') {
      const text = sentences.join('\n');
      if (notice.dataset.kind === kind && notice.dataset.text === text) return;
      notice.hidden = sentences.length === 0;
      notice.dataset.kind = kind;
      notice.dataset.text = text;
      notice.replaceChildren(...sentences.map((sentence) => element('p', { text: sentence })));
    },
    /** The kind of the notice shown, or ''. */
    told: () => (notice.hidden ? '' : notice.dataset.kind),
  };
}
