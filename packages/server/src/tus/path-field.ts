import { SandportFault } from '@sandport/protocol';

/**
 * The path in `Upload-Metadata`, whose bytes must be UTF-8: read with U+FFFD in their place, others
 * would name another file than was meant. Empty when there is none.
 * @throws SandportFault `invalid_path`
 */
export function pathFieldOf(field: string | string[] | undefined): { path?: string } {
  const base64 = /(?:^|,)\s*path ([^,]+)/.exec(String(field ?? ''))?.[1];
  if (base64 === undefined) return {};
  const bytes = Buffer.from(base64, 'base64');
  const path = bytes.toString('utf8');
  if (Buffer.from(path).equals(bytes)) return { path };
  throw new SandportFault('invalid_path', 'The path in Upload-Metadata is not UTF-8.', { path });
}
