import { ConfigurationError } from '../errors/client-errors.ts';
import { configFilePath, readConfigFile } from './config-file.ts';

/** How to reach a daemon. What is left out comes from the environment, then from client.json. */
export interface ClientOptions {
  /** Base address, as `http://127.0.0.1:8420`. @default SANDPORT_URL, then client.json */
  url?: string | undefined;
  /** @default SANDPORT_API_KEY, then client.json when the address is the one that stands there */
  apiKey?: string | undefined;
  /**
   * Milliseconds without a byte from the daemon after which a request fails with `TimeoutError`;
   * 0: never. Commands wait for as long as they run.
   * @default 60000
   */
  idleTimeoutMs?: number | undefined;
}

export interface ClientConfig {
  /** Without a slash at its end. */
  readonly url: string;
  readonly apiKey: string;
  readonly idleTimeoutMs: number;
}

const defaultIdleTimeoutMs = 60_000;

/**
 * Finds the daemon's address and key: options, environment, the user's client.json.
 * The key of client.json is only sent to the address of client.json.
 * @throws ConfigurationError when one is missing or the address is not an HTTP address
 */
export function resolveClientConfig(
  options: ClientOptions = {},
  env: NodeJS.ProcessEnv = process.env,
): ClientConfig {
  const path = configFilePath(env);
  const file = readConfigFile(path);
  const url = options.url ?? nonEmpty(env['SANDPORT_URL']) ?? file.url;
  if (url === undefined) {
    throw new ConfigurationError(
      `No Sandport daemon is configured: neither the option \`url\` nor SANDPORT_URL is set, and ${path} names none. Start one on this machine with \`sandport serve\`.`,
    );
  }
  const base = normalizeUrl(url);
  const fileKey = file.url !== undefined && sameUrl(file.url, base) ? file.apiKey : undefined;
  const apiKey = options.apiKey ?? nonEmpty(env['SANDPORT_API_KEY']) ?? fileKey;
  if (apiKey === undefined) {
    throw new ConfigurationError(
      `There is no API key for ${base}: set the option \`apiKey\` or SANDPORT_API_KEY. The daemon's own key stands in client.json of its data directory.`,
    );
  }
  if (/[^\x21-\x7e]/.test(apiKey)) {
    throw new ConfigurationError('The API key holds a character that no key has, as a line break.');
  }
  return { url: base, apiKey, idleTimeoutMs: options.idleTimeoutMs ?? defaultIdleTimeoutMs };
}

const nonEmpty = (value: string | undefined) => (value === '' ? undefined : value);

function normalizeUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ConfigurationError(
      `The daemon's address ${JSON.stringify(text)} is not a URL; it looks like http://127.0.0.1:8420.`,
    );
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ConfigurationError(
      `The daemon's address ${JSON.stringify(text)} must begin with http:// or https://.`,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function sameUrl(text: string, base: string): boolean {
  try {
    return normalizeUrl(text) === base;
  } catch {
    return false;
  }
}
