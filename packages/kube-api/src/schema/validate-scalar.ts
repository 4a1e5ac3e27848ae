import type { Causes } from './causes.ts';
import type { SchemaNode } from './schema-node.ts';

/** Longer ones are not matched against patterns: they match none. */
const maxMatchedLength = 4096;

const dateTime =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** Formats that are more than a hint, as Kubernetes checks them. */
const formats: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['date-time', (text) => dateTime.test(text) && !Number.isNaN(Date.parse(text.slice(0, 19)))],
  ['date', (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))],
  ['byte', (text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0],
  ['uuid', (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)],
]);

export function validateString(node: SchemaNode, value: string, path: string, causes: Causes) {
  const { minLength, maxLength, pattern, format } = node;
  const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length;
  if (maxLength !== undefined && length > maxLength) return causes.tooLong(path, maxLength);
  if (minLength !== undefined && length < minLength) {
    causes.invalid(path, value, `${path} in body should be at least ${minLength} chars long`);
  }
  if (pattern !== undefined && !(value.length <= maxMatchedLength && pattern.test(value))) {
    causes.invalid(path, value, `${path} in body should match '${pattern.source}'`);
  }
  const isOfFormat = format === undefined ? undefined : formats.get(format);
  if (isOfFormat !== undefined && !isOfFormat(value)) {
    const shown = value.slice(0, 64);
    causes.invalid(
      path,
      shown,
      `${path} in body must be of type ${format}: ${JSON.stringify(shown)}`,
    );
  }
}

const formatRanges: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['int32', [-(2 ** 31), 2 ** 31 - 1]],
  ['int64', [-(2 ** 63), 2 ** 63]],
]);

export function validateNumber(node: SchemaNode, value: number, path: string, causes: Causes) {
  const { minimum, maximum, format = '' } = node;
  if (minimum !== undefined && value < minimum) {
    causes.invalid(path, value, `${path} in body should be greater than or equal to ${minimum}`);
  }
  if (maximum !== undefined && value > maximum) {
    causes.invalid(path, value, `${path} in body should be less than or equal to ${maximum}`);
  }
  const [least, most] = formatRanges.get(format) ?? [-Infinity, Infinity];
  if (value < least || value > most) {
    causes.invalid(path, value, `${path} in body must be of type ${format}: ${value}`);
  }
}
