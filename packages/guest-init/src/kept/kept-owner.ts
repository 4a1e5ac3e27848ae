import type { InitCommandExit } from '../command-end.ts';

/** 0: stdout, 1: stderr. */
export type KeptStreamIndex = 0 | 1;

/** Who keeps what a command writes. */
export interface KeptOwner {
  /** 32 hexadecimal digits. */
  readonly key: string;
  /** How much of the streams it has: what is sent begins there. */
  readonly received: readonly [number, number];
  /** What comes next of a stream. The offset is larger than expected when bytes are gone. */
  onOutput(stream: KeptStreamIndex, offset: number, bytes: Buffer): void;
  /** All that it wrote came before. Comes again on later connections, until it is forgotten. */
  onExit(exit: InitCommandExit): void;
  /** An init without it has connected. */
  onLost(): void;
  /** The process id is known, and so is whether it has a stdin. */
  onAttached?(): void;
}
