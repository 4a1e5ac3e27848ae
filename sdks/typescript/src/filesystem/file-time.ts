/** A point in time: a date, seconds since 1970, or nanoseconds since 1970 as a bigint. */
export type FileTime = Date | number | bigint;

/**
 * Seconds since 1970 with up to nine decimals, as the API takes them.
 * @throws RangeError for what is no time
 */
export function timeText(time: FileTime): string {
  if (typeof time === 'bigint') return nanosecondsText(time);
  const ms = typeof time === 'number' ? time * 1000 : time.getTime();
  if (!Number.isFinite(ms)) throw new RangeError('A file time must be a valid date or number.');
  // Microseconds are what a double holds exactly for the times of files.
  return nanosecondsText(BigInt(Math.round(ms * 1000)) * 1000n);
}

function nanosecondsText(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const digits = (ns < 0n ? -ns : ns).toString().padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return `${sign}${digits.slice(0, -9)}${fraction === '' ? '' : `.${fraction}`}`;
}

/**
 * Nanoseconds since 1970 of a text as `1700000000.25`, as PAX headers have it; undefined when it
 * is none.
 */
export function parseTimeText(text: string): bigint | undefined {
  const match = /^(-?)(\d{1,12})(?:\.(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, seconds = '', fraction = ''] = match;
  const ns = BigInt(`${seconds}${fraction.slice(0, 9).padEnd(9, '0')}`);
  return sign === '-' ? -ns : ns;
}

/** Whole milliseconds since 1970, rounded down. */
export function millisecondsOf(ns: bigint): number {
  const ms = ns / 1_000_000n;
  return Number(ns % 1_000_000n < 0n ? ms - 1n : ms);
}

/**
 * The seconds to give to Node's `utimes` family, which take doubles and keep microseconds: of those
 * around the time one that falls into the same millisecond.
 */
export function utimesSeconds(ns: bigint): number {
  const nearest = Number(ns) / 1e9;
  const ms = millisecondsOf(ns);
  const step = Math.max(Math.abs(nearest) * 2 ** -52, Number.MIN_VALUE);
  const candidates = [0, 1, 2, -1, -2, -3].map((steps) => nearest + steps * step);
  return candidates.find((seconds) => fallsInto(seconds, ms)) ?? nearest;
}

/** True when the time that the kernel gets has this millisecond, in all versions of Node. */
function fallsInto(seconds: number, ms: number): boolean {
  const whole = Math.floor(seconds);
  const byNanoseconds = whole * 1000 + Math.floor(Math.floor((seconds - whole) * 1e9) / 1e6);
  const byMicroseconds = Math.floor(Math.trunc(seconds * 1e6) / 1000);
  return byNanoseconds === ms && byMicroseconds === ms;
}
