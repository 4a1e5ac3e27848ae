import { InvalidArgumentError } from 'commander';

/** Collects `KEY=VALUE` of an option that can be given several times. */
export function keyValue(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const mark = text.indexOf('=');
  if (mark < 1) throw new InvalidArgumentError('It must look like KEY=VALUE.');
  return { ...previous, [text.slice(0, mark)]: text.slice(mark + 1) };
}

/** A span of time in seconds: 90, 90s, 15m, 2h, 1d. */
export function seconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h|d)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must look like 90, 90s, 15m, 2h or 1d.');
  const factor = { s: 1, m: 60, h: 3600, d: 86_400 }[match[2] ?? 's'] ?? 1;
  return Number(match[1]) * factor;
}

/** A span of time in whole seconds. */
export const wholeSeconds = (text: string): number => Math.ceil(seconds(text));

/** Seconds that a link may work at most. */
const maxLifetime = 7 * 86_400;

/** How long a link works, in whole seconds. */
export function lifetime(text: string): number {
  const value = wholeSeconds(text);
  if (value < 1 || value > maxLifetime) {
    throw new InvalidArgumentError('It must be between 1s and 7d.');
  }
  return value;
}

/** A size in MiB: 512, 512m, 2g. */
export function mebibytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(m|g|t)?(?:i?b)?$/i.exec(text);
  if (match === null) throw new InvalidArgumentError('It must look like 512, 512m or 2g (MiB).');
  const factor = { m: 1, g: 1024, t: 1_048_576 }[match[2]?.toLowerCase() ?? 'm'] ?? 1;
  return Math.ceil(Number(match[1]) * factor);
}

/** A size in bytes: 1000, 64k, 512m, 2g; the letters are powers of 1024. */
export function sizeInBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:(b)|(k|m|g|t)(?:i?b)?)?$/i.exec(text);
  if (match === null) throw new InvalidArgumentError('It must look like 1000, 64k, 512m or 2g.');
  const power = ' kmgt'.indexOf(match[3]?.toLowerCase() ?? ' ');
  return Math.ceil(Number(match[1]) * 1024 ** power);
}

/** A whole number from 0 on. */
export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** A point in time: seconds since 1970, or a date as 2026-01-31T12:00:00Z (local without zone). */
export function pointInTime(text: string): Date {
  const date = new Date(/^-?\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : text);
  if (Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError('It must look like 1700000000 or 2026-01-31T12:00:00Z.');
  }
  return date;
}

/** Collects the values of an option that can be given several times. */
export const several = (text: string, previous: readonly string[] = []): string[] => [
  ...previous,
  text,
];

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

export function positiveInteger(text: string): number {
  const value = positiveNumber(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

/** A volume of `create --volume`. */
export interface VolumeFlag {
  name: string;
  readOnly: boolean;
  path?: string;
  sizeMb?: number;
}

/** Collects `NAME[:/PATH][:ro][:size=SIZE]` of an option that can be given several times. */
export function volume(text: string, previous: readonly VolumeFlag[] = []): VolumeFlag[] {
  const [name = '', ...parts] = text.split(':');
  if (name === '') throw malformedVolume();
  const flag: VolumeFlag = { name, readOnly: false };
  for (const part of parts) {
    if (part === 'ro' || part === 'rw') flag.readOnly = part === 'ro';
    else if (part.startsWith('/') && flag.path === undefined) flag.path = part;
    else if (part.startsWith('size=')) flag.sizeMb = mebibytes(part.slice('size='.length));
    else throw malformedVolume();
  }
  return [...previous, flag];
}

const malformedVolume = () =>
  new InvalidArgumentError('It must look like NAME, NAME:ro, NAME:/path or NAME:size=2g.');
