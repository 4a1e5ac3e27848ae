import type { IncomingMessage } from 'node:http';

/** Header fields as they go over the wire: in their order, names as written, several of one name. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** Of one connection only (RFC 9110, 7.6.1), and what frames a message. */
const dropped: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What trailers must not say, beside that: it was acted upon before they came. */
const notInTrailers: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'set-cookie',
  'x-api-key',
]);

/**
 * The fields of a message that go on to the other side: without those of the connection, those that
 * `Connection` names, `Host`, and the length of the body.
 */
export function endToEndFields({ rawHeaders, headers }: IncomingMessage): Fields {
  const named = new Set(
    String(headers.connection ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
  return pairs(rawHeaders).filter(([name]) => {
    const lower = name.toLowerCase();
    return !dropped.has(lower) && !named.has(lower);
  });
}

/** The trailers of a message that go on to the other side. To be asked for after its end. */
export const endToEndTrailers = ({ rawTrailers }: IncomingMessage): [string, string][] =>
  pairs(rawTrailers).filter(([name]) => {
    const lower = name.toLowerCase();
    return !dropped.has(lower) && !notInTrailers.has(lower);
  });

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    found.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return found;
}
