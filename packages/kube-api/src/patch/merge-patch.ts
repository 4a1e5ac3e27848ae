import { isJsonObject } from '../objects/json.ts';

/**
 * The target after a JSON Merge Patch (RFC 7386). The target is not changed. Both have been checked
 * for depth.
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const fields = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) fields.delete(field);
    else fields.set(field, applyMergePatch(fields.get(field), value));
  }
  return Object.fromEntries(fields);
}
