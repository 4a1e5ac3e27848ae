import type { ErrorCode, SandportError } from 'sandport';

/** What to do about an error, where on the command line it is another thing than in the API. */
const ownAdvice = {
  already_exists:
    'Choose another path, or remove what is there first; `fs ln` replaces it with -f.',
  command_not_found: 'List the commands with `sandport ps`.',
  command_not_started: 'Check the command, --cwd and --user.',
  create_failed: 'Run `sandport doctor` on the machine of the daemon.',
  directory_not_empty: 'Remove it with `sandport fs rm -r`.',
  disk_full: 'Remove files, or create the sandbox with a larger --disk.',
  fork_failed: 'Try again, or leave the processes out with --disk-only.',
  hibernate_failed: 'End background work that cannot be frozen, or try again.',
  invalid_image: 'Try `skopeo inspect` with the same reference.',
  invalid_state: 'See `sandport ls`; `sandport resume` and `sandport wake` make a sandbox run.',
  isolation_unavailable: 'Run `sandport doctor` on the machine, or leave --isolation out.',
  memory_unavailable: 'Leave --with-memory out, or make the sandbox with --isolation gvisor.',
  read_only: 'Write elsewhere, or mount the volume without :ro.',
  snapshot_failed: 'Try again, or leave the processes out with --disk-only.',
  template_build_failed: 'The log above names the step.',
  template_exists: 'Choose another name, or make a new version with --replace.',
  tool_missing: '`sandport doctor` lists what is missing on the machine of the daemon.',
  unknown_template: 'List the templates with `sandport template ls`.',
  volume_exists: 'Leave --size out, or choose another name.',
  volume_in_use: 'Kill the sandboxes that mount it first; `sandport volume show` names them.',
} as const satisfies Partial<Record<ErrorCode, string>>;

const adviceByCode = new Map<string, string>(Object.entries(ownAdvice));

/** Of an error of the daemon or the client; undefined when there is none. */
export function adviceOf({ code, advice }: SandportError): string | undefined {
  return adviceByCode.get(code) ?? advice;
}
