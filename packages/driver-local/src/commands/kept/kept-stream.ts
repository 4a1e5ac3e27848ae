import { EventEmitter, once } from 'node:events';
import type { KeptChunk, KeptRange, ReadKeptOptions } from '@sandport/driver';
import { ByteQueue } from './byte-queue.ts';
import type { Segments } from './segments.ts';
import type { Spillable, SpillBudget } from './spill-budget.ts';

export interface KeptStreamOptions {
  readonly segments: Segments;
  /** Bytes that are kept. */
  readonly limitBytes: number;
  readonly budget: SpillBudget;
  /** What lies before the offset need not be sent again. */
  readonly onFiled: (offset: number) => void;
  /** Bytes could not be written: the oldest go. */
  readonly onFull: (error: unknown) => void;
}

/** Bytes in memory that wait for no file. */
const memoryBytes = 64 * 1024;
/** A follower that takes nothing for so long holds nobody any more. */
const longestHoldMs = 30_000;

interface Follower {
  offset: number;
  tookAtMs: number;
}

/**
 * One stream of a kept command: the older part in files, the newest bytes in memory. What is in no
 * file yet is not acknowledged to the init, which has it as well.
 */
export class KeptStream implements Spillable {
  readonly #options: KeptStreamOptions;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #followers = new Set<Follower>();
  readonly #tail = new ByteQueue();
  /** Offset of the first byte in memory. */
  #tailFrom: number;
  /** The files end where the memory begins. */
  #isJoined = true;
  #pumping: Promise<void> | undefined;
  #spillsAll = false;
  /** Nobody is waited for. */
  #isUrgent = false;
  #isFinished = false;
  #isClosed = false;

  constructor(options: KeptStreamOptions) {
    this.#options = options;
    this.#tailFrom = options.segments.end ?? 0;
  }

