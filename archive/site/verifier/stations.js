/** A station with the records of several units, as one whose unit was replaced (spec/verify.md, section 5). */

/**
 * The member `stations` for written records; empty where no station has several units. Spans are laid side by side on
 * UTC, camera by camera of one name; what has no UTC cannot be placed, and is told as `undated_ms`.
 */
export function joinStations(records) {
  const stations = new Map();
  for (const record of records) {
    if (record.station === null) continue;
    const key = JSON.stringify([record.election, record.station]);
    if (!stations.has(key)) stations.set(key, []);
    stations.get(key).push(record);
  }
  return [...stations.values()].filter((own) => own.length > 1).map(writeStation);
}

function writeStation(records) {
  const { election, station } = records[0];
  const names = new Set(records.flatMap(({ cameras }) => cameras.map(({ camera }) => camera)));
  const cameras = [...names].map((name) => join(name, records));
  return { election, station, units: records.map(({ unit }) => unit), cameras };
}

function join(name, records) {
  const { pieces, undated_ns } = piecesOf(name, records);
  const between = [];
  let [covered_us, last] = [0, null];
  for (const piece of pieces) {
    if (last === null || twice(piece.begin) > twice(last.end)) {
      if (last !== null && !goesOn(last, piece)) between.push(betweenOf(last, piece));
      covered_us += length(piece.begin, piece.end);
      last = piece;
    } else if (twice(piece.end) > twice(last.end)) {
      covered_us += length(last.end, piece.end);
      last = piece;
    }
  }
  const [covered_ms, undated_ms] = [Math.floor(covered_us / 1e3), Math.floor(undated_ns / 1e6)];
  return { camera: name, covered_ms, undated_ms, between };
}

/** Covered pieces by the middle of their beginning: `{unit, begin, end}`, two moments as `[least, most]`. */
function piecesOf(name, records) {
  const pieces = [];
  let undated_ns = 0;
  for (const { unit, cameras } of records) {
    const spans = cameras.filter(({ camera }) => camera === name).flatMap((camera) => camera.spans);
    for (const { from, to, state } of spans) {
      if (state !== 'segment' && state !== 'recovered') continue;
      if (from.utc_us === null || to.utc_us === null) undated_ns += to.boot_ns - from.boot_ns;
      else pieces.push({ unit, begin: from.utc_us, end: to.utc_us });
    }
  }
  return { pieces: pieces.sort((one, two) => twice(one.begin) - twice(two.begin)), undated_ns };
}

/** Twice the middle of a moment, so that it stays whole. */
function twice([least, most]) {
  return least + most;
}

/** From the middle of one moment to the middle of another. */
function length(begin, end) {
  return Math.max(0, Math.floor((twice(end) - twice(begin)) / 2));
}

/** Whether one goes on where the other ended, as far as can be told. */
function goesOn(before, after) {
  return after.begin[0] <= before.end[0] && before.end[1] <= after.begin[1];
}

function betweenOf(before, after) {
  const [least, most] = [Math.max(0, after.begin[0] - before.end[1]), after.begin[1] - before.end[0]];
  return {
    from_utc_us: before.end,
    to_utc_us: after.begin,
    duration_ms: [Math.floor(least / 1e3), Math.ceil(most / 1e3)],
    after: before.unit,
    before: after.unit,
  };
}
