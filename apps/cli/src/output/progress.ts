import type { OnProgress } from 'sandport';
import { formatAge, formatBytes } from './units.ts';

/** Short transfers show nothing. */
const quietMs = 1000;
const redrawMs = 100;

/** The transfer's progress on one line of a terminal. */
export interface ProgressLine extends Disposable {
  readonly onProgress: OnProgress | undefined;
}

/** Shows how far a transfer is when standard error is a terminal; clears the line at the end. */
export function progressLine(label: string, terminal = process.stderr): ProgressLine {
  if (!terminal.isTTY) return { onProgress: undefined, [Symbol.dispose]: () => {} };
  const begun = performance.now();
  let drawnAt = 0;
  return {
    onProgress({ bytes, totalBytes }) {
      const now = performance.now();
      if (now - begun < quietMs || now - drawnAt < redrawMs) return;
      drawnAt = now;
      const line = describeProgress(label, { bytes, totalBytes, elapsedMs: now - begun });
      terminal.write(`\r\u001B[K${line.slice(0, (terminal.columns ?? 80) - 1)}`);
    },
    [Symbol.dispose]() {
      if (drawnAt !== 0) terminal.write('\r\u001B[K');
    },
  };
}

/** What {@link whileWaiting} needs of a terminal. */
export type Terminal = Pick<NodeJS.WriteStream, 'isTTY'> & { write(text: string): unknown };

/** Says on a terminal what is waited for, and for how long, from one second on. */
export async function whileWaiting<Result>(
  label: string,
  work: () => Promise<Result>,
  terminal: Terminal = process.stderr,
): Promise<Result> {
  if (!terminal.isTTY) return work();
  const begun = performance.now();
  let drawn = false;
  const timer = setInterval(() => {
    drawn = true;
    terminal.write(`\r\u001B[K${label}  ${formatAge(performance.now() - begun)}`);
  }, quietMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (drawn) terminal.write('\r\u001B[K');
  }
}

export function describeProgress(
  label: string,
  at: { bytes: number; totalBytes: number | undefined; elapsedMs: number },
): string {
  const { bytes, totalBytes, elapsedMs } = at;
  const rate = elapsedMs > 0 ? bytes / (elapsedMs / 1000) : 0;
  const speed = `${formatBytes(rate)}/s`;
  if (totalBytes === undefined || totalBytes === 0)
    return `${label}  ${formatBytes(bytes)}  ${speed}`;
  const percent = Math.min(100, Math.floor((bytes / totalBytes) * 100));
  const left = rate > 0 ? `  ${formatAge(((totalBytes - bytes) / rate) * 1000)} left` : '';
  return `${label}  ${percent}%  ${formatBytes(bytes)} of ${formatBytes(totalBytes)}  ${speed}${left}`;
}
