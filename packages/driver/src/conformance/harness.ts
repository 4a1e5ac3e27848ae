import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import {
  type FileEntry,
  type GuestPath,
  namespaceSchema,
  parseGuestPath,
  sandboxIdSchema,
  SandportFault,
  type SnapshotId,
  templateNameSchema,
} from '@sandport/protocol';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Command, CommandExit, CommandSpec } from '../commands.ts';
import type { Driver, DriverSandbox, SandboxSpec } from '../driver.ts';
import type { SandboxFiles, WriteFileOptions } from '../files/index.ts';
import type { ConformanceSubject } from './subject.ts';

export const mebibyte = 1024 * 1024;

export interface Finished extends CommandExit {
  readonly stdout: string;
  readonly stderr: string;
}

/** A driver that is open during a suite, and the sandboxes made with it. */
export class Harness {
  readonly #subject: ConformanceSubject;
  readonly #made = new Set<SandboxSpec['id']>();
  #driver: Driver | undefined;

  constructor(subject: ConformanceSubject) {
    this.#subject = subject;
  }

  get driver(): Driver {
    if (!this.#driver) throw new Error('the driver is not open');
    return this.#driver;
  }

  async open(known: readonly SandboxSpec[] = [], snapshots: readonly SnapshotId[] = []) {
    this.#driver = await this.#subject.open();
    return this.#driver.adopt({ sandboxes: known, snapshots });
  }

  /** Closes the driver; sandboxes stay. */
  async close(): Promise<void> {
    await this.#driver?.[Symbol.asyncDispose]();
    this.#driver = undefined;
  }

  spec(change: Partial<SandboxSpec> = {}): SandboxSpec {
    return {
      id: sandboxIdSchema.parse(randomUUID()),
      template: templateNameSchema.parse('base'),
      isolation: this.#subject.isolation,
      namespace: namespaceSchema.parse('conformance'),
      hostname: 'box',
      limits: { cpu: 2, memoryBytes: 256 * mebibyte, pids: 64 },
      volumes: [],
      user: 'user',
      workdir: '/home/user',
      env: {},
      ...change,
    };
  }

  async create(change: Partial<SandboxSpec> = {}): Promise<DriverSandbox> {
    const spec = this.spec(change);
    this.#made.add(spec.id);
    return this.driver.create(spec);
  }

  /** Has the sandbox removed with the others. */
  track({ id }: SandboxSpec): void {
    this.#made.add(id);
  }

  async removeAll(): Promise<void> {
    await Promise.all([...this.#made].map((id) => this.driver.remove(id)));
    this.#made.clear();
  }
}

/** Opens a driver before the tests of the suite and closes it, without sandboxes, after them. */
export function useHarness(subject: ConformanceSubject): Harness {
  const harness = new Harness(subject);
  beforeAll(async () => {
    await harness.open();
  });
  afterAll(async () => {
    await harness.removeAll();
    await harness.close();
  });
  return harness;
}

/** Runs a shell command line, or a program, to its end. */
export async function run(
  { commands }: DriverSandbox,
  command: string | readonly string[],
  options: Omit<CommandSpec, 'args'> = {},
): Promise<Finished> {
  const args = typeof command === 'string' ? ['sh', '-c', command] : command;
  const running = await commands.start({ args, ...options });
  const [stdout, stderr, exit] = await Promise.all([
    buffer(running.stdout),
    buffer(running.stderr),
    running.exit,
  ]);
  return { ...exit, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** Whether a process of this machine runs; false when it has ended and nobody has collected it. */
export function runsOnHost(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** A command that adds a line to /tmp/count again and again; the file is there. */
export async function startCounter({ commands }: DriverSandbox): Promise<Command> {
  const script =
    'i=1; echo 1 > /tmp/count; echo begun; ' +
    'while sleep 0.02; do i=$((i+1)); echo $i >> /tmp/count; done';
  const command = await commands.start({ args: ['sh', '-c', script] });
  await once(command.stdout, 'data');
  command.stdout.resume();
  command.stderr.resume();
  command.exit.catch(() => {});
  return command;
}

/** Runs a Python program to its end, as root unless told otherwise. */
export const python = (sandbox: DriverSandbox, program: string, user = 'root') =>
  run(sandbox, ['python3', '-c', program], { user });

export async function writeFile(
  files: SandboxFiles,
  path: string,
  content: string | Uint8Array,
  options?: WriteFileOptions,
) {
  await using writer = await files.write(parseGuestPath(path), options);
  writer.stream.end(content);
  await finished(writer.stream);
  return writer.commit();
}

export async function readFile(files: SandboxFiles, path: string): Promise<string> {
  await using file = await files.open(parseGuestPath(path));
  return (await buffer(file.stream())).toString();
}

/** Asserts that something fails with a fault of the code, and gives the fault. */
export async function expectFault(
  action: Promise<unknown> | (() => Promise<unknown>),
  code: string,
): Promise<SandportFault> {
  const outcome = await (typeof action === 'function' ? action() : action).then(
    () => 'no error',
    (error: unknown) => error,
  );
  if (!(outcome instanceof SandportFault)) {
    expect.fail(`expected the fault ${code}, got ${String(outcome)}`);
  }
  expect(outcome.code, outcome.message).toBe(code);
  return outcome;
}

/** Fails when it takes longer; what a test says is bounded must not hang the suite. */
export async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Entries of a directory. */
export async function listed(files: SandboxFiles, path: GuestPath): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  for await (const { entry } of files.walk(path, { depth: 1 })) entries.push(entry);
  return entries;
}
