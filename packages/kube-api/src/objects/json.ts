import { KubeError } from './kube-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object, not a list. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field's own value; never one that all objects inherit. */
export const fieldOf = (object: JsonObject | undefined, field: string): unknown =>
  object !== undefined && Object.hasOwn(object, field) ? object[field] : undefined;

/** Limits of what clients send and of what patches make of it. */
const maxDepth = 64;
const maxValues = 25_000;

/**
 * Refuses JSON that is too deep or has too many values to be worked on, and the field `__proto__`,
 * which would not be a field once it is copied.
 * @throws KubeError `BadRequest`, `RequestEntityTooLarge`
 */
export function checkJson(value: unknown): void {
  let count = 0;
  const check = (item: unknown, depth: number): void => {
    count += 1;
    if (count > maxValues) {
      throw new KubeError(
        'RequestEntityTooLarge',
        `the object has more than ${maxValues} values: leave some out`,
      );
    }
    if (typeof item !== 'object' || item === null) return;
    if (depth >= maxDepth) {
      throw new KubeError('BadRequest', `the object is nested deeper than ${maxDepth} levels`);
    }
    if (Object.hasOwn(item, '__proto__')) {
      throw new KubeError('BadRequest', 'the object has a field "__proto__", which is not allowed');
    }
    for (const child of Object.values(item)) check(child, depth + 1);
  };
  check(value, 0);
}
