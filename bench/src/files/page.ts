import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Machine, takenOn } from '../machine.ts';
import { meetsBudget } from '../report.ts';
import { directionWords, type FileMeasurement } from './measurement.ts';
import { type BarGroup, renderBarPlot } from './plot.ts';

/** Writes `benchmarks.md` and its pictures into the documentation. */
export function writePage(
  docsDir: string,
  measurements: readonly FileMeasurement[],
  machine: Machine,
  takenAt: string,
): void {
  const pictures = join(docsDir, 'benchmarks');
  mkdirSync(pictures, { recursive: true });
  for (const [name, svg] of Object.entries(plots(measurements)))
    writeFileSync(join(pictures, `${name}.svg`), svg);
  const others = readdirSync(pictures).filter((name) => name.endsWith('.md'));
  const text = page(measurements, others, machine, takenAt);
  writeFileSync(join(docsDir, 'benchmarks.md'), text);
}

function plots(measurements: readonly FileMeasurement[]): Record<string, string> {
  const all: Record<string, string> = {};
  for (const isolation of new Set(measurements.map((m) => m.isolation))) {
    const own = measurements.filter((m) => m.isolation === isolation);
    for (const [direction, word] of [
      ['up', 'Upload'],
      ['down', 'Download'],
    ] as const) {
      const some = own.filter((m) => m.direction === direction);
      all[`${isolation}-files-${direction}`] = renderBarPlot({
        title: `${word} of one file, ${isolation}`,
        unit: 'MiB/s, more is better',
        groups: groupsOf(
          some.filter((m) => m.unit === 'MiB/s'),
          'bare HTTP server',
        ),
      });
      all[`${isolation}-trees-${direction}`] = renderBarPlot({
        title: `${word} of a directory in one call, ${isolation}`,
        unit: 'ms, less is better',
        groups: groupsOf(
          some.filter((m) => m.unit === 'ms' && m.workload !== '1 KiB'),
          'tar | tar',
        ),
      });
    }
  }
  return all;
}

function groupsOf(measurements: readonly FileMeasurement[], floorName: string): BarGroup[] {
  return [...new Set(measurements.map((m) => m.workload))].map((workload) => {
    const own = measurements.filter((m) => m.workload === workload);
    const floor = own[0]?.floor;
    return {
      label: workload,
      values: [
        ...(floor === undefined ? [] : [{ series: floorName, value: floor }]),
        ...own.map(({ client, value }) => ({ series: client, value })),
      ],
    };
  });
}

function page(
  measurements: readonly FileMeasurement[],
  others: readonly string[],
  machine: Machine,
  takenAt: string,
): string {
  const isolations = [...new Set(measurements.map((m) => m.isolation))];
  return `# Benchmarks of the file API

Made by \`npm run bench -- files\`; run it on your own machine, it rewrites this page. ${takenOn(machine, takenAt)}
Daemon, clients and the floor share these cores and one disk, over the loopback interface.

Pages of other rows: ${others
    .toSorted()
    .map((name) => `[${name.replace('.md', '')}](benchmarks/${name})`)
    .join(', ')}.

Every client is a process of its own, and what is shown is the median of its rounds. The *floor* of
single files is a bare \`node:http\` server that writes or reads the same file on the same disk, with
a client that makes its bytes instead of reading them; of directories it is GNU \`tar -c | tar -x\`
from one directory of the disk into another; of a listing \`find -ls\`; of "again, unchanged" the
first upload with the same client. \`curl\` times include the start of the program, and its directory
rows are \`tar | curl\` and \`curl | tar\`. The SDKs check the SHA-256 of what they send.
${isolations.map((isolation) => section(measurements.filter((m) => m.isolation === isolation))).join('\n')}`;
}

function section(measurements: readonly FileMeasurement[]): string {
  const [first] = measurements;
  if (first === undefined) return '';
  const { isolation } = first;
  const pictures = ['files-up', 'files-down', 'trees-up', 'trees-down']
    .map((name) => `![${isolation}, ${name}](benchmarks/${isolation}-${name}.svg)`)
    .join('\n');
  const rows = measurements.map((m) => {
    const met = meetsBudget(m);
    const budget =
      m.budget === undefined ? '' : `${m.higherIsBetter ? '≥' : '≤'} ${m.budget.limit}`;
    return [
      m.workload,
      directionWords[m.direction],
      m.client,
      `${number(m.value)} ${m.unit}`,
      m.floor === undefined ? '' : `${number(m.floor)} ${m.unit}`,
      m.floor === undefined ? '' : (m.value / m.floor).toFixed(2),
      met === undefined ? '' : `${budget} ${met ? '✓' : '✗'}`,
      m.clientPeakRssMib === undefined ? '' : number(m.clientPeakRssMib),
      m.daemonPeakRssMib === undefined ? '' : number(m.daemonPeakRssMib),
    ];
  });
  const head = [
    'what',
    'way',
    'client',
    'measured',
    'floor',
    '× floor',
    'budget',
    'client peak RSS, MiB',
    'daemon peak RSS, MiB',
  ];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `
## ${isolation}

${pictures}

${lines.join('\n')}
`;
}

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
