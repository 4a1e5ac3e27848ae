import { formatBytes } from './units.ts';
import { printLine } from './print.ts';

/** Prints what the API says about a thing, a line for each field, for people. */
export function printFields(object: object): void {
  const fields = Object.entries(object).filter(([, value]) => value !== undefined);
  const width = Math.max(...fields.map(([name]) => name.length));
  for (const [name, value] of fields) printLine(`${name.padEnd(width)}  ${fieldText(name, value)}`);
}

/** `-` for what is empty; bytes with their unit; `KEY=VALUE` for labels. */
export function fieldText(name: string, value: unknown): string {
  if (typeof value === 'number' && name.endsWith('_bytes')) return formatBytes(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) {
    return value.length === 0 ? '-' : value.map((each) => fieldText('', each)).join(', ');
  }
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).filter(([, each]) => each !== undefined);
    return pairs.length === 0 ? '-' : pairs.map(([key, each]) => `${key}=${each}`).join(' ');
  }
  return String(value);
}
