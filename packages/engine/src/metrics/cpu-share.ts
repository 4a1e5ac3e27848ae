import type { SandboxUsage } from '@sandport/driver';

interface Reading {
  readonly atMs: number;
  readonly pid: number | undefined;
  readonly cpuSeconds: number;
}

/** A share of a shorter time says little, in milliseconds. */
const shortestMs = 500;

/** How much of one core a sandbox uses between two looks at it. */
export class CpuShare {
  #last: Reading | undefined;
  #percent = 0;

  /** @param atMs on the clock of `performance.now` @returns percent; of two quick looks the same */
  percent({ pid, cpuSeconds, uptimeSeconds }: SandboxUsage, atMs: number): number {
    const last = this.#last;
    if (pid === undefined) {
      this.#last = undefined;
      return 0;
    }
    const isSame = last !== undefined && last.pid === pid && last.cpuSeconds <= cpuSeconds;
    if (isSame && atMs - last.atMs < shortestMs) return this.#percent;
    const usedSeconds = isSame ? cpuSeconds - last.cpuSeconds : cpuSeconds;
    const seconds = isSame ? (atMs - last.atMs) / 1000 : Math.max(uptimeSeconds, shortestMs / 1000);
    this.#last = { atMs, pid, cpuSeconds };
    this.#percent = Math.round((usedSeconds / seconds) * 1000) / 10;
    return this.#percent;
  }
}
