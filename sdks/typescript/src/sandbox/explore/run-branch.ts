import type { FileChange } from '../../filesystem/entries/changes.ts';
import type { Sandbox } from '../sandbox.ts';
import type { BranchOutcome, Candidate } from './candidate.ts';

const tailChars = 4096;
const mostFiles = 200;
const defaultTimeoutSeconds = 60;

export interface BranchOptions {
  /** Path below which changed files are told; undefined: none are. */
  readonly capturePath: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Runs a candidate in its copy. What fails is part of the outcome; only the signal throws. */
export async function runBranch<Value>(
  sandbox: Sandbox,
  candidate: Candidate<Value>,
  { capturePath, signal }: BranchOptions,
): Promise<BranchOutcome<Value>> {
  const before = capturePath === undefined ? undefined : changesOf(sandbox, capturePath, signal);
  const known = await before?.catch(() => undefined);
  const begun = performance.now();
  const ran = await run(sandbox, candidate, signal).catch((error: unknown) => {
    signal?.throwIfAborted();
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  });
  const durationMs = Math.round(performance.now() - begun);
  const filesChanged: string[] = [];
  if (capturePath !== undefined && known !== undefined) {
    try {
      const after = await changesOf(sandbox, capturePath, signal);
      filesChanged.push(...differences(known, after));
    } catch {
      // The outcome stands without them.
      signal?.throwIfAborted();
    }
  }
  return {
    label: candidate.label,
    sandbox,
    sandboxId: sandbox.id,
    exitCode: null,
    stdoutTail: '',
    stderrTail: '',
    error: null,
    timedOut: false,
    ...ran,
    score: 0,
    filesChanged: filesChanged.slice(0, mostFiles),
    durationMs,
  };
}

async function run<Value>(
  sandbox: Sandbox,
  { cmd, fn, env, timeoutSeconds, timeoutS }: Candidate<Value>,
  signal: AbortSignal | undefined,
) {
  if (fn !== undefined) return { ok: true, value: await fn(sandbox) };
  if (cmd === undefined) return { ok: false, error: 'The candidate has neither `cmd` nor `fn`.' };
  const timeoutMs = (timeoutSeconds ?? timeoutS ?? defaultTimeoutSeconds) * 1000;
  const result = await sandbox.commands.run(cmd, { env, timeoutMs, signal });
  return {
    ok: result.exitCode === 0,
    exitCode: result.exitCode,
    stdoutTail: result.stdout.slice(-tailChars),
    stderrTail: result.stderr.slice(-tailChars),
    timedOut: result.timedOut,
  };
}

/** What differs from the template, a line for each path. */
async function changesOf(
  sandbox: Sandbox,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Map<string, string>> {
  const changes = new Map<string, string>();
  for await (const change of sandbox.filesystem.changeEntries({ path, signal })) {
    if (change.type !== 'directory') changes.set(change.path, lineOf(change));
  }
  return changes;
}

const lineOf = ({ change, type, size }: FileChange) => `${change} ${type} ${size}`;

function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  const changed = [...after].filter(([path, line]) => before.get(path) !== line);
  const undone = [...before.keys()].filter((path) => !after.has(path));
  return [...changed.map(([path]) => path), ...undone];
}
