import { errorTable, SandportFault } from '@sandport/protocol';

/**
 * An error as somebody with a link may see it: without the path in the sandbox, of which the link
 * shows the last name only.
 */
export function linkFault(error: unknown, name: string): unknown {
  if (!(error instanceof SandportFault) || !('path' in error.details)) return error;
  const { code, details } = error;
  return new SandportFault(code, errorTable[code].meaning, { ...details, path: name });
}
