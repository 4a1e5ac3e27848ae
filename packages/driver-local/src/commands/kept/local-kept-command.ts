import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type {
  Command,
  KeptChunk,
  KeptCommand,
  KeptEnd,
  KeptRange,
  ReadKeptOptions,
  TerminalSize,
} from '@sandport/driver';
import type {
  InitCommandExit,
  KeptOwner,
  KeptProcess,
  KeptStreamIndex,
} from '@sandport/guest-init';
import { errnoOf } from '@sandport/linux';
import { type KeptRecord, writeKeptRecord } from './kept-record.ts';
import { KeptStream } from './kept-stream.ts';
import { Segments } from './segments.ts';
import type { SpillBudget } from './spill-budget.ts';

export interface LocalKeptCommandOptions {
  readonly key: string;
  /** Trusted path of a directory of its own, which may not be there yet. */
  readonly directory: string;
  readonly record: KeptRecord;
  readonly budget: SpillBudget;
  /** Whether the kernel has killed in the sandbox, for want of memory, since that number. */
  readonly oomKilledSince: (oomKillsBefore: number) => boolean;
  readonly onRemoved: () => void;
  readonly onTrouble: (what: string, error: unknown) => void;
}

const streamNames = ['stdout', 'stderr'] as const;
/** Files of one stream, about. */
const segmentsEach = 8;
const smallestSegmentBytes = 64 * 1024;
/** Until what could not be written is tried again. */
const retryMs = 5_000;
/** From SIGTERM to SIGKILL, and from there until it is forgotten whether it has ended or not. */
const killGraceMs = 2_000;
/** Exit code of a shell whose command was killed by SIGKILL. */
const killedExitCode = 128 + 9;

/** A kept command whose output lies beside the disk of its sandbox. */
export class LocalKeptCommand implements KeptCommand, KeptOwner {
  readonly key: string;
  readonly ended: Promise<void>;
  readonly #options: LocalKeptCommandOptions;
  readonly #streams: readonly [KeptStream, KeptStream];
  readonly #segments: readonly [Segments, Segments];
  #record: KeptRecord;
  #process: KeptProcess | undefined;
  #resolveEnded: () => void = () => {};
  #retryTimer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  readonly #toldTroubles = new Set<string>();
  #killed = false;
  #closed = false;
  #removing: Promise<void> | undefined;

  private constructor(options: LocalKeptCommandOptions, segments: [Segments, Segments]) {
    this.key = options.key;
    this.#options = options;
    this.#record = options.record;
    this.#segments = segments;
    this.#streams = [this.#stream(0), this.#stream(1)];
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    if (this.state !== 'running') this.#resolveEnded();
    if (!this.awaitsInit) this.#finish();
  }

  /** Opens it with what an earlier daemon has left of it. */
  static async open(options: LocalKeptCommandOptions): Promise<LocalKeptCommand> {
    const { directory, record } = options;
    const segmentBytes = Math.max(
      smallestSegmentBytes,
      Math.ceil(record.outputLimitBytes / segmentsEach),
    );
    const [stdout, stderr] = streamNames.map(
      (name) => new Segments({ directory, name, segmentBytes }),
    );
    if (stdout === undefined || stderr === undefined) throw new Error('there are two streams');
    await Promise.all([stdout.load(), stderr.load()]);
    return new LocalKeptCommand(options, [stdout, stderr]);
  }

  /**
   * A new one, with its directory. Its record is being written then, which {@link settled} waits
   * for. Trouble with the disk is for later.
   */
  static async create(options: LocalKeptCommandOptions): Promise<LocalKeptCommand> {
    // The record's writing tells of what this fails with.
    await mkdir(options.directory, { recursive: true, mode: 0o700 }).catch(() => {});
    const command = await LocalKeptCommand.open(options);
    command.#save();
    return command;
  }

  get details(): Readonly<Record<string, unknown>> {
    return this.#record.details;
  }

  get startedAt(): Date {
    return this.#record.startedAt;
  }

  get hasTerminal(): boolean {
    return this.#record.hasTerminal;
  }

