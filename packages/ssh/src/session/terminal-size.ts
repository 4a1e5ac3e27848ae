import type { TerminalSize } from '@sandport/driver';

const most = 65_535;
const usual = { columns: 80, rows: 24 };

/** The size that a client tells of its terminal; 0 means that it does not know. */
export function terminalSize({ cols, rows }: { cols: number; rows: number }): TerminalSize {
  return { columns: clamp(cols, usual.columns), rows: clamp(rows, usual.rows) };
}

const clamp = (value: number, otherwise: number): number =>
  Number.isInteger(value) && value > 0 ? Math.min(value, most) : otherwise;
