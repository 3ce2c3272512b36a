/** Step 6 of spec/verify.md for the lines of one ledger: piece follows piece, run follows run, segment follows segment. */

import { addRange, meets } from './ranges.js';

const MAX_RECOVERED_NS = 30_000_000_000;

/** Judges runs and pieces in ledger order. `report(code, camera, detail)` takes findings on the line at hand. */
export function continuity(report) {
  const cameras = new Map();
  const runs = new Map();
  let broken = false;

  const camera = (name) => {
    if (!cameras.has(name)) {
      const claims = { segments: new Map(), gaps: new Map() };
      cameras.set(name, { named: false, at: null, claims, excused: false, countExcused: false, recovered_ns: 0 });
    }
    return cameras.get(name);
  };

  const countOf = (session, name) => {
    const key = `${session} ${name}`;
    if (!runs.has(key)) runs.set(key, { run: -1, index: 0 });
    return runs.get(key);
  };

  /** What `[from, to)` of a boot meets: `overlap`, `gap-over-segment` or null. */
  const collision = (state, isGap, boot_id, from, to) => {
    const [own, other] = isGap ? ['gaps', 'segments'] : ['segments', 'gaps'];
    if (meets(state.claims[other].get(boot_id) ?? [], from, to)) return 'gap-over-segment';
    return meets(state.claims[own].get(boot_id) ?? [], from, to) ? 'overlap' : null;
  };

  const claim = (state, isGap, boot_id, from, to) => {
    const claims = state.claims[isGap ? 'gaps' : 'segments'];
    if (!claims.has(boot_id)) claims.set(boot_id, []);
    if (from < to) addRange(claims.get(boot_id), from, to);
  };

  /** Judges where a piece begins, against where its camera's record stands; before `since` it is `time-backwards`. */
  const judgeBegin = (state, name, boot_id, from, collides, since = 0) => {
    const { at } = state;
    if (state.excused || at === null) {
      if (collides !== null) report(collides, name, '');
    } else if (at.boot_id !== boot_id) {
      report(collides ?? 'hole', name, 'a new boot begins without a gap');
    } else if (from !== at.boot_ns) {
      if (from > at.boot_ns) report('hole', name, `${from - at.boot_ns} ns`);
      else if (collides !== null || from >= since) report(collides ?? 'overlap', name, `${at.boot_ns - from} ns`);
    } else if (collides !== null) {
      report(collides, name, '');
    }
  };

  const moveOn = (state, boot_id, to) => {
    const { at } = state;
    state.at = at !== null && at.boot_id === boot_id ? { boot_id, boot_ns: Math.max(at.boot_ns, to) } : { boot_id, boot_ns: to };
    state.excused = false;
  };

  const judgeCount = (state, name, session, { run, index }) => {
    const count = countOf(session, name);
    if (state.countExcused) {
      if (run > count.run) Object.assign(count, { run, index: 0 });
    } else if (run > count.run) {
      report('run-unknown', name, `run ${run}`);
      return;
    } else if (run !== count.run || index !== count.index) {
      report('index-missing', name, `run ${run}, segment ${index}`);
    }
    if (run === count.run) count.index = Math.max(count.index, index + 1);
    state.countExcused = false;
  };

  return {
    /** A `start`: cameras begin, and runs count from 0. */
    start({ boot_ns, body }) {
      for (const name of body.cameras) {
        const state = camera(name);
        if (!state.named && state.at === null) state.at = { boot_id: body.boot_id, boot_ns };
        // A start that is missing may have named it before.
        if (!state.named && broken) Object.assign(state, { excused: true, countExcused: true });
        state.named = true;
      }
      broken = false;
      for (const state of cameras.values()) state.recovered_ns = 0;
    },
    /** A `run` line. */
    run({ body }, session) {
      const state = camera(body.camera);
      const count = countOf(session.kid, body.camera);
      if (!state.named && !state.countExcused) report('run-unknown', body.camera, 'no start names the camera');
      else if (body.run !== count.run + 1 && !state.countExcused) report('index-missing', body.camera, `run ${body.run}`);
      if (body.run > count.run) Object.assign(count, { run: body.run, index: 0 });
    },
    /** A `segment` line. */
    segment({ body }, session) {
      const state = camera(body.camera);
      if (!state.named && !state.countExcused) {
        report('run-unknown', body.camera, 'no start names the camera');
        return;
      }
      const { boot_id } = session;
      const collides = collision(state, false, boot_id, body.from_ns, body.to_ns);
      judgeBegin(state, body.camera, boot_id, body.from_ns, collides, session.start.boot_ns);
      judgeCount(state, body.camera, session.kid, body);
      claim(state, false, boot_id, body.from_ns, body.to_ns);
      moveOn(state, boot_id, body.to_ns);
    },
    /** A `recovered` line, of `owner`: the session that recorded it, undefined where no `start` enrolled it. */
    recovered({ body }, owner) {
      const state = camera(body.camera);
      if (owner === undefined) {
        report('recovered-not-contiguous', body.camera, 'of a session that no start enrolled');
        return;
      }
      if (!state.named && !state.countExcused) {
        report('run-unknown', body.camera, 'no start names the camera');
        return;
      }
      const { at } = state;
      const follows = at !== null && at.boot_id === owner.boot_id && at.boot_ns === body.from_ns;
      if (!follows && !state.excused) report('recovered-not-contiguous', body.camera, '');
      judgeCount(state, body.camera, body.session, body);
      state.recovered_ns += body.to_ns - body.from_ns;
      if (state.recovered_ns > MAX_RECOVERED_NS) report('recovered-too-long', body.camera, '');
      claim(state, false, owner.boot_id, body.from_ns, body.to_ns);
      moveOn(state, owner.boot_id, body.to_ns);
    },
    /** A `gap` line. */
    gap({ body }, session) {
      const state = camera(body.camera);
      const { boot_id } = session;
      if (!state.named && !state.excused) {
        report('run-unknown', body.camera, 'no start names the camera');
        return;
      }
      const crosses = body.from_boot !== null && body.from_boot !== boot_id;
      const here = collision(state, true, boot_id, crosses ? 0 : body.from_ns, body.to_ns);
      if (crosses) {
        const there = collision(state, true, body.from_boot, body.from_ns, Infinity);
        judgeBegin(state, body.camera, body.from_boot, body.from_ns, there ?? here);
        claim(state, true, body.from_boot, body.from_ns, Infinity);
      } else {
        judgeBegin(state, body.camera, boot_id, body.from_ns, here);
      }
      claim(state, true, boot_id, crosses ? 0 : body.from_ns, body.to_ns);
      moveOn(state, boot_id, body.to_ns);
    },
    /** `close`: every camera ends there. */
    close({ body }, session) {
      for (const [name, state] of cameras) {
        const { at } = state;
        if (state.excused || !state.named) continue;
        if (at.boot_id !== session.boot_id || at.boot_ns !== body.to_ns) report('hole', name, 'the record closes elsewhere');
      }
    },
    /** After a break the next piece of each camera is not compared with what came before. */
    forget() {
      broken = true;
      for (const state of cameras.values()) Object.assign(state, { excused: true, countExcused: true });
    },
    /** Whether a start named the camera, or a break excuses that none did. */
    knows: (name) => cameras.get(name)?.named === true || cameras.get(name)?.countExcused === true,
  };
}
