/** Program and arguments of the user's login shell: the init sets SHELL by the sandbox's passwd. */
export const loginShell: readonly string[] = ['/bin/sh', '-c', 'exec "${SHELL:-/bin/sh}" -l'];
