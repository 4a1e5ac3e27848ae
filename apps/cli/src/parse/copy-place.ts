import { UsageError } from '../usage-error.ts';

/** A path in a sandbox or on a volume. */
export interface RemotePlace {
  readonly kind: 'remote';
  /** What holds the files: name or id of a sandbox, or `volume:NAME` or `volume:NAMESPACE/NAME`. */
  readonly holder: string;
  readonly path: string;
}

/** A path on this machine. */
export interface LocalPlace {
  readonly kind: 'local';
  readonly path: string;
}

/** One end of a copy. */
export type CopyPlace = RemotePlace | LocalPlace | { readonly kind: 'standard' };

/**
 * `-` is standard input or output, `BOX:/path` a path in a sandbox, `volume:NAME:/path` one on a
 * volume, everything else a local path. A local name with a colon is written with a slash before it,
 * as `./a:b`.
 */
export function parseCopyPlace(text: string): CopyPlace {
  if (text === '-') return { kind: 'standard' };
  const colon = text.indexOf(':');
  const slash = text.indexOf('/');
  if (colon <= 0 || (slash !== -1 && slash < colon)) {
    if (text === '') throw new UsageError('A path is empty.');
    return { kind: 'local', path: text };
  }
  const holder = /^volume:[^:/]+(?:\/[^:/]+)?(?=:|$)/.exec(text)?.[0] ?? text.slice(0, colon);
  const path = text.slice(holder.length + 1);
  if (!path.startsWith('/')) {
    throw new UsageError(
      `The path in ${text} is not absolute: write ${holder}:/${path}, or ./${text} for a local file.`,
    );
  }
  return { kind: 'remote', holder, path };
}

/** `BOX:/path` or `volume:NAME:/path`, and nothing else. */
export function parseRemotePlace(text: string): RemotePlace {
  const place = parseCopyPlace(text);
  if (place.kind === 'remote') return place;
  const path = place.kind === 'local' && place.path.startsWith('/') ? place.path : '/path';
  const box = place.kind === 'local' && !place.path.includes('/') ? place.path : 'BOX';
  throw new UsageError(
    `${text} names no path in a sandbox: write it as ${box}:${path}, or volume:NAME:${path}.`,
  );
}

/** A place that must be in a sandbox: volumes have no changes and no links. */
export function inSandbox(place: RemotePlace): RemotePlace {
  if (!place.holder.startsWith('volume:')) return place;
  throw new UsageError(`${place.holder} is a volume; this is for sandboxes only.`);
}

/** The same as `parseRemotePlace`; `BOX` or `volume:NAME` alone, or with a colon, is the root. */
export function parseRemoteOrRoot(text: string): RemotePlace {
  const holder = /^(volume:[^/:]+(?:\/[^/:]+)?|[^/:]+):?$/.exec(text)?.[1];
  if (holder === undefined || holder === '-') return parseRemotePlace(text);
  return { kind: 'remote', holder, path: '/' };
}
