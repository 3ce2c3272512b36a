/** Step 6 of spec/verify.md for one ledger: piece follows piece, run follows run, segment follows segment. */

import { addRange, meets } from './ranges.js';

const MAX_RECOVERED_NS = 30_000_000_000;

/** Judges runs and pieces in ledger order. `report(code, camera, detail)` takes findings on the line at hand. */
export function continuity(report) {
  /**
   * By name: where the record stands (`boot_id`, `at_ns`), what its lines claim, and whether a break excuses the next
   * piece (`excused`) and the next segment's count (`countExcused`).
   */
  const cameras = new Map();
  const counts = new Map();

  const known = (name) => {
    const camera = cameras.get(name) ?? null;
    if (camera === null) report('run-unknown', name, 'no start names the camera');
    return camera;
  };

  const countOf = (session, name) => {
    const key = `${session} ${name}`;
    if (!counts.has(key)) counts.set(key, { newest: -1, next: new Map() });
    return counts.get(key);
  };

  const hits = (camera, kind, boot_id, from, to) => meets(camera.claims[kind].get(boot_id) ?? [], from, to);

  const claim = (camera, kind, boot_id, from, to) => {
    const claims = camera.claims[kind];
    if (!claims.has(boot_id)) claims.set(boot_id, []);
    if (from < to) addRange(claims.get(boot_id), from, to);
  };

  /** The next piece begins at `from`: later than where the record stands is a hole. */
  const reach = (camera, boot_id, from) => {
    if (camera.excused) return;
    if (boot_id !== camera.boot_id) report('hole', camera.name, 'from one boot to the next');
    else if (from > camera.at_ns) report('hole', camera.name, `${from - camera.at_ns} ns`);
  };

  const move = (camera, boot_id, at_ns) => {
    Object.assign(camera, { boot_id, at_ns, excused: false });
  };

  /** A piece within one boot, of `segments` or `gaps`. */
  const takePiece = (camera, kind, boot_id, from, to, isJudged = true) => {
    const { excused } = camera;
    const other = kind === 'gaps' ? 'segments' : 'gaps';
    reach(camera, boot_id, from);
    if (isJudged && (boot_id !== camera.boot_id || from < camera.at_ns)) {
      if (hits(camera, other, boot_id, from, to)) report('gap-over-segment', camera.name, '');
      else if (hits(camera, kind, boot_id, from, to)) report('overlap', camera.name, '');
    }
    claim(camera, kind, boot_id, from, to);
    move(camera, boot_id, excused || boot_id !== camera.boot_id ? to : Math.max(camera.at_ns, to));
  };

  const judgeCount = (camera, session, { run, index }, isRecovered) => {
    const count = countOf(session, camera.name);
    const excused = camera.countExcused;
    let expected = count.next.get(run);
    if (expected === undefined) {
      if (!excused && !isRecovered) report('run-unknown', camera.name, `run ${run}`);
      if (!excused && isRecovered && run > count.newest + 1) report('index-missing', camera.name, `before run ${run}`);
      count.newest = Math.max(count.newest, run);
      expected = excused || !isRecovered ? index : 0;
    }
    if (!excused && (index !== expected || run !== count.newest)) {
      report('index-missing', camera.name, `segment ${index} of run ${run}`);
    }
    count.next.set(run, excused ? index + 1 : Math.max(index + 1, expected));
    camera.countExcused = false;
  };

  return {
    /** A `start`: cameras begin. `isExcused` says that lines before it are missing, which may have named them. */
    start({ boot_ns, body: { boot_id, cameras: names } }, isExcused) {
      for (const camera of cameras.values()) camera.recovered_ns = 0;
      for (const name of names) {
        if (cameras.has(name)) continue;
        const claims = { segments: new Map(), gaps: new Map() };
        const excuses = { excused: isExcused, countExcused: isExcused };
        cameras.set(name, { name, boot_id, at_ns: boot_ns, claims, recovered_ns: 0, ...excuses });
      }
    },
    /** What is here of a camera's record begins with a piece at `at_ns`: nothing before it is judged. */
    begin(name, boot_id, at_ns) {
      const camera = cameras.get(name);
      if (camera === undefined) return;
      move(camera, boot_id, at_ns);
      camera.countExcused = true;
    },
    /** A `run` line. */
    run({ body: { camera: name, run } }, session) {
      const camera = known(name);
      if (camera === null) return;
      const count = countOf(session.kid, name);
      if (run !== count.newest + 1 && !camera.countExcused) report('index-missing', name, `run ${run}`);
      count.newest = Math.max(count.newest, run);
      if (!count.next.has(run)) count.next.set(run, 0);
    },
    /** A `segment` line. */
    segment({ body }, session) {
      const camera = known(body.camera);
      if (camera === null) return;
      judgeCount(camera, session.kid, body, false);
      takePiece(camera, 'segments', session.boot_id, body.from_ns, body.to_ns);
    },
    /** A `recovered` line, of `owner`: the session that recorded it. */
    recovered({ body }, owner) {
      const camera = known(body.camera);
      if (camera === null) return;
      judgeCount(camera, owner.kid, body, true);
      const before = camera.recovered_ns;
      camera.recovered_ns += body.to_ns - body.from_ns;
      const isTooLong = before <= MAX_RECOVERED_NS && camera.recovered_ns > MAX_RECOVERED_NS;
      if (isTooLong) report('recovered-too-long', body.camera, '');
      const { boot_id } = owner;
      const { from_ns, to_ns } = body;
      if (camera.boot_id === boot_id && camera.at_ns === from_ns) {
        takePiece(camera, 'segments', boot_id, from_ns, to_ns);
        return;
      }
      if (!camera.excused) report('recovered-not-contiguous', body.camera, '');
      camera.excused = true; // told here, and not once more as a hole
      if (boot_id !== camera.boot_id) claim(camera, 'segments', boot_id, from_ns, to_ns);
      else takePiece(camera, 'segments', boot_id, from_ns, to_ns, false);
      camera.excused = true;
    },
    /** A `gap` line. */
    gap({ body }, session) {
      const camera = known(body.camera);
      if (camera === null) return;
      const { from_boot, from_ns, to_ns } = body;
      const { boot_id } = session;
      if (from_boot === null || from_boot === boot_id) {
        if (from_ns >= to_ns) report('overlap', body.camera, 'the gap ends before it begins');
        else takePiece(camera, 'gaps', boot_id, from_ns, to_ns);
        return;
      }
      reach(camera, from_boot, from_ns);
      const isBack = camera.boot_id === from_boot && from_ns < camera.at_ns;
      const end_ns = isBack ? camera.at_ns : from_ns + 1;
      const before = !camera.excused && hits(camera, 'segments', from_boot, from_ns, end_ns);
      if (before || hits(camera, 'segments', boot_id, 0, to_ns)) report('gap-over-segment', body.camera, '');
      else if (isBack && !camera.excused) report('overlap', body.camera, '');
      claim(camera, 'gaps', boot_id, 0, to_ns);
      move(camera, boot_id, to_ns);
    },
    /** `close`: every camera ends there. */
    close({ body: { to_ns } }, session) {
      for (const camera of cameras.values()) {
        if (camera.excused) continue;
        const isThere = camera.boot_id === session.boot_id && camera.at_ns === to_ns;
        if (!isThere) report('hole', camera.name, 'the record closes elsewhere');
      }
    },
    /** After a break the next piece of each camera is not compared with what came before. */
    forget() {
      for (const camera of cameras.values()) Object.assign(camera, { excused: true, countExcused: true });
    },
    /** Whether a start names the camera. */
    knows: (name) => cameras.has(name),
  };
}
