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
 * The seconds to give to Node's `utimes` family, whose doubles miss nanoseconds: of the doubles
 * beside the time one that falls into the same millisecond.
 */
export function utimesSeconds(ns: bigint): number {
  const nearest = Number(ns) / 1e9;
  const ms = millisecondsOf(ns);
  const step = Math.max(Math.abs(nearest) * 2 ** -52, Number.MIN_VALUE);
  const fits = [nearest, nearest + step, nearest - step].find(
    (seconds) => kernelMilliseconds(seconds) === ms,
  );
  return fits ?? nearest;
}

/** Milliseconds of the time that Node hands to the kernel for a number of seconds. */
function kernelMilliseconds(seconds: number): number {
  const whole = Math.floor(seconds);
  return whole * 1000 + Math.floor(Math.floor((seconds - whole) * 1e9) / 1e6);
}
