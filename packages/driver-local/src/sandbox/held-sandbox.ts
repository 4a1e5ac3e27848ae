import type { SandboxSpec } from '@sandport/driver';
import type { KeptStore } from '../commands/kept/kept-store.ts';
import type { SandboxLayout } from '../layout.ts';
import type { TemplateVersion } from '../templates/version.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import { type SandboxRecord, writeRecord } from './record.ts';
import type { SandboxRoot } from './sandbox-root.ts';

export interface HeldSandboxOptions {
  readonly spec: SandboxSpec;
  readonly layout: SandboxLayout;
  readonly template: TemplateVersion;
  readonly root: SandboxRoot;
  readonly kept: KeptStore;
  /** As it stands on the disk. */
  readonly record: SandboxRecord;
}

/** A sandbox in the driver's hands: always its disk, and its processes while it has some. */
export class HeldSandbox {
  readonly layout: SandboxLayout;
  readonly template: TemplateVersion;
  /** What it was asked to be last. */
  spec: SandboxSpec;
  root: SandboxRoot;
  /** Its kept commands. */
  kept: KeptStore;
  /** Undefined without processes. */
  live: LiveSandbox | undefined;
  /** Resolves when nothing is left of the processes that died last. */
  ending: Promise<void> = Promise.resolve();
  #record: SandboxRecord;

  constructor(options: HeldSandboxOptions) {
    this.layout = options.layout;
    this.template = options.template;
    this.spec = options.spec;
    this.root = options.root;
    this.kept = options.kept;
    this.#record = options.record;
  }

  get id(): SandboxSpec['id'] {
    return this.spec.id;
  }

  get record(): SandboxRecord {
    return this.#record;
  }

  /** Writes the record with these fields changed; undefined takes one away. */
  updateRecord(change: Partial<SandboxRecord>): void {
    const record = { ...this.#record, ...change };
    writeRecord(this.layout.record, record);
    this.#record = record;
  }

  /** The same where the record on the disk serves as well, when no other can be written. */
  noteRecord(change: Partial<SandboxRecord>): void {
    try {
      this.updateRecord(change);
    } catch {
      this.#record = { ...this.#record, ...change };
    }
  }

  /** Lets go of it: nothing inside the sandbox changes. */
  async release(): Promise<void> {
    const { live } = this;
    this.live = undefined;
    await live?.release();
    await this.kept.close();
    this.root.close();
  }
}
