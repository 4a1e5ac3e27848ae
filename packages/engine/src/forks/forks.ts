import { randomUUID } from 'node:crypto';
import type { Driver, DriverSandbox, ForkReport } from '@sandport/driver';
import {
  type ForkTreeResult,
  type Promote,
  type PromoteResult,
  SandportFault,
} from '@sandport/protocol';
import type { Events } from '../events.ts';
import type { Principal } from '../principal.ts';
import { copiesMemory } from '../sandboxes/copied-memory.ts';
import { type Entry, newEntry, specOf } from '../sandboxes/entry.ts';
import type { Registry } from '../sandboxes/registry.ts';
import type { States } from '../sandboxes/states.ts';
import { invalidState, toObject } from '../sandboxes/to-object.ts';
import { discardCopies } from '../uploads/discard-copies.ts';
import type { Uploads } from '../uploads/uploads.ts';
import { childRow } from './child-row.ts';
import { promote } from './promote.ts';

export interface ForksOptions {
  readonly driver: Driver;
  readonly registry: Registry;
  readonly states: States;
  readonly events: Events;
  readonly uploads: Pick<Uploads, 'stagedOf'>;
  /** Removes a sandbox. */
  readonly end: (entry: Entry) => Promise<void>;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

export interface ForkRequest {
  /** Children. */
  readonly count: number;
  /** With the processes of the parent. @default where the isolation can */
  readonly memory?: boolean | undefined;
  /** Labels over those of the parent. @default {} */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A child, or why there is none. */
interface Birth {
  readonly entry?: Entry;
  readonly fault?: SandportFault;
}

interface MakeOptions {
  readonly memory: boolean;
  readonly signal: AbortSignal;
  /** On the clock of `performance.now`. */
  readonly startedAt: number;
}

/** Makes running copies of sandboxes. */
export class Forks {
  readonly #options: ForksOptions;

  constructor(options: ForksOptions) {
    this.#options = options;
  }

  /**
   * Copies a sandbox that has a disk, in whatever state. Children that cannot be made are told
   * beside the others.
   * @throws SandportFault `invalid_state`, `memory_unavailable`; when there is no child at all,
   * what the first one failed with: `fork_failed`, `limit_reached`, `disk_full`
   */
  async fork(
    principal: Principal,
    idOrName: string,
    request: ForkRequest,
    options: { signal?: AbortSignal } = {},
  ): Promise<ForkTreeResult> {
    const startedAt = performance.now();
    const parent = this.#options.registry.find(principal, idOrName);
    const signals = [
      parent.abort.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ];
    return parent.turns.take(() =>
      this.#fork(parent, request, startedAt, AbortSignal.any(signals)),
    );
  }

  /**
   * Makes a child the keeper of its fork tree, which it leaves, and deletes the other children when
   * asked. Of two that are promoted at once, one is a sibling that is deleted.
   * @throws SandportFault `invalid_state`, `invalid_request` when it is not a child of the tree
   */
  promote(principal: Principal, idOrName: string, request: Promote): Promise<PromoteResult> {
    return promote(this.#options, principal, idOrName, request);
  }

  async #fork(
    parent: Entry,
    { count, memory: wanted, metadata = {} }: ForkRequest,
    startedAt: number,
    signal: AbortSignal,
  ): Promise<ForkTreeResult> {
    const { row } = parent;
    if (parent.sandbox === undefined || row.status === 'deleted')
      throw invalidState(row, 'it cannot be forked');
    const memory = copiesMemory(row, wanted, this.#options.driver);
    const tree = randomUUID();
    const births = Array.from({ length: count }, () => this.#conceive(parent, { tree, metadata }));
    const children = births.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
    const made = this.#make(parent, children, { memory, signal, startedAt });
    // Whoever deletes a child meanwhile waits for it.
    for (const child of children) void child.turns.take(() => made.then(ended, ended));
    const { report, faults } = await made;
    const born = children.filter((child) => !faults.has(child));
    const stillborn = births.flatMap(({ entry, fault }, index) => {
      const why = entry === undefined ? fault : faults.get(entry);
      return why === undefined ? [] : [{ index, fault: why }];
    });
    if (born.length === 0) throw stillborn[0]?.fault ?? noChild(parent);
    const errors = stillborn.map(({ index, fault }) => ({
      index,
      err: fault.message,
      code: fault.code,
    }));
    const ids = born.map((child) => child.row.id);
    this.#options.events.emit(row, 'forked', {
      tree_id: tree,
      children: ids,
      memory: report.memory,
      pause_ms: report.pauseMs,
    });
    return {
      parent_id: row.id,
      memory: report.memory,
      pause_ms: report.pauseMs,
      at: new Date().toISOString(),
      ...(errors.length === 0 ? {} : { errors }),
      tree_id: tree,
      snapshot_id: tree,
      children: born.map((child) => toObject(child.row)),
    };
  }

