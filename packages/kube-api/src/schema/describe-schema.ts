import { isJsonObject } from '../objects/json.ts';
import type { Schema } from '../objects/resource.ts';

/**
 * The schema with descriptions: by path, as `spec.containers[].image`, where `[]` stands for the
 * items of a list or the values of a map; the empty path is the whole.
 * @throws Error for a path that the schema does not have
 */
export function describeSchema(
  schema: Schema,
  descriptions: Readonly<Record<string, string>>,
): Schema {
  return Object.entries(descriptions).reduce(
    (described, [path, text]) => describeAt(described, stepsOf(path), text, path),
    schema,
  );
}

const stepsOf = (path: string): readonly string[] =>
  path
    .replaceAll('[]', '.[]')
    .split('.')
    .filter((step) => step !== '');

function describeAt(
  schema: Schema,
  [step, ...rest]: readonly string[],
  text: string,
  path: string,
): Schema {
  if (step === undefined) return { ...schema, description: text };
  if (step === '[]') {
    const keyword = isJsonObject(schema['items']) ? 'items' : 'additionalProperties';
    const child = schema[keyword];
    if (!isJsonObject(child)) throw unknownPath(path);
    return { ...schema, [keyword]: describeAt(child, rest, text, path) };
  }
  const properties = schema['properties'];
  const child = isJsonObject(properties) ? properties[step] : undefined;
  if (!isJsonObject(properties) || !isJsonObject(child)) throw unknownPath(path);
  return {
    ...schema,
    properties: { ...properties, [step]: describeAt(child, rest, text, path) },
  };
}

const unknownPath = (path: string): Error =>
  new Error(`The schema has no field "${path}" that could be described.`);
