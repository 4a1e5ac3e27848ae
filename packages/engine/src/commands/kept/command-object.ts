import type { KeptCommand } from '@sandport/driver';
import { type CommandObject, commandIdSchema } from '@sandport/protocol';
import { z } from 'zod';

/** What is kept with a command about how it was started. */
const detailsSchema = z.object({
  cmd: z.string().optional(),
  args: z.array(z.string()).optional(),
  shortened: z.boolean().optional(),
  cwd: z.string().catch(''),
  user: z.string().catch(''),
});
export type CommandDetails = z.infer<typeof detailsSchema>;

/** Most UTF-16 units of `cmd`, or of all `args`, that are kept with a command. */
const maxShownLength = 2_000;
const maxShownPlaceLength = 500;

/** How it was started, short enough to be kept with it. */
export function commandDetails(
  { cmd, args }: { cmd?: string | undefined; args?: readonly string[] | undefined },
  { cwd, user }: { cwd: string; user: string },
): CommandDetails {
  const shown = cmd === undefined ? shortArgs(args ?? []) : { cmd: cmd.slice(0, maxShownLength) };
  const isWhole =
    cwd.length <= maxShownPlaceLength &&
    ('cmd' in shown ? shown.cmd === cmd : shown.args.join() === args?.join());
  return {
    ...shown,
    ...(isWhole ? {} : { shortened: true }),
    cwd: cwd.slice(0, maxShownPlaceLength),
    user,
  };
}

function shortArgs(args: readonly string[]): { args: string[] } {
  const shown: string[] = [];
  let room = maxShownLength;
  for (const each of args) {
    if (room <= 0) break;
    shown.push(each.slice(0, room));
    // An empty one takes room too: so their number is bounded.
    room -= each.length + 1;
  }
  return { args: shown };
}

/** A kept command as clients see it. */
export function commandObject(command: KeptCommand): CommandObject {
  const { key, pid, state, startedAt, end, stdin } = command;
  const details = detailsSchema.safeParse(command.details);
  const { startOffset: stdoutStart, endOffset: stdoutBytes } = command.range('stdout');
  const { startOffset: stderrStart, endOffset: stderrBytes } = command.range('stderr');
  return {
    id: commandIdSchema.parse(key),
    ...(pid === undefined || state !== 'running' ? {} : { pid }),
    ...(details.success ? details.data : { cwd: '', user: '' }),
    tty: command.hasTerminal,
    stdin: state === 'running' && stdin !== undefined && stdin.writable,
    status: state,
    started_at: startedAt.toISOString(),
    ...(end === undefined
      ? {}
      : {
          ended_at: end.endedAt.toISOString(),
          exit_code: end.exitCode,
          ...(end.signal === undefined ? {} : { signal: end.signal }),
          ...(end.timedOut ? { timed_out: true } : {}),
          ...(end.oomKilled ? { oom_killed: true } : {}),
        }),
    stdout_start: stdoutStart,
    stdout_bytes: stdoutBytes,
    stderr_start: stderrStart,
    stderr_bytes: stderrBytes,
  };
}
