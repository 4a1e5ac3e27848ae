import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What a daemon writes for the clients of its machine. */
export interface ConfigFile {
  readonly url?: string;
  readonly apiKey?: string;
}

/** Path of the user's client configuration, by the XDG base directory rules. */
export function configFilePath(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CONFIG_HOME'];
  // The XDG rules say that a relative path is to be ignored.
  const directory = base?.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.config');
  return join(directory, 'sandport', 'client.json');
}

/**
 * Reads the configuration; a file that is missing, unreadable or not JSON counts as empty, for the
 * caller then says what is missing and where it can come from.
 */
export function readConfigFile(path: string): ConfigFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null) return {};
  const text = (key: string) => {
    const value: unknown = Reflect.get(parsed, key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const url = text('url');
  const apiKey = text('api_key');
  return { ...(url !== undefined && { url }), ...(apiKey !== undefined && { apiKey }) };
}
