import { randomInt } from 'node:crypto';

/** No vowels, and nothing that looks like something else: as Kubernetes makes its names. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxNameLength = 63;

/** A name that begins with `prefix` and ends at random. */
export function generatedName(prefix: string): string {
  let suffix = '';
  for (let index = 0; index < suffixLength; index += 1)
    suffix += letters[randomInt(letters.length)];
  return prefix.slice(0, maxNameLength - suffixLength) + suffix;
}
