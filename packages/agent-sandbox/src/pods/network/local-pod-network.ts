import type { Socket } from 'node:net';
import type { LocatedSandbox } from '../../sandboxes/sandbox-directory.ts';
import type { PodNetwork } from '../pod-network.ts';
import {
  type AddressRange,
  addressAt,
  automaticRanges,
  firstPodOffset,
  gatewayOffset,
  parseRange,
  podOffset,
} from './address-range.ts';
import { type AllowedUsers, allowedUsers } from './allowed-users.ts';
import { GuardedListener } from './guarded-listener.ts';
import { PeerOwners } from './peer-owner.ts';
import { claimRange } from './range-claim.ts';

export interface LocalPodNetworkOptions {
  /** A range as `127.66.0.0/16`; `auto`: the first free one. */
  readonly range: string | 'auto';
  /** Addresses that sandboxes had before: `auto` tries their ranges first. @default [] */
  readonly former?: readonly string[] | undefined;
  /** Users of this machine who may connect, beside root and who called sudo. */
  readonly users: readonly string[];
  /** Ports of every sandbox. */
  readonly ports: readonly number[];
  /** Those of them at which HTTP/1 is spoken. */
  readonly httpPorts: readonly number[];
  /** Takes a connection to a port of a sandbox. */
  readonly accept: (port: number, socket: Socket, sandbox: LocatedSandbox) => void;
  /** Takes a connection to the router. */
  readonly acceptGateway: (socket: Socket) => void;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

const gatewayPort = 80;

interface Attached {
  readonly offset: number;
  readonly address: string;
  readonly listeners: GuardedListener[];
  /** Settles when its ports are open. */
  readonly opened: Promise<void>;
}

/**
 * Gives sandboxes addresses of the machine's own loopback, with the runtimes behind their ports.
 * Nothing of it is on any network, and no protocol there has keys: who may connect is decided by
 * the user of the process at the other end.
 */
export class LocalPodNetwork implements PodNetwork, Disposable {
  readonly gatewayAddress: string | undefined;
  readonly #options: LocalPodNetworkOptions;
  readonly #range: AddressRange;
  readonly #claim: Disposable;
  readonly #users: AllowedUsers;
  readonly #owners: PeerOwners;
  readonly #gateway: GuardedListener;
  readonly #attached = new Map<string, Attached>();
  readonly #taken = new Set<number>();
  #next = firstPodOffset;

  private constructor(
    options: LocalPodNetworkOptions,
    { range, claim, users, owners, gateway, gatewayAddress }: Claimed,
  ) {
    this.#options = options;
    this.#range = range;
    this.#claim = claim;
    this.#users = users;
    this.#owners = owners;
    this.#gateway = gateway;
    this.gatewayAddress = gatewayAddress;
  }

  /**
   * Takes a range and opens the gateway.
   * @throws Error with a sentence for people: the range is taken, a user is not known
   */
  static async start(options: LocalPodNetworkOptions): Promise<LocalPodNetwork> {
    const users = allowedUsers(options.users);
    const owners = new PeerOwners();
    const { range, claim } = await claimFirst(options.range, options.former ?? []);
    const address = addressAt(range, gatewayOffset);
    const accept = options.acceptGateway;
    const gateway = new GuardedListener({
      address,
      port: gatewayPort,
      owners,
      users,
      isHttp: true,
      accept,
    });
    const isOpen = await opens(gateway, () =>
      options.log('the gateway has no port 80: another program listens there', { address }),
    );
    const gatewayAddress = isOpen ? address : undefined;
    return new LocalPodNetwork(options, { range, claim, users, owners, gateway, gatewayAddress });
  }

  async attach(target: LocatedSandbox, preferred?: string): Promise<string | undefined> {
    const attached = this.#attached.get(target.sandboxId) ?? this.#open(target, preferred);
    await attached?.opened;
    return attached?.address;
  }

  detach({ sandboxId }: Pick<LocatedSandbox, 'sandboxId'>): void {
    const attached = this.#attached.get(sandboxId);
    if (attached === undefined) return;
    this.#attached.delete(sandboxId);
    this.#taken.delete(attached.offset);
    for (const listener of attached.listeners) listener.close();
  }

  [Symbol.dispose](): void {
    for (const { listeners } of this.#attached.values())
      for (const listener of listeners) listener.close();
    this.#gateway.close();
    this.#claim[Symbol.dispose]();
  }

  #open(target: LocatedSandbox, preferred: string | undefined): Attached | undefined {
    const offset = this.#freeOffset(preferred);
    if (offset === undefined) return undefined;
    const { ports, accept, log } = this.#options;
    const address = addressAt(this.#range, offset);
    const [owners, users] = [this.#owners, this.#users];
    const listeners = ports.map((port) => {
      const take = (socket: Socket) => accept(port, socket, target);
      const isHttp = this.#options.httpPorts.includes(port);
      return new GuardedListener({ address, port, owners, users, isHttp, accept: take });
    });
    const opening = listeners.map((listener, index) =>
      opens(listener, (error) => {
        const fields = { address, port: ports[index], sandbox: target.sandboxId, error };
        log('a sandbox has no such port: another program listens there', fields);
      }),
    );
    const opened = Promise.all(opening).then(() => undefined);
    const attached: Attached = { offset, address, listeners, opened };
    this.#taken.add(offset);
    this.#attached.set(target.sandboxId, attached);
    return attached;
  }

  /** Not at once again one that was freed: a client may still believe in it. */
  #freeOffset(preferred: string | undefined): number | undefined {
    const wanted = preferred === undefined ? undefined : podOffset(this.#range, preferred);
    if (wanted !== undefined && !this.#taken.has(wanted)) return wanted;
    const last = this.#range.size - 2;
    for (let tries = firstPodOffset; tries <= last; tries += 1) {
      const offset = this.#next;
      this.#next = offset === last ? firstPodOffset : offset + 1;
      if (!this.#taken.has(offset)) return offset;
    }
    return undefined;
  }
}

interface Claimed {
  readonly range: AddressRange;
  readonly claim: Disposable;
  readonly users: AllowedUsers;
  readonly owners: PeerOwners;
  readonly gateway: GuardedListener;
  readonly gatewayAddress: string | undefined;
}

async function claimFirst(
  wanted: string,
  former: readonly string[],
): Promise<Pick<Claimed, 'range' | 'claim'>> {
  const known = automaticRanges.filter((range) =>
    former.some((address) => podOffset(range, address) !== undefined),
  );
  const ranges = wanted === 'auto' ? [...known, ...automaticRanges] : [parseRange(wanted)];
  for (const range of new Set(ranges)) {
    const claim = await claimRange(range);
    if (claim !== undefined) return { range, claim };
  }
  throw new Error(
    wanted === 'auto'
      ? 'All ranges for pod networks are taken by other daemons; give --pod-network another, or off.'
      : `Another daemon has the pod network ${wanted}; give --pod-network another, auto or off.`,
  );
}

/** False when it cannot be opened, which is told. */
async function opens(listener: GuardedListener, tell: (error: string) => void): Promise<boolean> {
  try {
    await listener.open();
    return true;
  } catch (error) {
    tell(String(error));
    return false;
  }
}
