import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** The two ends of a connection, as this side of it sees them. */
export type Connection = Pick<
  Socket,
  'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'
>;

/** The kernel's tables of connections of this network namespace. */
const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'] as const;

/** Reads the tables once for all who ask at the same time. */
export class PeerOwners {
  #next: Promise<readonly string[]> | undefined;

  /**
   * The user whose process made a connection on this machine. Undefined when none can be named: the
   * other end was closed by its process, or is on another machine.
   */
  async ownerOf(connection: Connection): Promise<number | undefined> {
    for (const table of await this.#read()) {
      const owner = ownerIn(table, connection);
      if (owner !== undefined) return owner;
    }
    return undefined;
  }

  /** What is read must be read after the question: a connection stands in it only once it is there. */
  #read(): Promise<readonly string[]> {
    this.#next ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#next = undefined;
        Promise.all(tables.map(readTable)).then(resolve, reject);
      });
    });
    return this.#next;
  }
}

/** Machines without IPv6 have no table of it. */
const readTable = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');

/** Columns of a row behind the two addresses: state, queues, timer, retransmits, user, …, inode. */
const userColumn = 4;
const inodeColumn = 6;

/**
 * The owner of the other end of a connection, in the text of a table.
 *
 * A row without an inode belongs to no process any more, and then older kernels show user 0 as its
 * owner: it names nobody.
 */
export function ownerIn(table: string, connection: Connection): number | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = connection;
  if (!localAddress || !remoteAddress || !localPort || !remotePort) return undefined;
  for (const mapped of ['', mappedPrefix]) {
    const needle = ` ${mapped}${endpoint(remoteAddress, remotePort)} ${mapped}${endpoint(localAddress, localPort)} `;
    const at = table.indexOf(needle);
    if (at === -1) continue;
    const end = table.indexOf('\n', at);
    const columns = table
      .slice(at + needle.length, end === -1 ? undefined : end)
      .trim()
      .split(/ +/);
    if (Number(columns[inodeColumn]) > 0) return Number(columns[userColumn]);
  }
  return undefined;
}

/** An IPv4 address in an IPv6 socket, as the table shows it. */
const mappedPrefix = '0000000000000000FFFF0000';

/** As `0100007F:1F90`: the address in the byte order of the machine, the port in that of people. */
function endpoint(address: string, port: number): string {
  const octets = address.replace(/^::ffff:/i, '').split('.');
  const hex = octets.toReversed().map((octet) => toHex(Number(octet), 2));
  return `${hex.join('')}:${toHex(port, 4)}`;
}

const toHex = (value: number, digits: number): string =>
  value.toString(16).toUpperCase().padStart(digits, '0');
