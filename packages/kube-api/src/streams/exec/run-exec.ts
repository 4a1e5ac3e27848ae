import type { Writable } from 'node:stream';
import type { ExecStreams } from '../pod-streams.ts';
import type { StreamUpgrade } from '../stream-upgrade.ts';
import type { ExecQuery } from './exec-query.ts';
import { exitStatus, failureStatus } from './exec-status.ts';
import type { ExecWire } from './exec-wire.ts';
import { TerminalSizes } from './terminal-sizes.ts';

/** Runs a command on the streams of a client, and tells the client how it ended. Never rejects. */
export async function runExec(
  { pods, pod }: StreamUpgrade,
  { command, container, tty }: ExecQuery,
  wire: ExecWire,
): Promise<void> {
  const { stdin, stdout, stderr, resize, error, signal } = wire;
  for (const unread of [stdout, stderr, error]) unread?.resume();
  const streams: ExecStreams = {
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    resizes: new TerminalSizes(resize),
    signal,
  };
  const status = await pods
    .exec({ ...pod, container, command, tty }, streams)
    .then(({ exitCode }) => exitStatus(exitCode), failureStatus);
  await Promise.all([ended(stdout), ended(stderr)]);
  await ended(error, JSON.stringify(status));
  stdin?.destroy();
  resize?.destroy();
}

/** Ends a stream, and waits until its bytes have been sent or the client has gone. */
function ended(stream: Writable | undefined, last?: string): Promise<void> {
  return new Promise((resolve) => {
    if (stream === undefined || stream.closed || stream.destroyed || stream.writableFinished)
      return resolve();
    stream.once('finish', resolve);
    stream.once('close', resolve);
    if (last !== undefined) stream.write(last);
    stream.end();
  });
}
