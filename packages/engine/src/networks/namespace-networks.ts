import {
  beyondBound,
  type Namespace,
  type NamespaceNetwork,
  type Network,
  type NetworkBound,
  SandportFault,
  type SetNamespaceNetwork,
  withinBound,
} from '@sandport/protocol';
import type { NamespaceNetworkTable } from '@sandport/state';
import { type Principal, requireAdministrator, requireMayUse } from '../principal.ts';
import { type Entry, specOf } from '../sandboxes/entry.ts';

export interface NamespaceNetworksOptions {
  readonly table: NamespaceNetworkTable;
  /** All sandboxes. */
  readonly entries: () => readonly Entry[];
  /** Gives a sandbox another network. */
  readonly change: (entry: Entry, network: Network) => Promise<void>;
}

/** Sandboxes that lose what is beyond a bound at one time. */
const atOnce = 8;

const anything: NetworkBound = { egress: 'all' };

/**
 * What networks the sandboxes of namespaces have by default, and at most. The bound is for whoever
 * asks, and takes effect at once.
 */
export class NamespaceNetworks {
  readonly #options: NamespaceNetworksOptions;
  readonly #settings = new Map<Namespace, SetNamespaceNetwork>();

  constructor(options: NamespaceNetworksOptions) {
    this.#options = options;
    for (const { namespace, settings } of options.table.all())
      this.#settings.set(namespace, settings);
  }

  /** @throws SandportFault `forbidden` */
  get(principal: Principal, namespace: Namespace): NamespaceNetwork {
    requireMayUse(principal, namespace);
    const settings = this.#settings.get(namespace);
    return { ...settings, namespace, max_egress: settings?.max_egress ?? anything.egress };
  }

  /**
   * Sandboxes that have more than the new bound lose what is beyond it, before this resolves.
   * @throws SandportFault `forbidden`; `network_unavailable` when some have kept it
   */
  async set(
    principal: Principal,
    namespace: Namespace,
    settings: SetNamespaceNetwork,
  ): Promise<NamespaceNetwork> {
    requireAdministrator(principal);
    const { table } = this.#options;
    if (Object.values(settings).every((value) => value === undefined)) {
      table.delete(namespace);
      this.#settings.delete(namespace);
    } else {
      table.set({ namespace, settings });
      this.#settings.set(namespace, settings);
    }
    await this.#takeWhatIsBeyond(namespace);
    return this.get(principal, namespace);
  }

  /** Of sandboxes for which nobody names a network. */
  defaultOf(namespace: Namespace): Network | undefined {
    return this.#settings.get(namespace)?.default;
  }

  /**
   * To be called right before a sandbox gets a network, and before it comes to its namespace.
   * @param whence who has asked for it, as `the template "x"` @default the request
   * @throws SandportFault `network_beyond_bound`
   */
  admit(namespace: Namespace, network: Network | undefined, whence?: string): void {
    const bound = this.#boundOf(namespace);
    const beyond = network && beyondBound(network, bound);
    if (beyond === undefined) return;
    const asked = whence === undefined ? `${beyond} was asked for` : `${whence} has ${beyond}`;
    throw new SandportFault(
      'network_beyond_bound',
      `Sandboxes of the namespace "${namespace}" may have ${wordsOf(bound)}, and ${asked}; ask for less with "network", as {"egress": "none"}.`,
      { field: 'network', namespace, limit: bound.egress },
    );
  }

  /** Goes on where a daemon was ended while it took from sandboxes what is beyond a bound. */
  async recover(): Promise<void> {
    for (const namespace of this.#settings.keys()) await this.#takeWhatIsBeyond(namespace);
  }

  #boundOf(namespace: Namespace): NetworkBound {
    const settings = this.#settings.get(namespace);
    return { egress: settings?.max_egress ?? anything.egress, allow: settings?.max_allow };
  }

  async #takeWhatIsBeyond(namespace: Namespace): Promise<void> {
    const failed = new Map<Entry, unknown>();
    for (;;) {
      const next = this.#beyond(namespace)
        .filter((entry) => !failed.has(entry))
        .slice(0, atOnce);
      if (next.length === 0) break;
      const changes = next.map((entry) =>
        this.#narrow(entry).catch((error: unknown) => failed.set(entry, error)),
      );
      await Promise.all(changes);
    }
    const left = this.#beyond(namespace).filter((entry) => failed.has(entry));
    const [first] = left;
    if (first === undefined) return;
    const reason = failed.get(first);
    throw new SandportFault(
      'network_unavailable',
      `The bound of the namespace "${namespace}" is set, but these sandboxes could not be given less: ${left.map(({ row }) => row.id).join(', ')}; set it again, or delete them.`,
      { namespace, reason: reason instanceof SandportFault ? reason.message : 'see the log' },
      { cause: reason },
    );
  }

  /** The bound may have become another one meanwhile. */
  async #narrow(entry: Entry): Promise<void> {
    const { network } = specOf(entry.row);
    if (network === undefined) return;
    await this.#options.change(entry, withinBound(network, this.#boundOf(entry.row.namespace)));
  }

  #beyond(namespace: Namespace): Entry[] {
    const bound = this.#boundOf(namespace);
    return this.#options.entries().filter(({ row }) => {
      const { network } = specOf(row);
      if (network === undefined || row.namespace !== namespace || row.pooled) return false;
      return row.status !== 'deleted' && beyondBound(network, bound) !== undefined;
    });
  }
}

/** Rules of a bound that an error names. */
const mostNamed = 5;

function wordsOf({ egress, allow }: NetworkBound): string {
  if (allow === undefined) return `egress "${egress}" at most`;
  const others = allow.length > mostNamed ? ` and ${allow.length - mostNamed} more` : '';
  return `only ${allow.slice(0, mostNamed).join(', ')}${others}`;
}
