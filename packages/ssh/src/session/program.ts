import { loginShell } from '@sandport/engine';

/**
 * The program of a session, for whatever the sandbox's user has as a shell: its init sets SHELL by
 * the sandbox's passwd. Without a command line it is a login shell.
 */
export const programOf = (commandLine: string | undefined): readonly string[] =>
  commandLine === undefined
    ? loginShell
    : ['/bin/sh', '-c', 'exec "${SHELL:-/bin/sh}" -c "$0"', commandLine];
