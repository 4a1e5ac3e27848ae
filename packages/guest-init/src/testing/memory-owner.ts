import type { InitCommandExit } from '../command-end.ts';
import type { KeptOwner, KeptStreamIndex } from '../kept/kept-owner.ts';
import type { KeptProcess } from '../kept/kept-process.ts';

/** For tests: keeps what a command writes in memory. */
export class MemoryOwner implements KeptOwner {
  readonly key: string;
  readonly pieces: [Buffer[], Buffer[]] = [[], []];
  readonly received: [number, number] = [0, 0];
  exit: InitCommandExit | undefined;
  lost = false;
  /** Acknowledges what comes, at once. */
  acknowledges = true;
  process: KeptProcess | undefined;

  constructor(key: string) {
    this.key = key;
  }

  text(stream: KeptStreamIndex = 0): string {
    return Buffer.concat(this.pieces[stream]).toString('latin1');
  }

  onOutput(stream: KeptStreamIndex, offset: number, bytes: Buffer): void {
    if (offset !== this.received[stream]) throw new Error(`a gap before ${offset}`);
    this.pieces[stream].push(Buffer.from(bytes));
    this.received[stream] = offset + bytes.length;
    if (this.acknowledges) this.process?.acknowledge(stream, this.received[stream]);
  }

  onExit(exit: InitCommandExit): void {
    this.exit = exit;
  }

  onLost(): void {
    this.lost = true;
  }
}
