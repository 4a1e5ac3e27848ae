import type { PortProtocol } from '@sandport/protocol';
import type { PolicyPort } from './policy-types.ts';

const protocols: Readonly<Record<string, PortProtocol>> = { TCP: 'tcp', UDP: 'udp' };

/** Where something of a policy is said about. */
export type Note = (field: string, sentence: string) => void;

const lastPort = 65_535;

/**
 * The ports as rules end with them, `:443/tcp`. Those that no rule can have are noted, and open
 * nothing; those that are none are faults. @param most so many ports there may be
 */
export function portSuffixes(
  ports: readonly PolicyPort[],
  { note, fault }: { readonly note: Note; readonly fault: Note },
  most: number,
): readonly string[] {
  if (ports.length === 0) return [''];
  const suffixes: string[] = [];
  for (const [at, { port, endPort, protocol = 'TCP' }] of ports.entries()) {
    const field = `ports[${at}]`;
    const its = protocols[protocol];
    if (its === undefined) note(field, `opens nothing: the protocol ${protocol} is not known here`);
    else if (port === undefined)
      note(field, `opens nothing: ports of ${protocol} are opened by their numbers`);
    else if (typeof port === 'string')
      note(field, `opens nothing: "${port}" is the name of a port; give its number`);
    else if (port < 1 || port > lastPort)
      fault(`${field}.port`, `Invalid value: ${port}: must be from 1 to ${lastPort}`);
    else if (endPort !== undefined && (endPort < port || endPort > lastPort))
      fault(`${field}.endPort`, `Invalid value: ${endPort}: must be from ${port} to ${lastPort}`);
    else if (suffixes.length + (endPort ?? port) - port + 1 > most) {
      fault(field, `Too many: there may be ${most} ports`);
      return [];
    } else
      for (let each = port; each <= (endPort ?? port); each++) suffixes.push(`:${each}/${its}`);
  }
  return suffixes;
}
