import type { PortConnection } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { Principal } from '../principal.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import type { CommandOptions } from './commands.ts';

const portMax = 65_535;

/** Connects; as {@link Commands.connect}. */
export async function connectToPort(
  sandboxes: Sandboxes,
  principal: Principal,
  sandbox: string,
  port: number,
  options: CommandOptions,
): Promise<PortConnection> {
  options.signal?.throwIfAborted();
  if (!Number.isInteger(port) || port < 1 || port > portMax)
    throw new SandportFault('invalid_request', `A port is a number from 1 to ${portMax}.`, {
      field: 'port',
    });
  const entry = sandboxes.find(principal, sandbox);
  using connecting = entry.activity.begin();
  void connecting;
  const { commands } = await sandboxes.states.running(entry, options);
  const connection = await commands.connect(port);
  const active = entry.activity.begin(() => connection.bytesRead + connection.bytesWritten);
  const abort = () => connection.destroy();
  options.signal?.addEventListener('abort', abort, { once: true });
  connection.once('close', () => {
    options.signal?.removeEventListener('abort', abort);
    active[Symbol.dispose]();
  });
  if (options.signal?.aborted) abort();
  return connection;
}
