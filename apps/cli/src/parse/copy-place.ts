import { UsageError } from '../usage-error.ts';

/** A path in a sandbox. */
export interface SandboxPlace {
  readonly kind: 'sandbox';
  /** Name or id. */
  readonly sandbox: string;
  readonly path: string;
}

/** A path on this machine. */
export interface LocalPlace {
  readonly kind: 'local';
  readonly path: string;
}

/** One end of a copy. */
export type CopyPlace = SandboxPlace | LocalPlace | { readonly kind: 'standard' };

/**
 * `-` is standard input or output, `BOX:/path` a path in a sandbox, everything else a local path.
 * A local name with a colon is written with a slash before it, as `./a:b`.
 */
export function parseCopyPlace(text: string): CopyPlace {
  if (text === '-') return { kind: 'standard' };
  const colon = text.indexOf(':');
  const slash = text.indexOf('/');
  if (colon <= 0 || (slash !== -1 && slash < colon)) {
    if (text === '') throw new UsageError('A path is empty.');
    return { kind: 'local', path: text };
  }
  const path = text.slice(colon + 1);
  if (!path.startsWith('/')) {
    throw new UsageError(
      `The path in ${text} is not absolute: write ${text.slice(0, colon)}:/${path}, or ./${text} for a local file.`,
    );
  }
  return { kind: 'sandbox', sandbox: text.slice(0, colon), path };
}

/** `BOX:/path`, and nothing else. */
export function parseSandboxPlace(text: string): SandboxPlace {
  const place = parseCopyPlace(text);
  if (place.kind === 'sandbox') return place;
  const path = place.kind === 'local' && place.path.startsWith('/') ? place.path : '/path';
  const box = place.kind === 'local' && !place.path.includes('/') ? place.path : 'BOX';
  throw new UsageError(`${text} names no path in a sandbox: write it as ${box}:${path}.`);
}

/** `BOX:/path`; `BOX` alone, or with a colon, is its root. */
export function parseSandboxOrPlace(text: string): SandboxPlace {
  const box = /^([^/:]+):?$/.exec(text)?.[1];
  if (box === undefined || box === '-') return parseSandboxPlace(text);
  return { kind: 'sandbox', sandbox: box, path: '/' };
}
