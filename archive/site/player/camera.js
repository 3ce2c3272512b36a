/** One camera's video: live, or replay from an instant, hour by hour; it says what it cannot show. */

import { nextVideo } from './facts.js';
import { hourEnd, hourName } from './instant.js';
import { makeNotices } from './notices.js';
import { fragmentAt } from './tag.js';

const TICK_MS = 250;
const AGAIN_MS = 5_000;
/** A live picture older than this without a new one stands: it is told so. */
const STANDS_MS = 3_000;
/** Of a list that is known to be thinned, it is told sooner. */
const THINNED_MS = 1_000;
/** Whoever comes back to a live picture further behind than this goes to the newest. */
const BEHIND_S = 15;
/** A clock that moves further than this between two looks has passed a hole. */
const JUMP_MS = 1_500;
/** An hour's list that ends this close to the end of its hour is played out. */
const HOUR_TAIL_MS = 10_000;
const MOST_HOPS = 48;

/**
 * Plays the list of `path` (`STATION/UNIT/CAMERA`) in `picture`. `open(video, options)` is `openFeed` or the native one
 * with its proofs. Of the camera is known: `known.spans()`, `.state()`, `.isTest()` and `.isFresh()`, and `.refresh()` asks anew.
 * `onMove()` is told four times a second. Nothing here throws for what a server or network does.
 */
