import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Machine, takenOn } from './machine.ts';
import { cellsOf, headOf, type Measurement } from './report.ts';

/** Writes `benchmarks/ROW.md` into the documentation: the table of one row of the benchmark. */
export function writeRowPage(
  docsDir: string,
  row: string,
  measurements: readonly Measurement[],
  machine: Machine,
  takenAt: string,
): void {
  const directory = join(docsDir, 'benchmarks');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${row}.md`), rowPage(row, measurements, machine, takenAt));
}

/** The text of that page. */
export function rowPage(
  row: string,
  measurements: readonly Measurement[],
  machine: Machine,
  takenAt: string,
): string {
  const lines = [headOf, headOf.map(() => '---'), ...measurements.map(cellsOf)];
  return `# Benchmark: ${row}

Made by \`npm run bench -- ${row}\`; run it on your own machine, it rewrites this page. ${takenOn(machine, takenAt)}
Daemon, clients and what they are compared with share these cores and one disk.

${lines.map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n')}
`;
}

const escaped = (cell: string): string => cell.replaceAll('|', '\\|');
