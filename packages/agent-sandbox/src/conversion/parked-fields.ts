import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@sandport/kube-api';
import type { Body, Fields } from './field-map.ts';

/** Fields of another version that this one has no place for, kept in an annotation. */
interface Parked {
  /** By part, `spec` or `status`; null: the field was not there. */
  readonly fields: Readonly<Partial<Record<keyof Body, Fields>>>;
  /** They come back only while these fields are as they were. */
  readonly when: Body;
}

export const parkedAnnotation = (version: string): string => `sandport.dev/${version}-fields`;

const parts = ['spec', 'status'] as const;

/**
 * What of `whole` cannot be had back from `mapped`, to be kept beside it.
 * @param back `mapped`, in the version of `whole` again
 */
export function fieldsToPark(whole: Body, mapped: Body, back: Body): Parked | undefined {
  const fields: Partial<Record<keyof Body, Fields>> = {};
  const when: Partial<Record<keyof Body, Fields>> = {};
  for (const part of parts) {
    const differing = differences(whole[part] ?? {}, back[part] ?? {});
    if (Object.keys(differing).length > 0) fields[part] = differing;
    const added = Object.entries(mapped[part] ?? {}).filter(
      ([name]) => !(name in (whole[part] ?? {})),
    );
    if (added.length > 0) when[part] = Object.fromEntries(added);
  }
  return Object.keys(fields).length === 0 ? undefined : { fields, when };
}

/** The body with the fields that were parked for its version, if they still belong to it. */
export function unpark(body: Body, source: Body, text: string | undefined): Body {
  const parked = text === undefined ? undefined : parse(text);
  if (parked === undefined) return body;
  for (const part of parts)
    for (const [name, value] of Object.entries(parked.when[part] ?? {}))
      if (!isDeepStrictEqual(source[part]?.[name], value)) return body;
  const result: Partial<Record<keyof Body, Fields>> = { ...body };
  for (const part of parts) {
    const fields = Object.entries(parked.fields[part] ?? {});
    if (fields.length === 0) continue;
    const merged: Record<string, unknown> = { ...body[part] };
    for (const [name, value] of fields)
      if (value === null) delete merged[name];
      else merged[name] = value;
    result[part] = merged;
  }
  return result;
}

/** The object's annotations with one set, or without it. */
export function withAnnotation(
  { metadata }: KubeObject,
  name: string,
  value: string | undefined,
): KubeObject['metadata'] {
  const { [name]: had, ...others } = metadata.annotations ?? {};
  if (value === undefined && had === undefined) return metadata;
  if (value !== undefined) return { ...metadata, annotations: { ...others, [name]: value } };
  const { annotations: _, ...rest } = metadata;
  return Object.keys(others).length === 0 ? rest : { ...rest, annotations: others };
}

function differences(whole: Fields, back: Fields): Fields {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(whole))
    if (back[name] !== value && !isDeepStrictEqual(back[name], value)) result[name] = value;
  for (const name of Object.keys(back)) if (!(name in whole)) result[name] = null;
  return result;
}

/** Anybody may write annotations: one that cannot be read says nothing. */
function parse(text: string): Parked | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isFields(value) || !isFields(value['fields']) || !isFields(value['when']))
      return undefined;
    const partsOf = (holder: Fields): Body =>
      Object.fromEntries(
        parts.filter((part) => isFields(holder[part])).map((part) => [part, holder[part]]),
      );
    return { fields: partsOf(value['fields']), when: partsOf(value['when']) };
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