  get range(): KeptRange {
    return { startOffset: this.#start, endOffset: this.#end };
  }

  /** True when nothing is in memory only. */
  get isFiled(): boolean {
    return this.#tail.length === 0;
  }

  /** Bytes that came. Where their offset is larger than the end, those between are gone. */
  push(offset: number, bytes: Buffer): void {
    if (this.#isClosed) return;
    if (offset > this.#end) {
      this.#tail.drop(this.#tail.length);
      this.#tailFrom = offset;
      this.#isJoined = false;
    }
    this.#tail.push(bytes);
    this.#tell('change');
    if (this.#tail.length > memoryBytes) this.#spill();
  }

  /** Nothing more comes: whoever follows gets to the end. */
  finish(): void {
    this.#isFinished = true;
    this.#changes.emit('change');
  }

  /** Writes all that is in memory to a file, as far as the disk takes it. */
  async flush(): Promise<void> {
    this.#isUrgent = true;
    this.spillAll();
    await this.#pumping;
  }

  spillAll(): void {
    this.#spillsAll = true;
    this.#changes.emit('room');
    this.#spill();
  }

  /** Readers end, wherever they are; nothing is written once this resolves. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.finish();
    this.#tail.drop(this.#tail.length);
    this.#tell('room');
    await this.#pumping;
    await this.#options.segments.close();
  }

  async *read({
    since = 0,
    follow = false,
    signal,
  }: ReadKeptOptions = {}): AsyncGenerator<KeptChunk> {
    const follower: Follower = { offset: since, tookAtMs: performance.now() };
    if (follow) this.#followers.add(follower);
    try {
      for (let offset = since; ; ) {
        signal?.throwIfAborted();
        offset = Math.max(offset, this.#start);
        if (offset < this.#end) {
          const bytes = await this.#at(offset);
          if (this.#isClosed) return;
          if (bytes === undefined) continue;
          yield { offset, bytes };
          offset += bytes.length;
          follower.offset = offset;
          follower.tookAtMs = performance.now();
          this.#changes.emit('room');
        } else if (!follow || this.#isFinished) {
          return;
        } else {
          await once(this.#changes, 'change', signal ? { signal } : {});
        }
      }
    } finally {
      this.#followers.delete(follower);
      this.#changes.emit('room');
    }
  }

  get #start(): number {
    return this.#isJoined ? (this.#options.segments.start ?? this.#tailFrom) : this.#tailFrom;
  }

  get #end(): number {
    return this.#tailFrom + this.#tail.length;
  }

  async #at(offset: number): Promise<Buffer | undefined> {
    if (offset < this.#tailFrom) return this.#options.segments.read(offset);
    return this.#tail.at(offset - this.#tailFrom);
  }

  #tell(change: 'change' | 'room'): void {
    this.#options.budget.changed(this, this.#tail.length);
    this.#changes.emit(change);
  }

  #spill(): void {
    this.#pumping ??= this.#pumpWhileDue();
  }

  get #isDue(): boolean {
    return !this.#isClosed && this.#tail.length > (this.#spillsAll ? 0 : memoryBytes);
  }

  async #pumpWhileDue(): Promise<void> {
    let takesMore: boolean;
    do {
      takesMore = await this.#pump();
      if (this.#isFinished) await this.#options.segments.close();
    } while (takesMore && this.#isDue);
    this.#pumping = undefined;
    this.#spillsAll = false;
    this.#isUrgent = false;
  }

  /** Writes what is due. False: the disk takes no more. */
  async #pump(): Promise<boolean> {
    const { segments, onFull, onFiled } = this.#options;
    while (this.#isDue) {
      try {
        if (!(await this.#makeRoom())) continue;
        const from = this.#tailFrom;
        const bytes = await segments.append(from, this.#tail.views());
        // Otherwise it went on elsewhere, and what was written goes.
        if (this.#tailFrom === from) this.#dropTail(bytes);
        onFiled(this.#tailFrom);
      } catch (error) {
        if (this.#isClosed) return false;
        onFull(error);
        // What fits into memory stays there, behind what is in files already.
        if (this.#tail.length <= memoryBytes) return false;
        if (await this.#dropOldest()) continue;
        this.#dropTail(Math.max(0, this.#tail.length - memoryBytes));
        onFiled(this.#tailFrom);
        return false;
      }
    }
    return true;
  }

  async #dropOldest(): Promise<boolean> {
    try {
      return await this.#options.segments.dropOldest();
    } catch {
      // What cannot be removed is not ours any more.
      return true;
    }
  }

  /** False when that has to be looked at again. */
  async #makeRoom(): Promise<boolean> {
    const { segments, limitBytes } = this.#options;
    if (!this.#isJoined) {
      while (await segments.dropOldest());
      this.#isJoined = true;
      return false;
    }
    const { oldestEnd } = segments;
    if (oldestEnd === undefined || this.#tailFrom - oldestEnd < limitBytes) return true;
    // What is left then has at most the size of the init's window.
    if (this.#isUrgent || this.#isFinished) return true;
    const holdMs = this.#holdMs(oldestEnd);
    if (holdMs > 0) await this.#roomOrAfter(holdMs);
    else await segments.dropOldest();
    return false;
  }

  /** How long somebody who has not read up to the offset is waited for. */
  #holdMs(offset: number): number {
    const nowMs = performance.now();
    let longestMs = 0;
    for (const follower of this.#followers)
      if (follower.offset < offset)
        longestMs = Math.max(longestMs, follower.tookAtMs + longestHoldMs - nowMs);
    return longestMs;
  }

  async #roomOrAfter(timeoutMs: number): Promise<void> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs).unref();
    try {
      await once(this.#changes, 'room', { signal: abort.signal });
    } catch {
      // It is late, which the caller sees.
    } finally {
      clearTimeout(timer);
    }
  }

  #dropTail(bytes: number): void {
    this.#tail.drop(bytes);
    this.#tailFrom += bytes;
    this.#tell('room');
  }
}
