/** One line of the budget table. */
export interface Measurement {
  readonly operation: string;
  /** What was measured, in `unit`. */
  readonly value: number;
  readonly unit: 'ms' | 'MiB/s' | 'MiB' | '%';
  /** The same on the floor, where there is one. */
  readonly floor?: number;
  /** The budget: a share of the floor, or a plain number in `unit`. */
  readonly budget?: { readonly of: 'floor' | 'value'; readonly limit: number };
  /** True: more is better, as for throughput. @default false */
  readonly higherIsBetter?: boolean;
  /** Anything that helps to read the number. */
  readonly note?: string;
}

/** Undefined without a budget. */
export function meetsBudget(m: Measurement): boolean | undefined {
  if (m.budget === undefined) return undefined;
  if (m.budget.of === 'floor' && m.floor === undefined) return undefined;
  const actual = m.budget.of === 'value' ? m.value : m.value / (m.floor ?? Number.NaN);
  return m.higherIsBetter ? actual >= m.budget.limit : actual <= m.budget.limit;
}

const shown = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

function budgetText(m: Measurement): string {
  if (m.budget === undefined) return '';
  const sign = m.higherIsBetter ? '≥' : '≤';
  return m.budget.of === 'floor'
    ? `${sign} ${m.budget.limit} × floor`
    : `${sign} ${m.budget.limit} ${m.unit}`;
}

/** The columns of a table of measurements. */
export const headOf = ['operation', 'measured', 'floor', '× floor', 'budget', '', 'note'] as const;

/** One measurement in those columns. */
export function cellsOf(m: Measurement): readonly string[] {
  const met = meetsBudget(m);
  return [
    m.operation,
    `${shown(m.value)} ${m.unit}`,
    m.floor === undefined ? '—' : `${shown(m.floor)} ${m.unit}`,
    m.floor === undefined ? '—' : (m.value / m.floor).toFixed(2),
    budgetText(m),
    met === undefined ? '' : met ? 'ok' : 'MISSED',
    m.note ?? '',
  ];
}

/** The measurements as a table for a terminal, columns aligned. */
export function renderTable(measurements: readonly Measurement[]): string {
  const rows = [headOf, ...measurements.map(cellsOf)];
  const widths = headOf.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}
