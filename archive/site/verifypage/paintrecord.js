/** What is shown of a verifier's answer: one article for each record, and one for each station of several units. */

import { CODES } from '../verifier/codes.js';
import { element, table, terms } from './dom.js';
import { isZone, lengthText } from './moments.js';
import { headline, modeLine, moments } from './paintsegment.js';

const GLYPHS = { verified: '✓', findings: '✕', 'cannot-tell': '?', unknown: '?' };
/** Rows of a table; whoever needs all takes the command line. */
const MOST_ROWS = 100;
const FOREIGN = new Set(['media-malformed', 'media-foreign']);
const WEIGHTS = ['wrong', 'open', 'note'];

/** Articles on `answer` (spec/verify.md, section 5), or on something that is nothing of ours: null. */
export function paintAnswer(path, answer, { words, zone }) {
  if (answer === null) return [nothing(path, words)];
  const records = answer.records.map((record) => paintRecord(path, record, { words, zone }));
  const stations = (answer.stations ?? []).map((station) => paintStation(station, { words, zone }));
  return [...records, ...stations];
}

function nothing(path, words) {
  const text = element('p', {}, words.say('not-ours'));
  return element('article', { class: 'outcome unknown' }, element('h3', {}, headline(words, 'unknown', path)), text);
}

function paintRecord(path, record, { words, zone: siteZone }) {
  const { verdict, station, unit, election, head, clip = null } = record;
  // A file that names nobody was never a segment, or is none any more.
  const isForeign = station === null && record.findings.every(({ code }) => FOREIGN.has(code));
  if (isForeign) return nothing(path, words);
  const zone = record.time_zone !== null && isZone(record.time_zone) ? record.time_zone : siteZone;
  const shown = { words, zone };
  const isAlone = record.lines === 0 && head === null;
  const rows = [
    [words.say('station'), station],
    [words.say('unit'), unit],
    [words.say('election'), election],
    [words.say('state'), isAlone ? null : stateOf(record, words)],
    [words.say('lines'), isAlone ? null : String(record.lines)],
    [words.say('head'), head === null || clip !== null ? null : [`${head.seq} `, element('code', {}, head.sha256)]],
  ];
  const name = station === null || clip !== null ? path : `${station} ${unit}`;
  return element('article', { class: `outcome ${verdict}` }, [
    element('h3', {}, headline(words, verdict, name, GLYPHS)),
    Object.keys(record.modes).sort().map((mode) => modeLine(mode, words)),
    element('p', {}, words.say(`${verdict}-says`)),
    terms(rows),
    record.cameras.map((camera) => paintCamera(camera, shown)),
    paintFindings(record.findings, shown),
  ]);
}

/** Closed or not; of a clip, which part of the record it is. */
function stateOf({ closed, clip = null }, words) {
  if (clip === null) return words.say(closed ? 'closed' : 'open');
  const { first_seq: first, last_seq: last, segments, receipted } = clip;
  return words.say('clip', { first, last, segments, receipted });
}

function paintCamera(camera, { words, zone }) {
  const { missing_ms } = camera;
  const here = camera.spans.filter(({ state }) => state !== 'gap' && state !== 'unexplained');
  const [first, last] = [here[0], here[here.length - 1]];
  const bounds = here.length === 0 ? [] : [first.from.utc_us, last.to.utc_us];
  const ends = bounds.map((utc_us) => moments(utc_us, words, zone));
  const known = ends.length === 0 ? null : [ends[0], ' – ', ends[1]];
  const none = (range) => range[0] === 0 && range[1] === 0;
  const rows = [
    [words.say('when'), known],
    [words.say('covered'), lengthText(camera.covered_ms, words)],
    [words.say('held'), none(camera.held_ms) ? null : lengthText(camera.held_ms, words)],
    [words.say('missing'), none(missing_ms) ? words.say('nothingMissing') : lengthText(missing_ms, words)],
  ];
  const gaps = camera.gaps.slice(0, MOST_ROWS).map(({ from, to, duration_ms, cause }) => [
    moments(from.utc_us, words, zone),
    moments(to.utc_us, words, zone),
    lengthText(duration_ms, words),
    words.cause(cause),
  ]);
  const columns = ['from', 'to', 'howLong', 'why'].map((name) => words.say(name));
  return element('section', {}, [
    element('h4', {}, `${words.say('camera')} ${camera.camera}`),
    terms(rows),
    gaps.length === 0 ? element('p', {}, words.say('noGaps')) : table(words.say('gaps'), columns, gaps),
    more(camera.gaps.length - gaps.length, words),
  ]);
}

function paintFindings(findings, { words, zone }) {
  if (findings.length === 0) return null;
  const sorted = WEIGHTS.flatMap((weight) => findings.filter((finding) => finding.class === weight));
  const rows = sorted.slice(0, MOST_ROWS).map((finding) => [
    [words.code(finding.code), ' ', element('code', {}, finding.code), countOf(finding, words), detailOf(finding)],
    `${words.kind(finding.class)}. ${words.advice(finding.class)}`,
    finding.camera,
    finding.seq === null ? null : String(finding.seq),
    finding.utc_us === null ? null : moments(finding.utc_us, words, zone),
  ].map((cell) => cell ?? ''));
  const columns = ['whatFound', 'todo', 'camera', 'line', 'when'].map((name) => words.say(name));
  return element('section', {}, [
    table(words.say('findingsTitle'), columns, rows),
    more(findings.length - rows.length, words),
  ]);
}

/** What the verifier adds in its own words: names, numbers, paths. They are English everywhere. */
function detailOf({ code, message }) {
  const { meaning } = CODES.get(code);
  if (!message.startsWith(`${meaning} (`)) return '';
  return element('span', { class: 'detail', lang: 'en' }, message.slice(meaning.length + 2, -1));
}

function countOf({ count }, words) {
  return count === undefined ? '' : ` (${words.say('times', { count })})`;
}

function more(count, words) {
  return count > 0 ? element('p', {}, words.say('more', { count })) : null;
}

function paintStation({ station, units, cameras }, { words, zone }) {
  const title = words.say('stationTitle', { station, units: units.join(', ') });
  const parts = cameras.map(({ camera, covered_ms, undated_ms, between }) => {
    const undated = undated_ms === 0 ? null : lengthText([undated_ms, undated_ms], words);
    const holes = between.map(({ from_utc_us, to_utc_us, duration_ms, after, before }) => [
      words.say('between', { after, before }),
      moments(from_utc_us, words, zone),
      moments(to_utc_us, words, zone),
      lengthText(duration_ms, words),
    ]);
    const columns = ['whatFound', 'from', 'to', 'howLong'].map((name) => words.say(name));
    return [
      element('h4', {}, `${words.say('camera')} ${camera}`),
      terms([[words.say('covered'), lengthText([covered_ms, covered_ms], words)], [words.say('undated'), undated]]),
      holes.length === 0 ? null : table(words.say('missing'), columns, holes),
    ];
  });
  return element('article', { class: 'outcome' }, element('h3', {}, title), parts);
}
