/**
 * Instants and how they are written. An instant is `{axis, ms}`: `axis` is '' for UTC, or the id of a boot whose UTC
 * was never known, and `ms` milliseconds since 1970, or since that boot began.
 */

const HOUR_MS = 3_600_000;
const BOOT = /^([0-9a-f]{32})\+([0-9]{1,9}(?:\.[0-9]{1,3})?)$/;
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** The instant that `?t=` names, or null. A space stands for the + that a browser made of it. */
export function readInstant(text) {
  const value = (text ?? '').trim().replace(' ', '+');
  const boot = BOOT.exec(value);
  if (boot !== null) return { axis: boot[1], ms: Math.round(Number(boot[2]) * 1000) };
  const ms = DATE.test(value) ? Date.parse(value) : NaN;
  return Number.isFinite(ms) && ms >= 0 ? { axis: '', ms } : null;
}

/** The name of the hour list in which an instant lies: `2027-02-07T05Z` or `BOOTID+05`. */
export function hourName({ axis, ms }) {
  if (axis === '') return `${new Date(ms).toISOString().slice(0, 13)}Z`;
  return `${axis}+${String(Math.floor(ms / HOUR_MS)).padStart(2, '0')}`;
}

/** When the hour of an instant ends. */
export function hourEnd({ axis, ms }) {
  return { axis, ms: (Math.floor(ms / HOUR_MS) + 1) * HOUR_MS };
}

/** Writes instants in the election's `zone` and in UTC. A zone that this browser does not know is taken for UTC. */
export function clockOf(zone) {
  const parts = partsIn(zone);
  const date = ({ year, month, day }) => `${year}-${month}-${day}`;
  const time = ({ hour, minute, second }) => `${hour}:${minute}:${second}`;
  const elapsed = (ms) => {
    const seconds = Math.floor(ms / 1000);
    const fields = [seconds / 3600, (seconds / 60) % 60, seconds % 60];
    return fields.map((n) => String(Math.floor(n)).padStart(2, '0')).join(':');
  };
  const local = ({ axis, ms }) => (axis === '' ? time(parts(ms)) : `+${elapsed(ms)}`);
  return {
    /** The time of day, `12:07:13`; on a boot's axis the time since it began. */
    local,
    /** With the date. */
    dated: ({ axis, ms }) => (axis === '' ? `${date(parts(ms))} ${time(parts(ms))}` : local({ axis, ms })),
    /** The time of day in UTC. */
    utc: ({ ms }) => new Date(ms).toISOString().slice(11, 19),
    elapsed: ({ ms }) => elapsed(ms),
    /** As `?t=` has it, to the second. */
    address({ axis, ms }) {
      if (axis !== '') return `${axis}+${Math.floor(ms / 1000)}`;
      const { year, month, day, ...clock } = parts(ms);
      const whole = Math.floor(ms / 1000) * 1000;
      const shown = Date.UTC(year, month - 1, day, clock.hour, clock.minute, clock.second);
      const offset = Math.round((shown - whole) / 60_000);
      const [sign, size] = [offset < 0 ? '-' : '+', Math.abs(offset)];
      const two = (n) => String(n).padStart(2, '0');
      return `${year}-${month}-${day}T${time(clock)}${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
    },
  };
}

function partsIn(zone) {
  const options = {
    hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
    second: '2-digit',
  };
  let format;
  try {
    format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone });
  } catch {
    format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' });
  }
  return (ms) => Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
}
