/**
 * A value of the SDK as the API spells it: `sizeBytes` is `size_bytes`, dates are text, and what is
 * undefined is left out. So programs read the same names from here as from the API.
 */
export function wireJson(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(wireJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([name, each]) => [snakeCase(name), wireJson(each)]),
  );
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
