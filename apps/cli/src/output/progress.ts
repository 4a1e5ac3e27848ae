import type { OnProgress, TransferProgress } from 'sandport';
import { printable } from './printable.ts';
import { formatAge, formatBytes } from './units.ts';

/** Short transfers show nothing. */
const quietMs = 1000;
const redrawMs = 100;
/** From here on it is said that nothing comes. */
const stallMs = 3000;

/** What progress needs of a terminal. */
export type Terminal = Pick<NodeJS.WriteStream, 'isTTY'> & {
  readonly columns?: number;
  write(text: string): unknown;
};

/** How far a command's transfers are, on one line of a terminal. */
export interface ProgressLine extends Disposable {
  /** Begins the next transfer. @returns undefined when nobody would see its progress */
  start(label: string): OnProgress | undefined;
  /** Wipes the line, so that something else can be printed, until there is progress again. */
  clear(): void;
}

const silent: ProgressLine = {
  start: () => undefined,
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
  const draw = (line: string) => {
    drawnAt = performance.now();
    terminal.write(`\r\u001B[K${line}`);
  };
  const stall = new StallWatch(draw);
  const clear = () => {
    if (drawnAt !== 0) terminal.write('\r\u001B[K');
    drawnAt = 0;
    stall.rest();
  };
  return {
    start(label) {
      let since = { at: performance.now(), bytes: 0 };
      let lastBytes = 0;
      return (progress) => {
        const now = performance.now();
        // Taken up again from what had arrived, or the next one of several rounds.
        if (progress.bytes < lastBytes) since = { at: now, bytes: progress.bytes };
        lastBytes = progress.bytes;
        // Some terminals do not tell their width.
        const columns = terminal.columns || 80;
        const describe = (waitedMs: number) =>
          describeProgress(label, progress, {
            elapsedMs: now - since.at,
            sinceBytes: since.bytes,
            columns,
            waitedMs,
          });
        stall.progress(now, describe);
        if (now - begun >= quietMs && now - drawnAt >= redrawMs) draw(describe(0));
      };
    },
    clear,
    [Symbol.dispose]() {
      stall[Symbol.dispose]();
      clear();
    },
  };
}

/** Shows how long nothing has come, as while a broken connection is made again. */
class StallWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #lastAt = Number.POSITIVE_INFINITY;
  #describe: (waitedMs: number) => string = () => '';

  constructor(draw: (line: string) => void) {
    this.#timer = setInterval(() => {
      const waitedMs = performance.now() - this.#lastAt;
      if (waitedMs >= stallMs) draw(this.#describe(waitedMs));
    }, quietMs);
    this.#timer.unref();
  }

  progress(now: number, describe: (waitedMs: number) => string): void {
    this.#lastAt = now;
    this.#describe = describe;
  }

  /** Nothing is waited for until there is progress again. */
  rest(): void {
    this.#lastAt = Number.POSITIVE_INFINITY;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

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

/** When and where progress is shown. */
export interface ProgressMoment {
  readonly elapsedMs: number;
  /** Bytes that had passed when that time began. @default 0 */
  readonly sinceBytes?: number;
  /** Width of the terminal. @default 80 */
  readonly columns?: number;
  /** How long nothing has come. @default 0 */
  readonly waitedMs?: number;
}

/**
 * Label, bar, part done, bytes, files, rate and time left, as far as they are known, on one line
 * that fits. A label that is too long is cut.
 */
export function describeProgress(
  label: string,
  { bytes, totalBytes, files, totalFiles }: TransferProgress,
  { elapsedMs, sinceBytes = 0, columns = 80, waitedMs = 0 }: ProgressMoment,
): string {
  const rate = elapsedMs > 0 ? (bytes - sinceBytes) / (elapsedMs / 1000) : 0;
  const known = totalBytes !== undefined && totalBytes > 0;
  const part = known ? Math.min(1, bytes / totalBytes) : 0;
  const parts = known ? [`${Math.floor(part * 100)}%`] : [];
  parts.push(known ? `${formatBytes(bytes)} of ${formatBytes(totalBytes)}` : formatBytes(bytes));
  if (files !== undefined) {
    const all = totalFiles === undefined ? '' : ` of ${totalFiles}`;
    parts.push(`${files}${all} ${(totalFiles ?? files) === 1 ? 'file' : 'files'}`);
  }
  if (waitedMs > 0) parts.push(`nothing for ${formatAge(waitedMs)}, still trying`);
  else {
    parts.push(`${formatBytes(rate)}/s`);
    if (known && rate > 0) {
      parts.push(`${formatAge((Math.max(0, totalBytes - bytes) / rate) * 1000)} left`);
    }
  }
  const numbers = parts.join('  ');
  const shown = cut(printable(label), Math.max(8, columns - 3 - numbers.length));
  const room = Math.min(26, columns - 5 - [...shown].length - numbers.length);
  const bar = known && room >= 12 ? `${progressBar(part, room - 2)}  ` : '';
  return cut(`${shown}  ${bar}${numbers}`, columns - 1);
}

function progressBar(part: number, width: number): string {
  const done = Math.round(part * width);
  return `[${'='.repeat(done)}${' '.repeat(width - done)}]`;
}

/** As much of a text as fits. */
function cut(text: string, columns: number): string {
  const characters = [...text];
  if (characters.length <= columns) return text;
  return `${characters.slice(0, columns - 1).join('')}…`;
}