export function makeCamera({ path, picture, seal, say, clock, open, known, onMove = () => {} }) {
  const { video } = picture;
  let feed = null;
  let mode = 'none'; // 'live', 'replay', 'over' where nothing more comes, or 'none'
  let axis = '';
  let isWanted = true; // does a person want it to play?
  let rate = 1;
  let shown = null; // the instant of the picture, as replay would find it
  let dated = null; // the same as the list dates it: live, perhaps by its arrival
  let liveBoot = null;
  let isBack = false; // within the live list, at a person's wish
  let moved = performance.now(); // when it last moved
  let again = null;
  let isSeeking = false;
  const signed = new Map(); // by date: the newest segments as their lines say
  const notices = makeNotices({ picture, say, clock, spans: known.spans });

  const start = () => {
    video.playbackRate = rate;
    if (isWanted) video.play().catch(() => {}); // a browser may refuse: the button stays at "play"
  };
  const leave = () => {
    clearTimeout(again);
    picture.hold();
    feed?.close();
    feed = null;
    signed.clear();
  };
  const later = (what) => {
    clearTimeout(again);
    again = setTimeout(what, AGAIN_MS);
  };
  const judged = {
    onGood(frag, proof) {
      seal.good(proof, { axis, ms: frag.programDateTime ?? 0 });
      signed.set(frag.programDateTime, proof.segment);
      if (signed.size > 64) signed.delete(signed.keys().next().value);
    },
    onBad(frag, reason) {
      seal.bad(reason, { axis, ms: frag.programDateTime ?? 0 }, frag.url);
      notices.refuse(frag.url);
    },
  };

  const live = () => {
    leave();
    [mode, axis, rate, isBack] = ['live', '', 1, false];
    shown = null;
    moved = performance.now();
    if (picture.told() !== 'lost') notices.none(); // what is tried again stays told until it plays
    notices.loading();
    feed = open(video, {
      address: `/hls/${path}/live.m3u8`,
      isLive: true,
      startMs: null,
      ...judged,
      onReady: start,
      onSkip: (first, next) => notices.jumped(axis, first.programDateTime, next.programDateTime, first),
      onEnd: () => {},
      onLost(status) {
        notices.lost(status === 404);
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
      const next = nextVideo(known.spans(), axis, hourEnd(instant).ms);
      if (next !== null && hops < MOST_HOPS) replay({ axis, ms: next }, from, hops + 1);
      else if (next === null && isLiveNow()) live();
      else finish(from.ms);
    };
    notices.loading();
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
        const begin = place.frag?.programDateTime ?? from.ms;
        if ((place.isHole || hops > 0) && begin - from.ms > JUMP_MS) notices.jumped(axis, from.ms, begin);
        start();
      },
      onSkip(first, next) {
        isSeeking = true;
        notices.jumped(axis, first.programDateTime, next.programDateTime, first);
      },
      onEnd: () => proceed(instant),
      onLost(status) {
        if (status === 404) {
          on();
        } else {
          notices.lost(false);
          later(() => replay(instant, from, hops));
        }
      },
    });
  };

  /** The list of an hour is played out: on to the next, to what came meanwhile, or to what is live. */
  const proceed = async (instant) => {
    const own = feed;
    const last = (feed?.fragments() ?? []).findLast(({ gap }) => !gap);
    const end = { axis, ms: last === undefined ? instant.ms : Math.ceil(last.programDateTime + last.duration * 1000) };
    await known.refresh();
    if (feed !== own) return; // a person has gone elsewhere meanwhile
    const hour = hourEnd(instant).ms;
    if (hour - end.ms <= HOUR_TAIL_MS) {
      replay({ axis, ms: Math.max(end.ms, hour) }, end, 0);
      return;
    }
    const next = nextVideo(known.spans(), axis, end.ms);
    if (next !== null && next - end.ms > 1_000) replay({ axis, ms: next }, end, 0);
    else if (isLiveNow()) live();
    else if (next !== null && spansEnd(next) - end.ms > 1_000) replay(end, end, 0);
    else finish(end.ms);
  };
  const isLiveNow = () => {
    return (axis === '' || axis === liveBoot) && (['live', 'thinned'].includes(known.state()) || known.isFresh());
  };
  const spansEnd = (ms) => {
    return known.spans().find((span) => span.axis === axis && span.from <= ms && span.to > ms)?.to ?? ms;
  };

  const finish = (ms) => {
    mode = 'over';
    notices.over(axis, ms, shown === null);
  };

  /**
   * Where replay finds the picture of now. Live dates by arrival are no time of the record; boot time is, counted from
   * the nearest segment that was checked, since that of now may still be on its way.
   */
  const place = (ms) => {
    if (mode !== 'live' || feed.kind() !== 'ARRIVAL' || signed.size === 0) return { axis, ms };
    const nearest = [...signed.keys()].reduce((one, two) => (Math.abs(two - ms) < Math.abs(one - ms) ? two : one));
    const { boot_id, from_ns } = signed.get(nearest);
    if (!known.spans().some((span) => span.axis === boot_id)) return { axis, ms };
    liveBoot = boot_id;
    return { axis: boot_id, ms: from_ns / 1e6 + ms - nearest };
  };

  const look = () => {
    const [before, now] = [shown, performance.now()];
    const ms = video.readyState > 0 ? feed?.date() ?? null : null;
    if (ms !== null) {
      const segment = signed.get(fragmentAt(feed.fragments(), video.currentTime)?.programDateTime);
      [shown, dated] = [place(ms), { axis, ms }];
      picture.showTime(dated, feed.kind());
      if (segment !== undefined) picture.showMode(segment.mode);
      const step = before === null || before.axis !== shown.axis ? 0 : shown.ms - before.ms;
      if (step !== 0) moved = now;
      const isPassed = step > JUMP_MS + 2 * TICK_MS * video.playbackRate && !isSeeking && !video.seeking;
      if (isPassed && mode === 'replay') notices.passed(axis, before.ms, ms);
      if (isSeeking && !video.seeking) isSeeking = false;
    }
    const isThinned = known.state() === 'thinned';
    const mayStandMs = isThinned ? THINNED_MS : STANDS_MS;
    if (mode === 'live' && shown !== null && isWanted && now - moved > mayStandMs) notices.standing(dated, isThinned);
    else notices.fade(moved, video.readyState >= 2);
    picture.showState(known.state(), known.isTest());
    onMove();
  };
  const timer = setInterval(look, TICK_MS);

  return {
    element: picture.element,
    video,
    live,
    /** Plays from `instant`, or from the next picture behind it. */
    at(instant) {
      notices.none();
      if (mode === 'replay' && feed !== null && axis === instant.axis && feed.fragments().length > 0) {
        const place = feed.fragments()[0].programDateTime <= instant.ms ? feed.seek(instant.ms) : null;
        if (place !== null) {
          isSeeking = true;
          shown = { axis, ms: place.isHole ? place.frag.programDateTime : instant.ms };
          if (place.isHole) notices.jumped(axis, instant.ms, place.frag.programDateTime);
          start();
          return;
        }
      }
      shown = null;
      replay(instant, instant, 0);
    },
    /** Moves by `ms` within the live list, as far as that goes; whether it did. */
    moveLive(ms) {
      const first = mode === 'live' && dated !== null ? feed?.fragments()[0]?.programDateTime ?? null : null;
      if (first === null || dated.ms + ms < first) return false;
      isBack = isSeeking = feed.seek(dated.ms + ms) !== null;
      return isBack;
    },
    /** The instant of the picture as replay has it, or null. */
    now: () => shown,
    mode: () => mode,
    isPlaying: () => isWanted,
    behind: () => feed?.behind() ?? null,
    play() {
      isWanted = true;
      if (mode === 'live' && !isBack && feed?.behind() > BEHIND_S) feed.toEdge();
      if (mode === 'over' && shown !== null) replay(shown, shown, 0); // something may have come meanwhile
      else start();
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
