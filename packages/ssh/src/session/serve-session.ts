import type { TerminalSize } from '@sandport/driver';
import type { OpenCommand } from '@sandport/engine';
import type { ServerChannel, Session } from 'ssh2';
import type { ConnectionContext } from '../connection/connection-context.ts';
import { serveSftp } from '../sftp/serve-sftp.ts';
import { setVariable } from './environment.ts';
import { runCommand } from './run-command.ts';
import { terminalSize } from './terminal-size.ts';

/** Signals that a client may send, without `SIG`. */
const signals = { INT: 'SIGINT', TERM: 'SIGTERM', KILL: 'SIGKILL', HUP: 'SIGHUP' } as const;
const isSignal = (name: string): name is keyof typeof signals => Object.hasOwn(signals, name);

/** Answers what a client asks for in one session: a shell, a command, or a subsystem. */
export function serveSession(context: ConnectionContext, session: Session): void {
  const environment = new Map<string, string>();
  let terminal: TerminalSize | undefined;
  let command: OpenCommand | undefined;

  const watch = (work: Promise<void>) => {
    work.catch((error: unknown) => context.logger.error({ err: error }, 'a session failed'));
  };

  const run = (channel: ServerChannel | undefined, commandLine?: string) => {
    if (channel === undefined) return;
    const onStart = (started: OpenCommand) => {
      command = started;
      // It may have changed while the sandbox woke.
      if (terminal !== undefined) started.resize(terminal);
    };
    const env = Object.fromEntries(environment);
    watch(runCommand(context, channel, { commandLine, env, terminal, onStart }));
  };

  session.on('env', (accept, reject, { key, val }) => {
    answer(setVariable(environment, key, val), accept, reject);
  });
  session.on('pty', (accept, _reject, info) => {
    terminal = terminalSize(info);
    if (info.term) setVariable(environment, 'TERM', info.term);
    accept?.();
  });
  session.on('window-change', (accept, _reject, info) => {
    terminal = terminalSize(info);
    command?.resize(terminal);
    accept?.();
  });
  session.on('signal', (accept, reject, { name }) => {
    if (isSignal(name)) command?.kill(signals[name]);
    answer(isSignal(name), accept, reject);
  });
  session.on('subsystem', (accept, reject, { name }) => {
    const { sftpChannels } = context;
    if (name !== 'sftp' || !sftpChannels.take()) return reject();
    const channel = accept();
    // There is none in a session that has a program already.
    if (channel === undefined) sftpChannels.give();
    else watch(serveSftp(context, channel).finally(() => sftpChannels.give()));
  });
  session.on('shell', (accept) => run(accept()));
  session.on('exec', (accept, _reject, info) => run(accept(), info.command));
}

/** Either is undefined when the client wants no answer. */
function answer(
  isTaken: boolean,
  accept: (() => unknown) | undefined,
  reject: (() => void) | undefined,
): void {
  if (isTaken) accept?.();
  else reject?.();
}
