/**
 * The player of a station's page: its cameras side by side and in step, live or replayed from any second. What the page
 * renders for it stands in docs/design/site.md, "Player".
 */

import { fullScreenButton, makeBar, makeSlider } from './controls.js';
import { dayLines } from './dayline.js';
import { extentOf, stationFacts } from './facts.js';
import { clockOf, readInstant } from './instant.js';
import { isStation, readCamera } from './names.js';
import { keepStep, slowest } from './step.js';
import { tuner } from './tuning.js';
import { element, readWords } from './words.js';

const MOST_CAMERAS = 8;
const ADDRESS_MS = 5_000; // browsers bound how often an address may change

/** Fills `whole`, an element of class `player`, and plays what the page's address asks for. */
function begin(whole) {
  const { station, cameras: listed = '', zone = 'UTC', election, verify } = whole.dataset;
  const named = listed.split(/\s+/).map(readCamera).filter(Boolean).slice(0, MOST_CAMERAS);
  if (!isStation(station) || named.length === 0) return;
  const say = readWords(document);
  const clock = clockOf(zone);
  const facts = stationFacts(station);
  const tune = tuner({ say, clock, station, election, verify }, facts);
  const names = named.map((_, n) => say('camera', { number: n + 1 }));
  let shown = [];

  const screens = [];
  const all = named.map((each, n) => {
    const full = fullScreenButton(say, () => screens[n]);
    const controls = full === null ? [] : [full];
    const camera = tune(each, { name: names[n], controls, onMove: () => n === 0 && move() });
    screens.push(camera.element.querySelector('.player-screen'));
    return camera;
  });
  shown = all;

  const seek = (instant) => {
    shown.forEach((camera) => camera.at(instant));
    write(instant);
  };
  const goLive = () => {
    shown.forEach((camera) => {
      camera.live();
      camera.play();
    });
    write(null);
  };
  const lead = () => slowest(shown) ?? shown[0];
  /** Live, a step stays in the live list while that has it; what is further back is replayed. */
  const step = (ms) => {
    const now = lead().now();
    if (now === null) return;
    if (lead().mode() === 'live') {
      const isMoved = shown.map((camera) => camera.moveLive(ms)).some(Boolean);
      if (isMoved || ms > 0) return;
    }
    seek({ axis: now.axis, ms: Math.max(0, now.ms + ms) });
  };
  const bar = makeBar(say, names, {
    toggle: () => shown.forEach(lead().isPlaying() ? (camera) => camera.pause() : (camera) => camera.play()),
    live: goLive,
    move: step,
    rate: (value) => shown.forEach((camera) => camera.setRate(value)),
    only(index) {
      const [now, mode] = [lead().now(), lead().mode()];
      shown = index === null ? all : [all[index]];
      for (const camera of all) {
        camera.element.hidden = !shown.includes(camera);
        if (camera.element.hidden) camera.rest();
      }
      if (mode !== 'live' && now !== null) seek(now);
      else goLive();
    },
  });
  const slider = makeSlider(say, clock, (ms) => seek({ axis: lead().now()?.axis ?? '', ms }));
  const mark = dayLines(document, (instant) => {
    seek(instant);
    whole.scrollIntoView({ block: 'nearest' });
  });

  let written = 0;
  function write(instant) {
    const address = new URL(location.href);
    if (instant === null) address.searchParams.delete('t');
    else address.searchParams.set('t', clock.address(instant));
    if (address.href !== location.href) history.replaceState(history.state, '', address);
    written = performance.now();
  }
  function move() {
    if (shown.length === 0) return;
    const [now, mode] = [lead().now(), lead().mode()];
    bar.show({ isPlaying: lead().isPlaying(), isLive: mode === 'live', rate: lead().rate() });
    const spans = named.flatMap(({ unit, camera }) => facts.spansOf(unit, camera));
    slider.show(now, now === null ? null : extentOf(spans, now.axis));
    mark(now);
    if (mode === 'replay' && now !== null && performance.now() - written > ADDRESS_MS) write(now);
    else if (mode === 'live' && new URL(location.href).searchParams.has('t')) write(null);
  }

  const views = element('div', { className: 'player-cameras' }, all.map((camera) => camera.element));
  whole.replaceChildren(views, bar.element, slider.element);
  whole.setAttribute('role', 'group');
  whole.setAttribute('aria-label', say('player', { station }));
  whole.dataset.count = String(all.length);
  whole.addEventListener('keydown', (event) => {
    const ms = { ArrowLeft: -10_000, ArrowRight: 10_000 }[event.key];
    const isMeant = !event.altKey && !event.ctrlKey && !event.metaKey && !/^(INPUT|SELECT)$/.test(event.target.tagName);
    if (ms === undefined || !isMeant) return;
    event.preventDefault();
    step(ms);
  });
  keepStep(() => shown);

  const asked = readInstant(new URL(location.href).searchParams.get('t'));
  if (asked === null) goLive();
  else facts.first.then(() => seek(asked)); // what is known of the day says what lies in a hole
}

document.querySelectorAll('.player').forEach(begin);
