import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CommandExit,
  DriverSandbox,
  KeepSpec,
  KeptChunk,
  KeptCommand,
  KeptEnd,
  ReadKeptOptions,
  StoppedSandbox,
} from '@sandport/driver';
import { type SandboxId, SandportFault } from '@sandport/protocol';
import { CommandsDriver } from './commands-driver.ts';

type Stream = 'stdout' | 'stderr';

/** A kept command in the hands of the test; it keeps all bytes but those that {@link drop} takes away. */
export class FakeKept implements KeptCommand {
  readonly key: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly pid = 7;
  readonly startedAt = new Date();
  readonly hasTerminal: boolean;
  readonly stdin: PassThrough | undefined;
  readonly ended: Promise<void>;
  readonly told: string[] = [];
  state: KeptCommand['state'] = 'running';
  end: KeptEnd | undefined;
  readonly #kept = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  readonly #start = { stdout: 0, stderr: 0 };
  readonly #onRemove: (command: FakeKept) => void;
  #interrupted = false;
  #closed = false;
  #resolveEnded: () => void = () => {};

  constructor(spec: KeepSpec, onRemove: (command: FakeKept) => void) {
    this.key = spec.key;
    this.details = spec.details ?? {};
    this.hasTerminal = spec.terminal !== undefined;
    this.stdin = spec.stdin ? new PassThrough() : undefined;
    this.#onRemove = onRemove;
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  write(stream: Stream, text: string): void {
    this.#kept[stream] = Buffer.concat([this.#kept[stream], Buffer.from(text)]);
  }

  /** Takes the oldest bytes away. */
  drop(stream: Stream, bytes: number): void {
    this.#kept[stream] = this.#kept[stream].subarray(bytes);
    this.#start[stream] += bytes;
  }

  finish(exit: Partial<CommandExit> & { endedAt?: Date } = {}): void {
    this.end = { exitCode: 0, timedOut: false, oomKilled: false, endedAt: new Date(), ...exit };
    this.state = 'ended';
    this.#resolveEnded();
  }

  lose(): void {
    this.state = 'lost';
    this.#resolveEnded();
  }

  /** Cuts readers off, as a hibernation does. */
  interrupt(isInterrupted = true): void {
    this.#interrupted = isInterrupted;
  }

  /** Lets go of it, as when its sandbox is removed: it tells nothing more. */
  close(): void {
    this.#closed = true;
    this.#resolveEnded();
  }

  range(stream: Stream) {
    const startOffset = this.#start[stream];
    return { startOffset, endOffset: startOffset + this.#kept[stream].length };
  }

  async *read(stream: Stream, options: ReadKeptOptions = {}): AsyncGenerator<KeptChunk> {
    let at = options.since ?? 0;
    for (;;) {
      const { startOffset, endOffset } = this.range(stream);
      at = Math.max(at, startOffset);
      if (this.#closed) return;
      if (at < endOffset) {
        const bytes = this.#kept[stream].subarray(at - startOffset, at - startOffset + 4);
        yield { offset: at, bytes };
        at += bytes.length;
      } else if (options.follow !== true || this.state !== 'running') return;
      else {
        if (this.#interrupted) throw new SandportFault('invalid_state', 'It sleeps.');
        await sleep(1, undefined, { signal: options.signal });
      }
    }
  }

  kill(signal = 'SIGTERM'): void {
    this.told.push(signal);
  }

  resize({ columns, rows }: { columns: number; rows: number }): void {
    this.told.push(`${columns}x${rows}`);
  }

  remove(): Promise<void> {
    if (this.state === 'running') this.finish({ exitCode: 143, signal: 'SIGTERM' });
    this.#onRemove(this);
    return Promise.resolve();
  }
}

/** A driver whose kept commands are in the hands of the test; they stay over a hibernation. */
export class KeptDriver extends CommandsDriver {
  keptCommands: FakeKept[] = [];

  override disk(id: SandboxId, reason: string): StoppedSandbox {
    return { ...super.disk(id, reason), commands: { kept: () => this.keptCommands } };
  }

  override processes(id: SandboxId, paused = false): DriverSandbox {
    const sandbox = super.processes(id, paused);
    const keep = (spec: KeepSpec): Promise<KeptCommand> => {
      if (spec.args[0] === 'missing')
        return Promise.reject(new SandportFault('command_not_started', 'Missing.'));
      const command = new FakeKept(spec, (removed) => {
        this.keptCommands = this.keptCommands.filter((each) => each !== removed);
      });
      this.keptCommands.push(command);
      return Promise.resolve(command);
    };
    const commands = { ...sandbox.commands, keep, kept: () => this.keptCommands };
    return { ...sandbox, commands };
  }
}
