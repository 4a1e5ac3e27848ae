import type { Principal } from '@sandport/engine';
import type { Namespace, SandboxId } from '@sandport/protocol';

/** A sandbox as the data plane needs to know it. */
export interface LocatedSandbox {
  readonly namespace: Namespace;
  /** Name of the Sandbox object, of its pod, and of the engine's sandbox. */
  readonly name: string;
  /** By which the engine knows it. */
  readonly sandboxId: SandboxId;
  /** Of the Sandbox object; of a sandbox of the native API its id. */
  readonly uid: string;
  /** User that its commands run as. */
  readonly user: string;
  /** Home directory of that user: where relative paths begin. */
  readonly home: string;
}

/** Finds sandboxes by the names and addresses that clients know. */
export interface SandboxDirectory {
  /**
   * A Sandbox object's sandbox, or one of the native API by its name. Undefined also where the
   * principal may not look.
   */
  find(principal: Principal, namespace: string, name: string): LocatedSandbox | undefined;
  /** By an address of the pod network. */
  byAddress(address: string): LocatedSandbox | undefined;
}
