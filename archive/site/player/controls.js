/** The buttons under the pictures of a station, and the slider over its day. */

import { element } from './words.js';

const RATES = [0.5, 1, 2, 4, 8];
const STEP_MS = 10_000;
const TAIL_MS = 3_000;

function button(name, text, onClick) {
  const made = element('button', { type: 'button', 'aria-label': name, title: name, text });
  made.addEventListener('click', onClick);
  return made;
}

/**
 * The bar: `{element, show({isPlaying, isLive, rate})}`. `on` has `toggle()`, `live()`, `move(ms)`, `rate(value)`, and
 * `only(index)`, null for all, where there are several `names` of cameras.
 */
export function makeBar(say, names, on) {
  const toggle = button(say('pause'), '❚❚', on.toggle);
  const live = button(say('go-live'), say('go-live'), on.live);
  const rate = element('select', { 'aria-label': say('speed') }, RATES.map((each) => {
    return element('option', { value: String(each), text: `${each}×`, ...(each === 1 && { selected: '' }) });
  }));
  rate.addEventListener('change', () => on.rate(Number(rate.value)));
  const parts = [
    button(say('back'), '−10', () => on.move(-STEP_MS)), toggle,
    button(say('forward'), '+10', () => on.move(STEP_MS)), live,
    element('label', { className: 'player-rate' }, [element('span', { text: say('speed') }), rate]),
  ];
  if (names.length > 1) {
    const texts = [say('both'), ...names.map((camera) => say('one', { camera }))];
    const cameras = element('select', { 'aria-label': say('both') }, texts.map((text, n) => {
      return element('option', { value: String(n), text });
    }));
    cameras.addEventListener('change', () => on.only(cameras.value === '0' ? null : Number(cameras.value) - 1));
    parts.push(cameras);
  }
  return {
    element: element('div', { className: 'player-bar' }, parts),
    show(state) {
      const name = say(state.isPlaying ? 'pause' : 'play');
      if (toggle.getAttribute('aria-label') !== name) {
        toggle.setAttribute('aria-label', name);
        toggle.title = name;
        toggle.textContent = state.isPlaying ? '❚❚' : '▶';
      }
      live.setAttribute('aria-pressed', String(state.isLive));
      rate.disabled = state.isLive;
      if (Number(rate.value) !== state.rate) rate.value = String(state.rate);
    },
  };
}

/** The slider over the day: `{element, show(instant, extent)}`; `onSeek(ms)` once a person lets go of it. */
export function makeSlider(say, clock, onSeek) {
  const slider = element('input', { type: 'range', step: '1', min: '0', max: '1', 'aria-label': say('day') });
  const out = element('output');
  let [axis, isHeld] = ['', false];
  const write = () => {
    const text = clock.dated({ axis, ms: Number(slider.value) * 1000 });
    out.textContent = text;
    slider.setAttribute('aria-valuetext', text);
  };
  slider.addEventListener('input', () => {
    isHeld = true;
    write();
  });
  slider.addEventListener('change', () => {
    isHeld = false;
    onSeek(Number(slider.value) * 1000);
  });
  const whole = element('div', { className: 'player-day', hidden: '' }, [slider, out]);
  return {
    element: whole,
    show(instant, extent) {
      whole.hidden = instant === null || extent === null;
      if (whole.hidden || isHeld) return;
      axis = instant.axis;
      slider.min = String(Math.floor(Math.min(extent.from, instant.ms) / 1000));
      // The last seconds are left out, so that there is something to see at the end.
      slider.max = String(Math.floor(Math.max(extent.to - TAIL_MS, instant.ms) / 1000));
      slider.value = String(Math.floor(instant.ms / 1000));
      write();
    },
  };
}

/** A button that shows `screen` on the whole screen; null where the browser cannot. */
export function fullScreenButton(say, screen) {
  if (!document.fullscreenEnabled) return null;
  return button(say('fullscreen'), say('fullscreen'), () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else screen().requestFullscreen().catch(() => {});
  });
}
