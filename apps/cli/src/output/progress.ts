import type { OnProgress, TransferProgress } from 'sandport';
import { printable } from './printable.ts';
import { formatAge, formatBytes } from './units.ts';

/** Short transfers show nothing. */
const quietMs = 1000;
const redrawMs = 100;

/** What progress needs of a terminal. */
export type Terminal = Pick<NodeJS.WriteStream, 'isTTY'> & {
  readonly columns?: number;
  write(text: string): unknown;
};

/** How far a command's transfers are, on one line of a terminal. */
export interface ProgressLine extends Disposable {
  /** Begins the next transfer. @returns undefined when nobody would see its progress */
  start(label: string): OnProgress | undefined;
  /** Shows a sentence until there is progress again, at once. */
  say(text: string): void;
  /** Wipes the line, so that something else can be printed. */
  clear(): void;
}

const silent: ProgressLine = {
  start: () => undefined,
  say: () => {},
  clear: () => {},
  [Symbol.dispose]: () => {},
};

export interface ProgressOptions {
  /** Show nothing. @default false */
  readonly quiet?: boolean | undefined;
  /** @default standard error */
  readonly terminal?: Terminal;
}

/** Shows progress when standard error is a terminal; the line is wiped at the end. */
export function progressLine(options: ProgressOptions = {}): ProgressLine {
  const { quiet = false, terminal = process.stderr } = options;
  if (!terminal.isTTY || quiet) return silent;
  const begun = performance.now();
  let drawnAt = 0;
  const draw = (line: string, now: number) => {
    drawnAt = now;
    terminal.write(`\r\u001B[K${fit(printable(line), terminal.columns ?? 80)}`);
  };
  const clear = () => {
    if (drawnAt !== 0) terminal.write('\r\u001B[K');
    drawnAt = 0;
  };
  return {
    start(label) {
      const startedAt = performance.now();
      return (progress) => {
        const now = performance.now();
        if (now - begun < quietMs || now - drawnAt < redrawMs) return;
        draw(describeProgress(label, progress, now - startedAt), now);
      };
    },
    say: (text) => draw(text, performance.now()),
    clear,
    [Symbol.dispose]: clear,
  };
}

/** As much of a line as a terminal shows without a break. */
const fit = (line: string, columns: number) => [...line].slice(0, columns - 1).join('');

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

/** Label, part done, bytes, files, rate, and time left where the end is known. */
export function describeProgress(
  label: string,
  { bytes, totalBytes, files, totalFiles }: TransferProgress,
  elapsedMs: number,
): string {
  const rate = elapsedMs > 0 ? bytes / (elapsedMs / 1000) : 0;
  const known = totalBytes !== undefined && totalBytes > 0;
  const parts = [label];
  if (known) parts.push(`${Math.min(100, Math.floor((bytes / totalBytes) * 100))}%`);
  parts.push(known ? `${formatBytes(bytes)} of ${formatBytes(totalBytes)}` : formatBytes(bytes));
  if (files !== undefined) {
    parts.push(
      totalFiles === undefined ? countFiles(files) : `${files} of ${countFiles(totalFiles)}`,
    );
  }
  parts.push(`${formatBytes(rate)}/s`);
  if (known && rate > 0) parts.push(`${formatAge(((totalBytes - bytes) / rate) * 1000)} left`);
  return parts.join('  ');
}

const countFiles = (files: number) => `${files} ${files === 1 ? 'file' : 'files'}`;
