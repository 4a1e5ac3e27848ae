import type { CommandSpec } from '@sandport/driver';
import type { InitCommandSpec } from '@sandport/guest-init';

/** What a command gets that does not ask for something else. */
export interface CommandDefaults {
  readonly user: string;
  readonly workdir: string;
  /** Environment of every command. */
  readonly env: Readonly<Record<string, string>>;
}

/** A command as the init gets it. */
export function initSpec(
  spec: CommandSpec,
  { user, workdir, env }: CommandDefaults,
): InitCommandSpec {
  return {
    args: [...spec.args],
    cwd: spec.cwd ?? workdir,
    env: { ...env, ...spec.env },
    user: spec.user ?? user,
    ...(spec.timeoutMs === undefined ? {} : { timeoutMs: spec.timeoutMs }),
    stdin: spec.stdin ?? false,
    terminal: spec.terminal,
  };
}
