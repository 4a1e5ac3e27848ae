import { envSchema } from '@sandport/protocol';
import { InvalidImage } from './invalid-image.ts';

/** Every command carries it. */
const maxBytes = 64 * 1024;

/**
 * Environment of an image, as `NAME=value` each; the last of a name counts. What no command could
 * be given (no name, odd names, NUL bytes) is left out.
 * @throws InvalidImage when it is too large
 */
export function imageEnv(list: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const item of list) {
    const split = item.indexOf('=');
    if (split <= 0) continue;
    const one = { [item.slice(0, split)]: item.slice(split + 1) };
    if (envSchema.safeParse(one).success) Object.assign(env, one);
  }
  const bytes = Object.entries(env).reduce(
    (sum, pair) => sum + Buffer.byteLength(pair.join('=')),
    0,
  );
  if (bytes > maxBytes) throw new InvalidImage(`its environment is larger than ${maxBytes} bytes`);
  return env;
}
