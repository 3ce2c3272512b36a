/** The answer as JSON (spec/verify.md, section 5). */

import { verdictOf, worstOf, writeFinding } from './findings.js';
import { addRange, meets } from './ranges.js';
import { joinStations } from './stations.js';
import { milliseconds, spansOf, sumSpans } from './timeline.js';

/** The answer on all records. */
export function writeAnswer(records) {
  const written = records.map(writeRecord);
  const stations = joinStations(written.filter(({ clip }) => clip === undefined));
  return {
    schema: 'unbroken-verdict-1',
    verdict: worstOf(written.map(({ verdict }) => verdict)),
    records: written,
    ...(stations.length > 0 && { stations }),
  };
}

function writeRecord(record) {
  const utcAt = (boot_id, boot_ns) => (boot_id === null ? null : record.utc.at(boot_id, boot_ns));
  const at = ({ boot_id, boot_ns }) => ({ boot_id, boot_ns, utc_us: utcAt(boot_id, boot_ns) });
  const found = record.findings.all();
  const cameras = camerasOf(record).map((camera) => writeCamera(record, camera, at));
  const modes = {};
  for (const { modes: ofCamera } of cameras) {
    for (const [mode, ns] of Object.entries(ofCamera)) modes[mode] = (modes[mode] ?? 0) + ns;
  }
  return {
    election: record.names?.election ?? null,
    station: record.names?.station ?? null,
    unit: record.names?.unit ?? null,
    verdict: verdictOf(found),
    head: record.head,
    closed: record.closed,
    lines: record.lines,
    time_zone: record.timeZone,
    modes: Object.fromEntries(Object.entries(modes).map(([mode, ns]) => [mode, Math.floor(ns / 1e6)])),
    cameras: cameras.map(({ modes: _, ...camera }) => camera),
    events: record.events.map((event) => ({
      seq: event.seq,
      event: event.event,
      camera: event.camera,
      boot_id: event.boot_id,
      boot_ns: event.boot_ns,
      utc_us: utcAt(event.boot_id, event.boot_ns),
      data: event.data,
    })),
    clock: record.clock.map(({ boot_id, state, from_ns, to_ns }) => ({
      from: at({ boot_id, boot_ns: from_ns }),
      to: at({ boot_id, boot_ns: to_ns }),
      state,
    })),
    findings: found.map((finding) => writeFinding(finding, utcAt)),
    ...(record.clip === null ? {} : { clip: writeClip(record.clip, at) }),
  };
}

/** What a clip holds (section 2.4). */
function writeClip({ boot_id, from_ns, to_ns, ...clip }, at) {
  return { ...clip, from: at({ boot_id, boot_ns: from_ns }), to: at({ boot_id, boot_ns: to_ns }) };
}

/** Every camera that a start names or that has a piece. */
function camerasOf(record) {
  const names = new Set(record.cameras.keys());
  for (const { camera } of record.pieces.values()) names.add(camera);
  for (const { camera } of record.gaps) names.add(camera);
  return [...names].sort();
}

function writeCamera(record, camera, at) {
  const spans = spansOf(record, camera);
  const { covered, held, missing, modes } = sumSpans(spans);
  return {
    camera,
    covered_ms: covered,
    held_ms: held,
    missing_ms: missing,
    ...countHere(record, camera),
    gaps: spans
      .filter(({ state }) => state === 'gap')
      .map(({ from, to, duration_ns, cause, evidence }) => ({
        from: at(from),
        to: at(to),
        duration_ms: milliseconds(duration_ns),
        cause,
        evidence,
      })),
    spans: spans.map(({ from, to, state, mode }) => ({
      from: at(from),
      to: at(to),
      state,
      mode: state === 'gap' || state === 'unexplained' ? null : mode,
    })),
    modes,
  };
}

/** What is here of a camera. Pictures of a time that another piece covers are counted once. */
function countHere(record, camera) {
  const counts = { segments: 0, recovered: 0, frames: 0, dropped_frames: 0 };
  const covered = new Map();
  for (const { camera: name, state, kind, boot_id, from_ns, to_ns, frames, holes } of record.pieces.values()) {
    if (name !== camera || (state !== 'here' && state !== 'absent')) continue;
    counts[kind === 'segment' ? 'segments' : 'recovered'] += 1;
    if (!covered.has(boot_id)) covered.set(boot_id, []);
    if (!meets(covered.get(boot_id), from_ns, to_ns)) {
      counts.frames += frames;
      counts.dropped_frames += holes[0];
    }
    addRange(covered.get(boot_id), from_ns, to_ns);
  }
  return counts;
}
