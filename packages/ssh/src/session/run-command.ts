import type { Readable } from 'node:stream';
import type { OpenCommand } from '@sandport/engine';
import type { TerminalSize } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { ServerChannel } from 'ssh2';
import type { ConnectionContext } from '../connection/connection-context.ts';
import { ChannelWriter } from '../library/channel-writer.ts';
import { end } from './end-channel.ts';
import { programOf } from './program.ts';

/** What `ssh` itself exits with when it fails. */
const failedStatus = 255;

export interface RunOptions {
  /** Undefined: a login shell. */
  readonly commandLine?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly terminal?: TerminalSize | undefined;
  /** Called once it runs. */
  readonly onStart: (command: OpenCommand) => void;
}

/** Runs a command at the other end of a channel, to its end. Closes the channel. */
export async function runCommand(
  { engine, loggedIn, connection, socket, logger, channels }: ConnectionContext,
  channel: ServerChannel,
  { commandLine, env, terminal, onStart }: RunOptions,
): Promise<void> {
  const closed = channels.hold(channel);
  const writer = new ChannelWriter(channel, { connection, socket, closed });
  try {
    const command = await engine.commands.open(loggedIn.principal, loggedIn.sandbox, {
      args: programOf(commandLine),
      env,
      stdin: true,
      ...(terminal === undefined ? {} : { terminal }),
    });
    onStart(command);
    // A terminal hangs up when its other end is gone; a program that runs on may ignore it.
    const hangUp = () => command.kill('SIGHUP');
    closed.addEventListener('abort', hangUp, { once: true });
    if (closed.aborted) hangUp();
    feed(channel, command, closed);
    const [exit] = await Promise.all([
      command.exit,
      hand(command.stdout, 'stdout', writer),
      hand(command.stderr, 'stderr', writer),
    ]);
    closed.removeEventListener('abort', hangUp);
    if (exit.signal === undefined) channel.exit(exit.exit_code);
    else channel.exit(exit.signal.replace(/^SIG/, ''), false, '');
  } catch (error) {
    if (!(error instanceof SandportFault)) logger.error({ err: error }, 'a session failed');
    const why = error instanceof SandportFault ? error.message : 'The sandbox cannot be reached.';
    await writer.write('stderr', Buffer.from(`sandport: ${why}\r\n`));
    channel.exit(failedStatus);
  }
  end(channel);
}

/** Gives the command what comes by the channel. A command that does not read is no error. */
function feed(channel: ServerChannel, { stdin }: OpenCommand, closed: AbortSignal): void {
  if (stdin === undefined) return;
  stdin.on('error', () => channel.resume());
  stdin.on('close', () => channel.resume());
  channel.pipe(stdin);
  closed.addEventListener('abort', () => stdin.end(), { once: true });
}

/** Hands what a command writes to the client; to nobody once that one is gone. */
async function hand(
  readable: Readable,
  stream: 'stdout' | 'stderr',
  writer: ChannelWriter,
): Promise<void> {
  let isTaken = true;
  for await (const chunk of readable as AsyncIterable<Buffer>)
    if (isTaken) isTaken = await writer.write(stream, chunk);
}
