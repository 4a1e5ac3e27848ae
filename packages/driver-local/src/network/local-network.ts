import type { NetworkDenial } from '@sandport/driver';
import {
  type Ipv4Network,
  type Network,
  type NetworkRule,
  parseNetworkRule,
  SandportFault,
} from '@sandport/protocol';
import type { Layout } from '../layout.ts';
import type { Log } from '../options.ts';
import type { HeldSandbox } from '../sandbox/held-sandbox.ts';
import { writeRootFile } from '../sandbox/write-root-file.ts';
import {
  defaultRange,
  isMarked,
  type NetworkBase,
  openBase,
  removeFromKernel,
  strayInterfaces,
} from './base.ts';
import { guestsOf } from './blocks.ts';
import { Denials } from './denials.ts';
import { AnsweredNames } from './dns/answered-names.ts';
import { Pins } from './dns/pins.ts';
import { Resolver } from './dns/resolver.ts';
import { machineResolvers } from './dns/upstream.ts';
import { joinNamespace, limitBandwidth, removeInterface } from './interfaces.ts';
import { networkProblem } from './machine.ts';
import { forgetMarked, newMark, nextMark } from './marks.ts';
import { type GuestNames, guestNames, type NetworkNames } from './names.ts';
import { type NamespaceEnd, namespaceOf, newNamespace } from './namespace-end.ts';
import type { NetworkOptions } from './options.ts';
import { runNft } from './programs.ts';
import { readTraffic, type Traffic } from './traffic.ts';
import { guestRules, pinned, removedGuest } from './ruleset.ts';
import { removeStrayGuests } from './stray-guests.ts';

/** A sandbox that has a place in the network. */
interface Guest {
  readonly id: HeldSandbox['id'];
  readonly index: number;
  readonly names: GuestNames;
  network: Network;
  rules: readonly NetworkRule[];
  /** Of its connections, in the kernel. */
  readonly mark: number;
  /** Its rules are in the kernel; until then nothing passes. */
  readonly entered: Promise<void>;
}

/** Nothing passes; for a sandbox that cannot be without an interface any more. */
const closed: Network = { egress: 'none' };

export interface PreparedNetwork {
  /** To start in; without one the processes are joined when they are there. */
  readonly namespace?: NamespaceEnd | undefined;
  /**
   * The sandbox's rules are in the kernel. Processes may start before: until then nothing passes. It
   * may fail, and is waited for before a command runs.
   */
  readonly ready: Promise<void>;
}

export interface LocalNetworkOptions extends NetworkOptions {
  readonly layout: Layout;
  readonly log: Log;
}

/**
 * The networks of a driver's sandboxes. Until the first sandbox wants one, nothing of it runs and
 * nothing is changed on the machine.
 */
export class LocalNetwork {
  readonly #options: LocalNetworkOptions;
  readonly #range: Ipv4Network;
  readonly #denials: Denials;
  readonly #pins: Pins;
  readonly #answered = new AnsweredNames();
  readonly #resolver: Resolver;
  readonly #guests = new Map<number, Guest>();
  readonly #byAddress = new Map<string, Guest>();
  #base: Promise<NetworkBase> | undefined;
  #next = 0;

