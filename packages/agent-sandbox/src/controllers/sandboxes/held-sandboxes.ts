import type { Engine, Principal } from '@sandport/engine';
import type { Namespace, SandboxObject } from '@sandport/protocol';
import type { LocatedSandbox, SandboxDirectory } from '../../sandboxes/sandbox-directory.ts';
import { objectKey } from '../work/object-key.ts';

/** A sandbox of the engine that belongs to a Sandbox object. */
export interface HeldSandbox {
  readonly key: string;
  /** Of the object. */
  readonly uid: string;
  readonly located: LocatedSandbox;
  /** Its address in the pod network, once it has one. */
  address: string | undefined;
  /** It was put to sleep because the object says so. */
  asleep: boolean;
  /** Of its pod object; undefined while there is none. */
  podUid: string | undefined;
  /** Somebody deleted the pod: it is to be made anew. */
  restart: boolean;
}

/** Labels of the engine's sandboxes that say which object they belong to. */
export const ownerLabels = {
  name: 'agents.x-k8s.io/sandbox-name',
  uid: 'agents.x-k8s.io/sandbox-uid',
} as const;

/** The sandboxes of the objects, by what clients know of them. */
export class HeldSandboxes implements SandboxDirectory {
  readonly #engine: Pick<Engine, 'sandboxes'>;
  readonly #held = new Map<string, HeldSandbox>();
  readonly #byId = new Map<string, HeldSandbox>();
  readonly #byAddress = new Map<string, HeldSandbox>();

  constructor(engine: Pick<Engine, 'sandboxes'>) {
    this.#engine = engine;
  }

  get(key: string): HeldSandbox | undefined {
    return this.#held.get(key);
  }

  byId(sandboxId: string): HeldSandbox | undefined {
    return this.#byId.get(sandboxId);
  }

  all(): HeldSandbox[] {
    return [...this.#held.values()];
  }

  /** Takes hold of a sandbox for the object with this uid. */
  hold(sandbox: SandboxObject, name: string, uid: string): HeldSandbox {
    const key = objectKey(sandbox.namespace, name);
    const held: HeldSandbox = {
      key,
      uid,
      located: locate(sandbox, name, uid),
      address: undefined,
      asleep: false,
      podUid: undefined,
      restart: false,
    };
    this.#held.set(key, held);
    this.#byId.set(sandbox.id, held);
    return held;
  }

  setAddress(held: HeldSandbox, address: string | undefined): void {
    if (held.address !== undefined) this.#byAddress.delete(held.address);
    held.address = address;
    if (address !== undefined) this.#byAddress.set(address, held);
  }

  letGo(held: HeldSandbox): void {
    this.setAddress(held, undefined);
    if (this.#held.get(held.key) === held) this.#held.delete(held.key);
    this.#byId.delete(held.located.sandboxId);
  }

  find(principal: Principal, namespace: string, name: string): LocatedSandbox | undefined {
    // Text that is no namespace of anybody is in no set of namespaces.
    const asked = namespace as Namespace;
    if (principal.namespaces?.has(asked) === false) return undefined;
    const held = this.#held.get(objectKey(namespace, name));
    if (held !== undefined) return this.#isUsable(held) ? held.located : undefined;
    return this.#findNative(asked, name);
  }

  byAddress(address: string): LocatedSandbox | undefined {
    const held = this.#byAddress.get(address);
    return held !== undefined && this.#isUsable(held) ? held.located : undefined;
  }

  #isUsable({ asleep, restart, located }: HeldSandbox): boolean {
    const status = this.#engine.sandboxes.registry.byId(located.sandboxId)?.row.status;
    const usable = status === 'running' || status === 'paused' || status === 'hibernated';
    return usable && !asleep && !restart;
  }

  /** Of the native API: by its name in that namespace alone. */
  #findNative(namespace: Namespace, name: string): LocatedSandbox | undefined {
    const principal: Principal = { keyId: 'agent-sandbox', namespaces: new Set([namespace]) };
    const entry = this.#engine.sandboxes.registry
      .visible(principal)
      .find(({ row }) => row.name === name);
    if (entry === undefined) return undefined;
    const sandbox = this.#engine.sandboxes.get(principal, entry.row.id);
    // One that belongs to an object which has gone is about to go too.
    if (sandbox.metadata[ownerLabels.uid] !== undefined) return undefined;
    return locate(sandbox, name, sandbox.id);
  }
}

const locate = (
  { namespace, id, user, workdir }: SandboxObject,
  name: string,
  uid: string,
): LocatedSandbox => ({ namespace, name, sandboxId: id, uid, user, home: homeOf(user, workdir) });

/** Users with a number for a name have the working directory of the sandbox for a home. */
function homeOf(user: string, workdir: string): string {
  if (user === 'root' || user === '0') return '/root';
  return /^\d+$/.test(user) ? workdir : `/home/${user}`;
}
