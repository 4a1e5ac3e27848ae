import { envSchema } from '@sandport/protocol';

/**
 * Environment of an image, as `NAME=value` each; the last of a name counts. What no command could
 * be given (no name, odd names, NUL bytes) is left out.
 */
export function imageEnv(list: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const item of list) {
    const split = item.indexOf('=');
    if (split <= 0) continue;
    const one = { [item.slice(0, split)]: item.slice(split + 1) };
    if (envSchema.safeParse(one).success) Object.assign(env, one);
  }
  return env;
}
