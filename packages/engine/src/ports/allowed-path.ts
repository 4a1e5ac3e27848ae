/**
 * True when a request target lies at or below one of the paths. Programs disagree about `..`,
 * doubled slashes, and what is percent-encoded twice: targets with any of that are none.
 * @param target as it came, with its query
 * @param paths percent-encoded; empty: all
 */
export function isAllowedPath(target: string, paths: readonly string[]): boolean {
  if (paths.length === 0) return true;
  const path = plainPath(target);
  if (path === undefined) return false;
  return paths.some((allowed) => {
    const base = plainPath(allowed)?.replace(/\/$/, '');
    return base !== undefined && (path === base || path.startsWith(`${base}/`));
  });
}

/** Decoded once; undefined when it can be read in two ways. */
function plainPath(target: string): string | undefined {
  const encoded = /^[^?#]*/.exec(target)?.[0] ?? '';
  // An encoded slash, backslash, NUL or percent sign.
  if (/%(?:2f|5c|00|25)/i.test(encoded)) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
  const isPlain =
    path.startsWith('/') &&
    !/\\|\/\//.test(path) &&
    path.split('/').every((segment) => !/^\.{1,2}(?:;|$)/.test(segment));
  return isPlain ? path : undefined;
}
