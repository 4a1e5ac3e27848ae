import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DriverSandbox, ForkReport, SandboxSpec } from '@sandport/driver';
import { Limiter } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import { createFault } from '../sandbox/create.ts';
import type { HeldSandbox } from '../sandbox/held-sandbox.ts';
import { type MadeDisk, makeDisk, mountDisk } from '../sandbox/prepare-disk.ts';
import { removeSandbox } from '../sandbox/remove.ts';
import { startProcesses } from '../sandbox/start-processes.ts';
import { Undo } from '../sandbox/undo.ts';
import type { DiskPlace } from '../storage/storage.ts';
import { whileStill } from './while-still.ts';

export interface ForkSandboxOptions {
  readonly memory: boolean;
  /** Ends the whole fork. */
  readonly signal: AbortSignal;
  /** Ends one child. */
  readonly signalOf: (child: SandboxSpec) => AbortSignal;
}

/** Copies of files that are made at one time; more only get in each other's way. */
const copiesAtOnce = 4;

/**
 * Makes copies of a sandbox. It stands still only while the first child's disk is made; the disks of
 * the others are made from that one, before any child runs.
 * @throws SandportFault `fork_failed`, `disk_full`, `memory_unavailable`: nothing is left of any child
 */
export async function forkSandbox(
  context: DriverContext,
  parent: HeldSandbox,
  specs: readonly SandboxSpec[],
  options: ForkSandboxOptions,
): Promise<ForkReport> {
  const { memory, signal } = options;
  const { staging } = context.layout;
  const imageDir = memory ? join(staging, `memory-${randomBytes(8).toString('hex')}`) : undefined;
  const children = specs.map((spec) => new Child(context, parent, spec, imageDir, options));
  const [first, ...others] = children;
  if (first === undefined) return { children: [], memory, pauseMs: 0 };
  try {
    const { guestIds, idBase } = parent.record;
    const { pauseMs } = await whileStill(context, parent, {
      imageDir,
      take: () => first.makeDisk(parent.layout, guestIds ? 0 : idBase),
    });
    const copies = new Limiter(copiesAtOnce);
    const from = context.layout.sandbox(first.spec.id);
    await Promise.all(
      others.map((child) => copies.run(() => child.attempt(() => child.makeDisk(from, 0)))),
    );
    await Promise.all(children.map((child) => child.attempt(() => child.start())));
    signal.throwIfAborted();
    const outcomes = children.map(({ outcome }) => outcome);
    if (outcomes.every((each) => each instanceof SandportFault)) throw outcomes[0];
    return { children: outcomes, memory, pauseMs };
  } catch (error) {
    await Promise.all(children.map((child) => child.takeBack()));
    throw forkFault(parent, error, signal);
  } finally {
    if (imageDir !== undefined) rmSync(imageDir, { recursive: true, force: true });
  }
}

/** One copy that is being made. */
class Child {
  readonly spec: SandboxSpec;
  readonly #context: DriverContext;
  readonly #parent: HeldSandbox;
  readonly #imageDir: string | undefined;
  readonly #signal: AbortSignal;
  readonly #undo: Undo;
  #disk: MadeDisk | undefined;
  #outcome: DriverSandbox | SandportFault | undefined;

  constructor(
    context: DriverContext,
    parent: HeldSandbox,
    spec: SandboxSpec,
    imageDir: string | undefined,
    { signal, signalOf }: ForkSandboxOptions,
  ) {
    this.spec = spec;
    this.#context = context;
    this.#parent = parent;
    this.#imageDir = imageDir;
    this.#signal = AbortSignal.any([signal, signalOf(spec)]);
    this.#undo = new Undo((error) =>
      context.log('error', 'a step of a failed fork could not be undone', {
        sandbox: spec.id,
        error: String(error),
      }),
    );
  }

  /** The child, or why there is none. */
  get outcome(): DriverSandbox | SandportFault {
    return this.#outcome ?? new SandportFault('internal', 'The child was not made.');
  }

  async makeDisk(from: DiskPlace, idBase: number): Promise<void> {
    const { template, templateVersion, token } = this.#parent.record;
    const { disks } = this.#context;
    this.#disk = await makeDisk(this.#context, this.spec, this.#undo, this.#step, {
      template,
      templateVersion,
      token: this.#imageDir === undefined ? undefined : token,
      clone: (to, size) => disks.clone(from, to, { ...size, idBase, signal: this.#signal }),
    });
  }

  /** Mounts the disk and starts the processes. */
  async start(): Promise<void> {
    if (this.#disk === undefined) throw new Error('its disk is not made');
    const held = await mountDisk(this.#context, this.#disk, this.#undo, this.#step);
    const live = await startProcesses(this.#context, held, {
      signal: this.#signal,
      imageDir: this.#imageDir,
      onStep: this.#step,
    });
    this.#context.held.set(this.spec.id, held);
    this.#outcome = live;
  }

  /** Does a part, unless an earlier one has failed; what fails is undone, and told as the outcome. */
  async attempt(part: () => Promise<void>): Promise<void> {
    if (this.#outcome !== undefined) return;
    try {
      await part();
    } catch (error) {
      await this.#undo.run();
      this.#outcome = asFault(createFault(error, this.#signal));
    }
  }

  /** Removes whatever there is of it, of a child that runs too. */
  async takeBack(): Promise<void> {
    const held = this.#context.held.get(this.spec.id);
    if (held === undefined) return this.#undo.run();
    this.#context.liveness.unwatch(held.id);
    this.#context.held.delete(held.id);
    await held.release();
    await removeSandbox(this.#context, held.id);
  }

  readonly #step = (name: Parameters<NonNullable<DriverContext['onStep']>>[0]): void => {
    this.#signal.throwIfAborted();
    this.#context.onStep?.(name);
  };
}

function asFault(error: unknown): SandportFault {
  if (error instanceof SandportFault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new SandportFault('fork_failed', `The child could not be made: ${reason}.`, { reason });
}

function forkFault({ id }: HeldSandbox, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const kept = ['disk_full', 'memory_unavailable', 'invalid_request', 'fork_failed'];
  if (error instanceof SandportFault && kept.includes(error.code)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (/ENOSPC|EDQUOT|no space left/i.test(reason))
    return new SandportFault('disk_full', 'The disk is full; the sandbox was not forked.');
  return new SandportFault(
    'fork_failed',
    `The sandbox was not forked: ${reason}.`,
    { sandbox: id, reason },
    { cause: error },
  );
}
