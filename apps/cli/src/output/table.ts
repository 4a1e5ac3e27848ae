import { printable } from './printable.ts';

/** Columns of text under a head, each as wide as it needs to be. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => [...(line[column] ?? '')].length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Prints the table, or `none` when it has no rows. */
export function printTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): void {
  if (rows.length === 0) process.stderr.write(`${none}\n`);
  else process.stdout.write(`${formatTable(head, rows)}\n`);
}
