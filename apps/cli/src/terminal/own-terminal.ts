import { spawnSync } from 'node:child_process';

/** Of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly cols: number;
}

/** What is taken where standard output is no terminal. */
const fallback: TerminalSize = { rows: 24, cols: 80 };
const longestSide = 1000;

/** Size of the terminal that standard output is. */
export function ownSize({ rows, columns }: Partial<NodeJS.WriteStream> = process.stdout) {
  if (rows === undefined || columns === undefined || rows < 1 || columns < 1) return fallback;
  return { rows: Math.min(rows, longestSide), cols: Math.min(columns, longestSide) };
}

/**
 * Hands every key on as it is pressed, Ctrl-C too, and tells when the window changes, until it is
 * disposed.
 */
export function joinWindow(resized: (size: TerminalSize) => void): Disposable {
  const { stdin, stdout } = process;
  const tell = () => resized(ownSize());
  stdout.on('resize', tell);
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    passOutputThrough();
  }
  return {
    [Symbol.dispose]() {
      stdout.off('resize', tell);
      if (stdin.isTTY) stdin.setRawMode(false);
    },
  };
}

/**
 * The raw mode of Node still puts a carriage return before each line feed, which programs that move
 * the cursor do not mean. What `stty` changes here ends with the raw mode.
 */
function passOutputThrough(): void {
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
}
