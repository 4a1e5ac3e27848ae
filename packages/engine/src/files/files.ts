import type { SandboxFiles } from '@sandport/driver';
import type { Principal } from '../principal.ts';
import type { Entry } from '../sandboxes/entry.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import type { WakeOptions } from '../sandboxes/states.ts';
import { invalidState } from '../sandboxes/to-object.ts';
import { MemoryBudget } from './memory-budget.ts';
import { StagingSpace } from './staging-space.ts';

/**
 * Finds the files of a sandbox for a key. They are there while the sandbox does not run, too. What
 * only looks asks for {@link reading}, what changes something for {@link writing}.
 */
export class Files {
  /** Of all requests together, for contents that cannot be streamed. */
  readonly memory = new MemoryBudget();
  /** Of all requests together, for files that wait to appear with others. */
  readonly staging = new StagingSpace();
  readonly #sandboxes: Sandboxes;

  constructor(sandboxes: Sandboxes) {
    this.#sandboxes = sandboxes;
  }

  /** @throws SandportFault `sandbox_not_found`, `invalid_state` */
  async reading(principal: Principal, idOrName: string): Promise<SandboxFiles> {
    return filesOf(this.#sandboxes.find(principal, idOrName));
  }

  /** Wakes a hibernated sandbox. @throws SandportFault `sandbox_not_found`, `invalid_state` */
  async writing(
    principal: Principal,
    idOrName: string,
    options: WakeOptions = {},
  ): Promise<SandboxFiles> {
    const entry = this.#sandboxes.find(principal, idOrName);
    await this.#sandboxes.states.writable(entry, options);
    entry.activity.touch();
    return filesOf(entry);
  }

  /**
   * Bytes of the sandbox begin to move: it is not idle until the result is disposed of.
   * @param moved counts the bytes; while it stands still, the sandbox is idle
   * @throws SandportFault `sandbox_not_found`
   */
  using(principal: Principal, idOrName: string, moved?: () => number): Disposable {
    return this.#sandboxes.find(principal, idOrName).activity.begin(moved);
  }
}

function filesOf({ row, sandbox }: Entry): SandboxFiles {
  if (sandbox === undefined || row.status === 'deleted')
    throw invalidState(row, 'its files are not there');
  return sandbox.files;
}
