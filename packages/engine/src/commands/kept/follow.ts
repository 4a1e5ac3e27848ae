import type { KeptCommand } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';

type Stream = 'stdout' | 'stderr';

/** Output of a kept command: bytes, or where bytes are gone that were wanted. */
export type KeptOutput =
  | { readonly stream: Stream; readonly offset: number; readonly bytes: Buffer }
  | { readonly stream: Stream; readonly gap: { readonly from: number; readonly to: number } };

export interface FollowOptions {
  /** Offsets of the first bytes that are wanted. @default 0 of each */
  readonly since?: Partial<Readonly<Record<Stream, number>>>;
  readonly signal: AbortSignal;
}

export interface FollowSource extends FollowOptions {
  /** The command; after a hibernation it is another object. */
  readonly find: () => KeptCommand;
  /** Resolves when the sandbox got or lost its processes, and when the signal aborts. */
  readonly changed: (signal: AbortSignal) => Promise<void>;
  readonly onOutput: (output: KeptOutput) => void | Promise<void>;
}

/** Hands out all output until the command does not run any more, through hibernations. */
export async function follow(source: FollowSource): Promise<KeptCommand> {
  const { find, changed, signal, since } = source;
  const next = { stdout: since?.stdout ?? 0, stderr: since?.stderr ?? 0 };
  for (;;) {
    signal.throwIfAborted();
    const command = find();
    const wasRunning = command.state === 'running';
    try {
      await readBoth(command, next, source);
      if (!wasRunning) return command;
    } catch (error) {
      signal.throwIfAborted();
      if (!wasRunning || !isInterruption(error)) throw error;
    }
    // It has ended: then what came last is read. Or it was cut off, as its sandbox sleeps: then it
    // goes on with the object that stands for it afterwards.
    if (find() !== command || command.state !== 'running') continue;
    const over = new AbortController();
    const another = changed(AbortSignal.any([over.signal, signal])).then(() => true);
    const isAnother = await Promise.race([another, command.ended.then(() => false)]);
    over.abort();
    if (!isAnother) refuseClosed(command);
  }
}

/**
 * One whose sandbox is let go of, because it is removed or the daemon stops, stays as it was and
 * tells nothing more.
 * @throws SandportFault `invalid_state`
 */
export function refuseClosed({ key, state }: KeptCommand): void {
  if (state === 'running')
    throw new SandportFault('invalid_state', `The sandbox of the command ${key} goes away.`, {
      command: key,
    });
}

const isInterruption = (error: unknown): boolean =>
  error instanceof SandportFault &&
  (error.code === 'invalid_state' || error.code === 'sandbox_unresponsive');

async function readBoth(
  command: KeptCommand,
  next: Record<Stream, number>,
  { onOutput, signal }: FollowSource,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([failed.signal, signal]);
  const each = async (stream: Stream) => {
    const since = next[stream];
    for await (const { offset, bytes } of command.read(stream, {
      since,
      follow: true,
      signal: either,
    })) {
      if (offset > next[stream]) {
        await onOutput({ stream, gap: { from: next[stream], to: offset } });
        next[stream] = offset;
      }
      const fresh = bytes.subarray(next[stream] - offset);
      if (fresh.length === 0) continue;
      const at = next[stream];
      next[stream] += fresh.length;
      await onOutput({ stream, offset: at, bytes: fresh });
    }
  };
  const streams: Stream[] = command.hasTerminal ? ['stdout'] : ['stdout', 'stderr'];
  try {
    await Promise.all(streams.map(each));
  } finally {
    failed.abort();
  }
}
