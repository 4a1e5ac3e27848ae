import type { MachineReport, MachineRow } from '@sandport/driver-local';

const marks: Readonly<Record<MachineRow['status'], string>> = {
  ok: '✓',
  degraded: '!',
  missing: '✗',
};

/** The report for people: a line for each thing, what it costs and the command that mends it. */
export function printReport(report: MachineReport): string {
  const width = Math.max(...report.rows.map(({ name }) => name.length));
  const lines = report.rows.flatMap((row) => [
    `${marks[row.status]} ${row.name.padEnd(width)}  ${row.status.padEnd(8)}  ${row.detail}`,
    ...(row.cost === undefined ? [] : [`${' '.repeat(width + 4)}costs: ${row.cost}`]),
    ...(row.fix === undefined || row.status === 'ok'
      ? []
      : [`${' '.repeat(width + 4)}mend:  ${row.fix}`]),
  ]);
  const verdict =
    report.isolations.length === 0
      ? 'No sandbox can run here: mend what is marked ✗.'
      : `Sandboxes run here with: ${report.isolations.join(', ')}.`;
  return `${lines.join('\n')}\n\n${verdict}\n`;
}
