import type { ForkTreeResult } from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Sandbox } from './sandbox.ts';

export interface ForkOptions extends SignalOptions {
  /** With the processes of the parent. @default where the isolation can */
  memory?: boolean | undefined;
  /** Merged over the labels of the parent. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

export interface ForkTreeOptions extends ForkOptions {
  /** Children, up to 16. @default 2 */
  count?: number | undefined;
}

export interface PromoteOptions extends SignalOptions {
  /** Delete the other children of the tree. @default false */
  cleanupSiblings?: boolean | undefined;
  /** @default the tree that the sandbox is of */
  treeId?: string | undefined;
}

export interface SnapshotOptions extends SignalOptions {
  /** Unique within the namespace. */
  name?: string | undefined;
  /** With processes and memory. @default where the isolation can */
  memory?: boolean | undefined;
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** Copies of a sandbox that were made at one moment of it. Can be iterated over like an array. */
export class ForkTree implements Iterable<Sandbox> {
  /** Also in the children's `metadata.fork_tree_id`. */
  readonly treeId: string;
  readonly parentId: string;
  readonly children: readonly Sandbox[];
  /** True: the children have the processes of the parent. */
  readonly memory: boolean;
  /** Milliseconds for which the parent stood still. */
  readonly pauseMs: number;
  /** Children that could not be made, and why. */
  readonly errors: readonly { readonly index: number; readonly error: string }[];

  constructor(result: ForkTreeResult, children: readonly Sandbox[]) {
    this.treeId = result.tree_id;
    this.parentId = result.parent_id;
    this.children = children;
    this.memory = result.memory;
    this.pauseMs = result.pause_ms;
    this.errors = (result.errors ?? []).map(({ index, err }) => ({ index, error: err }));
  }

  [Symbol.iterator](): Iterator<Sandbox> {
    return this.children[Symbol.iterator]();
  }
}
