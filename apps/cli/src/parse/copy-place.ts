import { UsageError } from '../usage-error.ts';

/** One end of a copy. */
export type CopyPlace =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'standard' }
  | { readonly kind: 'sandbox'; readonly sandbox: string; readonly path: string };

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
