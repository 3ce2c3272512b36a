/** One camera's video: live, or replay from an instant, hour by hour; it says what it cannot show. */

import { nextVideo } from './facts.js';
import { describeHoles } from './holes.js';
import { hourEnd, hourName } from './instant.js';
import { fragmentAt } from './tag.js';

const TICK_MS = 250;
const AGAIN_MS = 5_000;
/** A live picture older than this without a new one stands: it is told so. */
const STANDS_MS = 3_000;
/** Of a list that is known to be thinned, it is told sooner. */
const THINNED_MS = 1_000;
/** Whoever comes back to a live picture further behind than this goes to the newest. */
const BEHIND_S = 15;
const NOTICE_MS = 8_000;
/** A clock that moves further than this between two looks has passed a hole. */
const JUMP_MS = 1_500;
/** An hour's list that ends this close to the end of its hour is played out. */
const HOUR_TAIL_MS = 10_000;
const MOST_HOPS = 48;

/**
 * Plays the list of `path` (`STATION/UNIT/CAMERA`) in `picture`. `open(video, options)` is `openFeed` or the native one
 * with its proofs; `spans()` and `state()` what is known of the camera; `onMove()` is told four times a second. Nothing
 * here throws for what a server or network does.
 */
export function makeCamera({ path, picture, seal, say, clock, open, spans, state, refresh, onMove = () => {} }) {
  const { video } = picture;
  let feed = null;
  let mode = 'none'; // 'live', 'replay', 'over' where nothing more comes, or 'none'
  let axis = '';
  let isWanted = true; // does a person want it to play?
  let rate = 1;
  let shown = null; // the instant of the picture
  let moved = performance.now(); // when it last moved
  let noticed = 0;
  let again = null;
  let isSeeking = false;
  const modes = new Map(); // by date: the mode as signed, of the newest segments
  const refused = new Set(); // addresses of what did not check

  const tell = (sentences, kind) => {
    picture.tell(sentences, kind);
    noticed = performance.now();
  };
  const holes = (from, to) => describeHoles(say, clock, spans(), axis, from, to);
  /** What is said of entries without video from the entry `first` on. */
  const skipped = (first, from, to) => {
    if (!refused.has(first.url)) return holes(from, to);
    return [say('gap-damaged', { from: clock.dated({ axis, ms: from }), to: clock.dated({ axis, ms: to }) })];
  };
  const start = () => {
    video.playbackRate = rate;
    if (isWanted) video.play().catch(() => {}); // a browser may refuse: the button stays at "play"
  };
  const leave = () => {
    clearTimeout(again);
    picture.hold();
    feed?.close();
    feed = null;
  };
  const later = (what) => {
    clearTimeout(again);
    again = setTimeout(what, AGAIN_MS);
  };
  const judged = {
    onGood(frag, proof) {
      seal.good(proof, { axis, ms: frag.programDateTime ?? 0 });
      modes.set(frag.programDateTime, proof.segment.mode);
      if (modes.size > 64) modes.delete(modes.keys().next().value);
    },
    onBad(frag, reason) {
      seal.bad(reason, { axis, ms: frag.programDateTime ?? 0 }, frag.url);
      refused.add(frag.url);
    },
  };

  const live = () => {
    leave();
    [mode, axis, rate] = ['live', '', 1];
    shown = null;
    moved = performance.now();
    picture.tell([], '');
    feed = open(video, {
      address: `/hls/${path}/live.m3u8`,
      isLive: true,
      startMs: null,
      ...judged,
      onReady: start,
      onSkip: (from, to) => tell(skipped(from, from.programDateTime, to.programDateTime), 'hole'),
      onEnd: () => {},
      onLost(status) {
        tell([say(status === 404 ? 'nothing-live' : 'lost')], 'lost');
        later(live);
      },
    });
  };

  /** `from` is where the viewer was or asked to be: what lies between it and the next picture is told. */
  const replay = (instant, from, hops) => {
    leave();
    mode = 'replay';
    axis = instant.axis;
    moved = performance.now();
    const on = () => {
      const next = nextVideo(spans(), axis, hourEnd(instant).ms);
      if (next !== null && hops < MOST_HOPS) replay({ axis, ms: next }, from, hops + 1);
      else if (next === null && isLiveNow()) live();
      else finish(from.ms);
    };
    feed = open(video, {
      address: `/hls/${path}/${hourName(instant)}.m3u8`,
      isLive: false,
      startMs: instant.ms,
      ...judged,
      onReady(place) {
        if (place === null) {
          on();
          return;
        }
        isSeeking = true;
        const begin = place.frag?.programDateTime ?? instant.ms;
        if (place.frag !== null && begin - from.ms > JUMP_MS && (place.isHole || hops > 0)) arrive(from.ms, begin);
        start();
      },
      onSkip(first, next) {
        isSeeking = true;
        const [begin, end] = [first.programDateTime, next.programDateTime];
        tell([...skipped(first, begin, end), say('gap-next', { local: clock.dated({ axis, ms: end }) })], 'hole');
      },
      onEnd: () => proceed(instant),
      onLost(status) {
        if (status === 404) {
          on();
        } else {
          tell([say('lost')], 'lost');
          later(() => replay(instant, from, hops));
        }
      },
    });
  };

  const arrive = (from, to) => {
    tell([...holes(from, to), say('gap-next', { local: clock.dated({ axis, ms: to }) })], 'hole');
  };

  /** The list of an hour is played out: on to the next, to what came meanwhile, or to what is live. */
  const proceed = async (instant) => {
    const own = feed;
    const last = (feed?.fragments() ?? []).findLast(({ gap }) => !gap);
    const end = { axis, ms: last === undefined ? instant.ms : Math.ceil(last.programDateTime + last.duration * 1000) };
    await refresh();
    if (feed !== own) return; // a person has gone elsewhere meanwhile
    const hour = hourEnd(instant).ms;
    if (hour - end.ms <= HOUR_TAIL_MS) {
      replay({ axis, ms: Math.max(end.ms, hour) }, end, 0);
      return;
    }
    const next = nextVideo(spans(), axis, end.ms);
    if (next !== null && next - end.ms > 1_000) replay({ axis, ms: next }, end, 0);
    else if (isLiveNow()) live();
    else if (next !== null && spansEnd(next) - end.ms > 1_000) replay(end, end, 0);
    else finish(end.ms);
  };
  const isLiveNow = () => axis === '' && ['live', 'thinned'].includes(state());
  const spansEnd = (ms) => spans().find((span) => span.axis === axis && span.from <= ms && span.to > ms)?.to ?? ms;

  const finish = (ms) => {
    mode = 'over';
    const after = spans().filter((span) => span.axis === axis && span.to > ms + 1_000);
    const last = after.length > 0 ? holes(ms, after[after.length - 1].to) : [];
    const word = shown === null ? 'nothing-here' : 'gap-end';
    tell([...last, say(word)], 'end');
  };

  const look = () => {
    const [before, now] = [shown, performance.now()];
    const ms = video.readyState > 0 ? feed?.date() ?? null : null;
    if (ms !== null) {
      shown = { axis, ms };
      picture.showTime(shown, feed.kind());
      const signed = modes.get(fragmentAt(feed.fragments(), video.currentTime)?.programDateTime);
      if (signed !== undefined) picture.showMode(signed);
      const step = before === null || before.axis !== axis ? 0 : ms - before.ms;
      if (step !== 0) moved = now;
      const isPassed = step > JUMP_MS + 2 * TICK_MS * video.playbackRate && !isSeeking && !video.seeking;
      if (isPassed && mode === 'replay') tell(holes(before.ms, ms), 'hole');
      if (isSeeking && !video.seeking) isSeeking = false;
    }
    const mayStandMs = state() === 'thinned' ? THINNED_MS : STANDS_MS;
    const isStanding = mode === 'live' && shown !== null && isWanted && now - moved > mayStandMs;
    if (isStanding) {
      const thinned = state() === 'thinned' ? [say('thinned')] : [];
      picture.tell([say('held-picture', { local: clock.dated(shown) }), ...thinned], 'held');
    } else {
      const isOld = ['hole', 'lost'].includes(picture.told()) && now - noticed > NOTICE_MS && moved > noticed;
      if (picture.told() === 'held' || isOld) picture.tell([], '');
    }
    picture.showState(state());
    onMove();
  };
  const timer = setInterval(look, TICK_MS);

  return {
    element: picture.element,
    video,
    live,
    /** Plays from `instant`, or from the next picture behind it. */
    at(instant) {
      picture.tell([], '');
      if (mode === 'replay' && feed !== null && axis === instant.axis && feed.fragments().length > 0) {
        const place = feed.fragments()[0].programDateTime <= instant.ms ? feed.seek(instant.ms) : null;
        if (place !== null) {
          isSeeking = true;
          shown = { axis, ms: place.isHole ? place.frag.programDateTime : instant.ms };
          if (place.isHole) arrive(instant.ms, place.frag.programDateTime);
          start();
          return;
        }
      }
      shown = null;
      replay(instant, instant, 0);
    },
    /** The instant of the picture, or null. */
    now: () => shown,
    mode: () => mode,
    isPlaying: () => isWanted,
    behind: () => feed?.behind() ?? null,
    play() {
      isWanted = true;
      if (mode === 'live' && feed?.behind() > BEHIND_S) feed.toEdge();
      start();
    },
    pause() {
      isWanted = false;
      video.pause();
    },
    /** 0.5 to 8; live is always 1. */
    setRate(value) {
      rate = mode === 'live' ? 1 : value;
      video.playbackRate = rate;
    },
    rate: () => rate,
    /** For how long the picture has not moved. */
    stillMs: () => performance.now() - moved,
    /** Waits, or goes on, without a person having asked: to keep step with another camera. */
    wait: () => video.pause(),
    resume: () => isWanted && video.paused && start(),
    nudge(factor) {
      if (mode === 'replay') video.playbackRate = Math.min(16, rate * factor);
    },
    /** Stops loading; `live` or `at` begins anew. */
    rest() {
      leave();
      mode = 'none';
    },
    close() {
      clearInterval(timer);
      leave();
      mode = 'none';
    },
  };
}
