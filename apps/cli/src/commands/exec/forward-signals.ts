import type { CommandSignal } from 'sandport';

/** What signals are passed on to. */
export interface SignalTarget {
  kill(signal: CommandSignal): Promise<void>;
}

/**
 * Passes signals of this process on to a command until it is disposed: Ctrl-C once interrupts the
 * command, twice ends it.
 */
export function forwardSignals(target: SignalTarget): Disposable {
  let interrupts = 0;
  const send = (signal: CommandSignal) => {
    // One that cannot be told has ended, or its connection tells.
    target.kill(signal).catch(() => {});
  };
  const interrupt = () => send(++interrupts === 1 ? 'SIGINT' : 'SIGKILL');
  const terminate = () => send('SIGTERM');
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  return {
    [Symbol.dispose]() {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', terminate);
    },
  };
}
