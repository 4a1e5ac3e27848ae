import type { LocatedSandbox } from '../sandboxes/sandbox-directory.ts';

/** Addresses of sandboxes on this machine, with what listens there. */
export interface PodNetwork {
  /** Where the router listens on port 80; undefined without a pod network. */
  readonly gatewayAddress: string | undefined;
  /**
   * Gives the sandbox an address; resolves when its ports are open. Undefined: there is no pod
   * network, or no address left. One that is attached keeps its address.
   * @param preferred the address that it had before, if that is free
   */
  attach(target: LocatedSandbox, preferred?: string): Promise<string | undefined>;
  /** Closes its ports and connections and frees the address. No error for one that has none. */
  detach(target: Pick<LocatedSandbox, 'sandboxId'>): void;
}

/** For daemons without addresses of sandboxes. */
export const noPodNetwork: PodNetwork = {
  gatewayAddress: undefined,
  attach: () => Promise.resolve(undefined),
  detach: () => undefined,
};
