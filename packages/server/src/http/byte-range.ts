import { SandportFault } from '@sandport/protocol';

/** Bytes `[start, end)` of a file. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The part that a `Range` field asks for: `bytes=a-b`, `bytes=a-` or `bytes=-n`. Undefined when it
 * asks for all: no field, another unit, or several ranges (RFC 9110 lets a server ignore them).
 * @throws SandportFault `range_not_satisfiable`
 */
export function parseRange(
  field: string | undefined,
  size: number,
  path: string,
): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(field?.trim() ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= size || (first === '' && Number(last) === 0))
    throw new SandportFault(
      'range_not_satisfiable',
      `${path} has ${size} bytes; the range ${field} lies behind its end.`,
      { path, size },
    );
  return { start, end };
}