  /** Takes room for a child. */
  #conceive(parent: Entry, litter: Parameters<typeof childRow>[1]): Birth {
    const entry = newEntry(childRow(parent.row, litter));
    try {
      this.#options.registry.insert(entry);
      return { entry };
    } catch (error) {
      if (error instanceof SandportFault) return { fault: error };
      throw error;
    }
  }

  /** Of a child that fails nothing is left. */
  async #make(
    parent: Entry,
    children: readonly Entry[],
    { memory, signal, startedAt }: MakeOptions,
  ): Promise<{ report: Omit<ForkReport, 'children'>; faults: Map<Entry, SandportFault> }> {
    const { driver, registry } = this.#options;
    const faults = new Map<Entry, SandportFault>();
    if (children.length === 0) return { report: { memory, pauseMs: 0 }, faults };
    const staged = this.#options.uploads.stagedOf(parent.row.id);
    const specs = children.map((child) => specOf(child.row));
    let report: ForkReport;
    try {
      if (signal.aborted) throw givenUp(parent);
      report = await driver.fork(parent.row.id, specs, { memory, signal });
    } catch (error) {
      for (const child of children) registry.forget(child.row.id);
      throw signal.aborted ? givenUp(parent) : error;
    }
    const bootMs = Math.round((performance.now() - startedAt) * 10) / 10;
    const births = children.map(async (child, index) => {
      const born = report.children[index] ?? noChild(parent);
      if (born instanceof SandportFault) throw born;
      await discardCopies(born, staged, this.#options.log);
      if (signal.aborted || child.abort.signal.aborted) {
        await driver.remove(child.row.id);
        throw givenUp(parent);
      }
      this.#begin(child, born, { bootMs, memory: report.memory });
    });
    for (const [index, birth] of (await Promise.allSettled(births)).entries()) {
      const child = children[index];
      if (child === undefined || birth.status === 'fulfilled') continue;
      registry.forget(child.row.id);
      faults.set(child, this.#faultOf(parent, birth.reason));
    }
    return { report, faults };
  }

  /** Errors that no client may see go to the log. */
  #faultOf(parent: Entry, error: unknown): SandportFault {
    if (error instanceof SandportFault) return error;
    this.#options.log('child not begun', { sandbox: parent.row.id, error: String(error) });
    return forkFailed(parent, 'the daemon met a condition that it did not expect');
  }

  #begin(
    child: Entry,
    sandbox: DriverSandbox,
    { bootMs, memory }: { bootMs: number; memory: boolean },
  ): void {
    const bootMode = memory ? 'memory' : 'disk';
    this.#options.states.started(child, sandbox, { bootMs, bootMode });
    this.#options.events.emit(child.row, 'created', {
      boot_ms: bootMs,
      boot_mode: bootMode,
      parent_id: child.row.parent,
    });
  }
}

const ended = (): void => undefined;

const forkFailed = ({ row }: Entry, reason: string): SandportFault =>
  new SandportFault('fork_failed', `The sandbox ${row.name ?? row.id} was not forked: ${reason}.`, {
    sandbox: row.id,
    reason,
  });

const noChild = (parent: Entry): SandportFault => forkFailed(parent, 'the child is missing');

const givenUp = (parent: Entry): SandportFault =>
  forkFailed(parent, 'the parent or the child was deleted, or the client went away');
