import { z } from 'zod';
import { type HostPort, hostPortOrOffSchema } from './host-port.ts';

/** How clients of SSH are served. */
export interface SshSettings extends HostPort {
  /** True: somebody asked for just this address, so that a start without it makes no sense. */
  readonly asked: boolean;
}

const defaultPort = 2222;

/** Settings as they come, by their keys. */
export const sshValues = { ssh_listen: hostPortOrOffSchema.optional() };

/** Undefined: off. */
export function sshSettings(
  { ssh_listen: given }: z.infer<z.ZodObject<typeof sshValues>>,
  listen: HostPort,
): SshSettings | undefined {
  if (given === 'off') return undefined;
  // Where the API takes any free port, several daemons are to be expected.
  const otherwise = { host: listen.host, port: listen.port === 0 ? 0 : defaultPort };
  return { ...(given ?? otherwise), asked: given !== undefined };
}