  constructor(options: LocalNetworkOptions) {
    this.#options = options;
    this.#range = options.range ?? defaultRange;
    this.#denials = new Denials({
      sandboxAt: (address) => this.#byAddress.get(address)?.id,
      nameOf: (address, destination) => this.#answered.nameOf(address, destination),
    });
    this.#pins = new Pins(async (pins) => {
      const { names } = await this.#ready();
      await runNft(pinned(names, pins));
    });
    this.#resolver = new Resolver({
      servers: () => options.resolvers ?? machineResolvers(),
      pins: this.#pins,
      askerAt: (address) => {
        const guest = this.#byAddress.get(address);
        return guest && { guest: guest.names, egress: guest.network.egress, rules: guest.rules };
      },
      answered: this.#answered,
      onDenied: ({ address }, name) => {
        const guest = this.#byAddress.get(address);
        if (guest) this.#denials.tell(guest.id, { protocol: 'dns', name });
      },
    });
  }

  onDenied(listener: (denial: NetworkDenial) => void): void {
    this.#denials.listen(listener);
  }

  /**
   * Gives a sandbox that has no processes yet its place and its rules; undefined when it wants none.
   * The kernel in a gVisor sandbox finds its interfaces when it starts: it gets a namespace for that.
   * @throws SandportFault `network_unavailable`
   */
  async prepare(held: HeldSandbox): Promise<PreparedNetwork | undefined> {
    const { network } = held.spec;
    if (network === undefined) {
      await this.withdraw(held);
      return undefined;
    }
    const { names } = await this.#require();
    const place = held.record.network;
    if (place !== undefined) {
      this.#forgetConnections(place.mark);
      held.updateRecord({ network: { ...place, attached: false } });
    }
    const ready = this.#admit(names, held, network, { keepPinned: false });
    // Whoever waits for it hears of it; a start that fails before does not wait.
    ready.catch(() => undefined);
    const isGvisor = held.record.isolation === 'gvisor';
    const namespace = isGvisor ? await this.#newNamespace(held) : undefined;
    await this.#tellResolver(held, names);
    return { namespace, ready };
  }

  /** Gives the processes of a prepared sandbox their interface. */
  async joinProcesses(held: HeldSandbox): Promise<void> {
    const { process } = held.record;
    if (process === undefined) throw new Error('it has no processes');
    using namespace = namespaceOf(process);
    await this.#join(held, namespace);
  }

  /**
   * Has the network of a sandbox follow its spec, as far as that is possible while it runs.
   * @throws SandportFault `network_unavailable`
   */
  async change(held: HeldSandbox, network: Network | undefined): Promise<void> {
    if (network !== undefined) await this.#require();
    const { live, record } = held;
    if (live === undefined) return;
    const attached = record.network?.attached === true;
    if (network === undefined) {
      if (!attached) return;
      // Its connections are to end at once, for which there has to be somebody who says so.
      const { names } = await this.#require();
      const limited = this.#guestOf(held)?.network.bandwidth_mbps !== undefined;
      await this.#admit(names, held, closed, { keepPinned: false });
      if (limited) await this.#limit(names, held, undefined);
      return;
    }
    // The kernel in a gVisor sandbox looks for interfaces when it starts.
    if (!attached && record.isolation === 'gvisor') return;
    const { names } = await this.#require();
    const old = this.#guestOf(held)?.network.bandwidth_mbps;
    await this.#admit(names, held, network, { keepPinned: false });
    if (!attached) {
      await this.#tellResolver(held, names);
      return this.joinProcesses(held);
    }
    if (old !== network.bandwidth_mbps) await this.#limit(names, held, network.bandwidth_mbps);
  }

  /** Takes the interface and the rules of a sandbox away. Its address may go to another. Idempotent. */
  async withdraw(held: HeldSandbox): Promise<void> {
    const { network } = held.record;
    if (network === undefined) return;
    await this.#forget(network.index, held.id);
    held.noteRecord({ network: undefined });
  }

  /** Takes only the interface of one whose start has failed away. */
  async detach(held: HeldSandbox): Promise<void> {
    const guest = this.#guestOf(held);
    if (guest !== undefined) await removeInterface(guest.names.interface);
  }

  /** As `withdraw`, for a sandbox that is removed, by what its record says. */
  async forget(id: string, index: number): Promise<void> {
    if (this.#base !== undefined) await this.#forget(index, id);
  }

  /** What has gone through the interface of a sandbox since its start; undefined without one. */
  async traffic(held: HeldSandbox): Promise<Traffic | undefined> {
    const guest = held.record.network?.attached === true ? this.#guestOf(held) : undefined;
    return guest && readTraffic(guest.names.interface);
  }

  /** Takes over what an earlier driver left in the kernel, and removes what is nobody's. */
  async recover(sandboxes: Iterable<HeldSandbox>): Promise<void> {
    const known = [...sandboxes].filter(({ record }) => record.network !== undefined);
    const { layout, log, mode } = this.#options;
    if (known.length === 0 || networkProblem(mode) !== undefined) {
      if (isMarked(layout)) await removeFromKernel(layout);
      return;
    }
    try {
      const { names } = await this.#ready();
      for (const held of known)
        await this.#admit(names, held, held.spec.network ?? closed, { keepPinned: true });
      const chains = [...this.#guests.values()].map((guest) => guest.names);
      await removeStrayGuests(names, new Set(chains.map(({ chain }) => chain)));
      const interfaces = new Set(chains.map((each) => each.interface));
      for (const name of strayInterfaces(layout, interfaces)) await removeInterface(name);
    } catch (error) {
      log('error', 'the networks of sandboxes could not be taken over', { error: String(error) });
    }
  }

  /** Lets go of it: sandboxes keep their networks, but names do not resolve. */
  async close(): Promise<void> {
    const base = await this.#base?.catch(() => undefined);
    this.#base = undefined;
    await base?.[Symbol.asyncDispose]();
    if (this.#guests.size === 0 && isMarked(this.#options.layout))
      await removeFromKernel(this.#options.layout);
  }

  /**
   * Enters a sandbox with its policy, in the place that its record names or in a free one.
   * @returns when its rules are in the kernel @throws Error when no place is free
   */
  #admit(
    names: NetworkNames,
    held: HeldSandbox,
    network: Network,
    { keepPinned }: { keepPinned: boolean },
  ): Promise<void> {
    const { record } = held;
    const index = this.#placeFor(held, guestsOf(names.block));
    const guest = guestNames(names, index);
    const rules = (network.allow ?? []).map(parseNetworkRule);
    const before = record.network?.mark;
    const mark = before === undefined ? newMark() : keepPinned ? before : nextMark(before);
    const attached = record.network?.attached ?? false;
    held.updateRecord({ network: { index, mark, attached } });
    const again = keepPinned ? [] : this.#pins.reopened(guest, rules);
    const options = { names, range: this.#range, guest, network, mark, keepPinned };
    const entered = runNft(guestRules(options) + pinned(names, again)).then(() => undefined);
    const entry: Guest = { id: held.id, index, names: guest, network, rules, mark, entered };
    this.#guests.set(index, entry);
    this.#byAddress.set(guest.address, entry);
    return entered;
  }

  /** A new namespace with the interface of an admitted sandbox. */
  async #newNamespace(held: HeldSandbox): Promise<NamespaceEnd> {
    const namespace = newNamespace();
    try {
      await this.#join(held, namespace);
      return namespace;
    } catch (error) {
      namespace[Symbol.dispose]();
      throw error;
    }
  }

  async #join(held: HeldSandbox, namespace: NamespaceEnd): Promise<void> {
    const { names } = await this.#ready();
    const index = this.#indexOf(held);
    const guest = guestNames(names, index);
    await joinNamespace(names, guest, namespace);
    const mbps = held.spec.network?.bandwidth_mbps;
    if (mbps !== undefined) await limitBandwidth(guest, namespace.path, mbps);
    const { network } = held.record;
    if (network !== undefined) held.updateRecord({ network: { ...network, attached: true } });
  }

  /** Limits the interface of a sandbox that runs, or takes its limit away. */
  async #limit(names: NetworkNames, held: HeldSandbox, mbps: number | undefined): Promise<void> {
    const { process } = held.record;
    if (process === undefined) return;
    using namespace = namespaceOf(process);
    await limitBandwidth(guestNames(names, this.#indexOf(held)), namespace.path, mbps);
  }

  /** Tells programs inside whom to ask for names; a guest that has spoilt the file keeps it so. */
  async #tellResolver({ id, root }: HeldSandbox, { gateway }: NetworkNames): Promise<void> {
    const text = Buffer.from(`nameserver ${gateway}\n`);
    await writeRootFile(root.fs, '/etc/resolv.conf', text, 0o644).catch((error: unknown) =>
      this.#options.log('warn', 'the resolv.conf of a sandbox could not be written', {
        sandbox: id,
        error: String(error),
      }),
    );
  }

  async #forget(index: number, id: string): Promise<void> {
    const guest = this.#guests.get(index);
    if (guest === undefined || guest.id !== id) return;
    this.#denials.forget(guest.id);
    this.#pins.forget(guest.names);
    this.#answered.forget(guest.names.address);
    this.#byAddress.delete(guest.names.address);
    const { names } = await this.#ready();
    await guest.entered.catch(() => undefined);
    await Promise.all([
      removeInterface(guest.names.interface),
      // It is not in when its entry has failed.
      runNft(removedGuest(names, guest.names)).catch(() => undefined),
    ]);
    this.#forgetConnections(guest.mark);
    this.#guests.delete(index);
  }

  /** Those of a sandbox without processes, which nobody ends. */
  #forgetConnections(mark: number): void {
    try {
      forgetMarked(mark);
    } catch (error) {
      this.#options.log('debug', 'the kernel keeps the connections of a sandbox for a while', {
        error: String(error),
      });
    }
  }

  #guestOf({ record }: HeldSandbox): Guest | undefined {
    return record.network && this.#guests.get(record.network.index);
  }

  #indexOf({ record }: HeldSandbox): number {
    if (record.network === undefined) throw new Error('it was not given a network');
    return record.network.index;
  }

  #placeFor({ id, record }: HeldSandbox, count: number): number {
    const before = record.network?.index;
    const isFree = (index: number) => (this.#guests.get(index)?.id ?? id) === id;
    if (before !== undefined && before < count && isFree(before)) return before;
    // An address that was given back is not given out again at once.
    for (let step = 0; step < count; step++) {
      const index = (this.#next + step) % count;
      if (this.#guests.has(index)) continue;
      this.#next = index + 1;
      return index;
    }
    throw new Error('no address is free for another sandbox');
  }

  async #require(): Promise<NetworkBase> {
    const problem = networkProblem(this.#options.mode);
    if (problem !== undefined) throw unavailable(problem);
    try {
      return await this.#ready();
    } catch (error) {
      throw unavailable(error instanceof Error ? error.message : String(error), error);
    }
  }

  #ready(): Promise<NetworkBase> {
    const { layout, log } = this.#options;
    const parts = { resolver: this.#resolver, denials: this.#denials };
    this.#base ??= openBase({ layout, range: this.#range, log, ...parts }).catch((error) => {
      this.#base = undefined;
      throw error;
    });
    return this.#base;
  }
}

const unavailable = (reason: string, cause?: unknown): SandportFault =>
  new SandportFault(
    'network_unavailable',
    `This machine gives sandboxes no network: ${reason}.`,
    { reason },
    { cause },
  );
