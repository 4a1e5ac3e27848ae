import type { IncomingMessage } from 'node:http';

/** Of one connection only, and what is the daemon's to know. */
const dropped: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
  'authorization',
  'x-api-key',
]);

/**
 * The headers of a message that go on to the other side, as they came: without those of the
 * connection, those that `Connection` names, and keys.
 */
export function forwardedHeaders({ rawHeaders, headers }: IncomingMessage): string[] {
  const named = new Set(
    String(headers.connection ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    const lower = name.toLowerCase();
    if (!dropped.has(lower) && !named.has(lower)) kept.push(name, value);
  }
  return kept;
}
