import { InvalidArgumentError } from 'commander';

/** A TCP port. */
export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new InvalidArgumentError('A port is a number from 1 to 65535.');
  return port;
}

/** A port of this machine, and the one of a sandbox to which it leads. */
export interface ForwardedPort {
  /** 0: any that is free. */
  readonly local: number;
  readonly remote: number;
}

/** Collects `PORT`, `LOCAL:PORT` and `:PORT`, where any free port of this machine is taken. */
export function forwardedPorts(
  text: string,
  previous: readonly ForwardedPort[] = [],
): ForwardedPort[] {
  const [, local, remote = ''] = /^(?:(\d*):)?(\d+)$/.exec(text) ?? [];
  if (remote === '') throw new InvalidArgumentError('It must look like 3000, 8080:3000 or :3000.');
  const port = portNumber(remote);
  if (local === undefined) return [...previous, { local: port, remote: port }];
  return [...previous, { local: local === '' ? 0 : portNumber(local), remote: port }];
}