  get state(): KeptCommand['state'] {
    if (this.#record.end !== undefined) return 'ended';
    return this.#record.lost === true ? 'lost' : 'running';
  }

  get end(): KeptEnd | undefined {
    return this.#record.end;
  }

  get pid(): number | undefined {
    return this.state === 'running' ? this.#process?.pid : undefined;
  }

  get stdin(): Writable | undefined {
    return this.state === 'running' ? this.#process?.stdin : undefined;
  }

  get received(): readonly [number, number] {
    return [this.#streams[0].range.endOffset, this.#streams[1].range.endOffset];
  }

  /** An init may have more of what it wrote, or how it ended. */
  get awaitsInit(): boolean {
    return this.state === 'running' || !this.#record.isWhole;
  }

  /** Says through whom the init is reached. */
  use(process: KeptProcess): void {
    this.#process = process;
  }

  range(stream: 'stdout' | 'stderr'): KeptRange {
    return this.#streams[streamNames.indexOf(stream) === 0 ? 0 : 1].range;
  }

  read(stream: 'stdout' | 'stderr', options?: ReadKeptOptions): AsyncGenerator<KeptChunk> {
    return this.#streams[streamNames.indexOf(stream) === 0 ? 0 : 1].read(options);
  }

  kill(signal: Parameters<Command['kill']>[0] = 'SIGTERM'): void {
    if (this.state !== 'running') return;
    this.#killed ||= signal === 'SIGKILL';
    this.#process?.kill(signal);
  }

  resize(size: TerminalSize): void {
    if (this.hasTerminal && this.state === 'running') this.#process?.resize(size);
  }

  remove(): Promise<void> {
    this.#removing ??= this.#remove();
    return this.#removing;
  }

  onOutput(stream: KeptStreamIndex, offset: number, bytes: Buffer): void {
    this.#streams[stream].push(offset, bytes);
  }

  onExit(exit: InitCommandExit): void {
    if (this.#record.end === undefined) {
      const byKernel =
        !this.#killed &&
        !exit.timedOut &&
        exit.exitCode === killedExitCode &&
        this.#options.oomKilledSince(this.#record.oomKillsBefore);
      const oomKilled = exit.oomKilled || byKernel;
      this.#record = {
        ...this.#record,
        lost: undefined,
        end: { ...exit, oomKilled, endedAt: new Date() },
      };
    }
    this.#finish();
    this.#save();
  }

  onLost(): void {
    if (!this.awaitsInit) return;
    if (this.state === 'running') this.#record = { ...this.#record, lost: true };
    this.#finish();
    this.#save();
  }

  /** Resolves when what is known of it was written, or when that has failed. */
  settled(): Promise<void> {
    return this.#writing;
  }

  /** Writes what is in memory to its files, as far as the disk takes it. */
  async flush(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.flush()));
  }

  /** Lets all that is kept of it vanish in one step. */
  async discard(): Promise<void> {
    await this.close();
    const { directory } = this.#options;
    const gone = `${directory}.${randomBytes(4).toString('hex')}`;
    await rename(directory, gone).catch(unlessMissing);
    this.#options.onRemoved();
    this.#process?.forget();
    await rm(gone, { recursive: true, force: true });
  }

  /** Lets go of it; it stays as it is, for the next daemon. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#resolveEnded();
    await Promise.all([...this.#streams.map((stream) => stream.close()), this.#writing]);
  }

  #stream(index: KeptStreamIndex): KeptStream {
    const { budget, record } = this.#options;
    return new KeptStream({
      segments: this.#segments[index],
      limitBytes: record.outputLimitBytes,
      budget,
      onFiled: (offset) => this.#process?.acknowledge(index, offset),
      onFull: (error) => this.#tellTrouble('what a command writes cannot be kept in full', error),
    });
  }

  get #isFiled(): boolean {
    return this.#streams.every(({ isFiled }) => isFiled);
  }

  #finish(): void {
    for (const stream of this.#streams) stream.finish();
    this.#resolveEnded();
  }

  /** Writes what is to be known after a restart; the init may forget an end that is written. */
  #save(): void {
    clearTimeout(this.#retryTimer);
    this.#writing = this.#writing.then(async () => {
      if (this.#closed) return;
      const { state } = this;
      try {
        if (state !== 'running') await this.flush();
        this.#record = { ...this.#record, isWhole: state !== 'running' && this.#isFiled };
        await writeKeptRecord(this.#options.directory, this.#record);
      } catch (error) {
        this.#tellTrouble('what is known of a command cannot be written', error);
        this.#saveLater();
        return;
      }
      if (state === 'running') return;
      if (this.#record.isWhole) this.#process?.forget();
      else this.#saveLater();
    });
  }

  /** Once for each kind: a guest can fill its disk as often as it likes. */
  #tellTrouble(what: string, error: unknown): void {
    if (this.#toldTroubles.has(what)) return;
    this.#toldTroubles.add(what);
    this.#options.onTrouble(what, error);
  }

  #saveLater(): void {
    if (!this.#closed) this.#retryTimer = setTimeout(() => this.#save(), retryMs).unref();
  }

  async #remove(): Promise<void> {
    if (this.state === 'running') {
      this.kill('SIGTERM');
      // Where there is no way to the init, that ends it when it comes back.
      const isReached = this.#process?.attached === true;
      if (isReached && !(await this.#endsWithin(killGraceMs))) {
        this.kill('SIGKILL');
        await this.#endsWithin(killGraceMs);
      }
    }
    await this.discard();
  }

  async #endsWithin(timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    try {
      return await Promise.race([this.ended.then(() => true), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function unlessMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}
