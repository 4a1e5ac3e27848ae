import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Metrics, MetricsSample } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { LineWriter, printJson, printLine } from '../output/print.ts';
import { printTable } from '../output/table.ts';
import { formatAge, formatBytes } from '../output/units.ts';
import { seconds, wholeSeconds } from '../parse/values.ts';
import { withSandbox } from './sandbox-action.ts';

interface MetricsFlags {
  watch?: boolean;
  interval: number;
  history?: number;
}

const shortestIntervalSeconds = 0.5;

/** What a sandbox uses. */
export function addMetrics(program: Command): void {
  addClientFlags(
    program
      .command('metrics')
      .description('tell what a sandbox uses: CPU, memory, disk, processes, network')
      .argument('<sandbox>', 'name or id')
      .option('--watch', 'go on, a line each time, until Ctrl-C')
      .option('--interval <time>', 'of --watch', seconds, 2)
      .option('--history <time>', 'also what was used over so long: 10m, 1h', wholeSeconds)
      .addHelpText(
        'after',
        '\nExamples:\n  sandport metrics box\n  sandport metrics --watch box\n  sandport metrics --history 1h --json box | jq .history',
      ),
  ).action((box: string, { watch, interval, history }: MetricsFlags, self: Command) =>
    withSandbox(self, box, async (sandbox, { json, signal }) => {
      const options = { historySeconds: history ?? 0, signal };
      if (watch !== true) {
        const metrics = await sandbox.metrics(options);
        if (json) printJson(metrics);
        else printMetrics(metrics);
        return;
      }
      await using out = new LineWriter();
      if (!json) await out.line(watchHead);
      for (;;) {
        const { history: _, ...metrics } = await sandbox.metrics({ historySeconds: 0, signal });
        if (json) await out.json(metrics);
        else await out.line(watchLine(metrics));
        await out.flush();
        const pauseMs = Math.max(interval, shortestIntervalSeconds) * 1000;
        await sleep(pauseMs, undefined, { signal });
      }
    }),
  );
}

function printMetrics(metrics: Metrics): void {
  const { memory_bytes, memory_limit_bytes, disk_bytes, disk_limit_bytes: diskLimit } = metrics;
  const lines = [
    ['status', metrics.status],
    ['up', formatAge(metrics.uptime_seconds * 1000)],
    ['cpu', `${metrics.cpu_percent.toFixed(1)} % of a core, limit ${metrics.cpu_limit}`],
    ['memory', `${formatBytes(memory_bytes)} of ${formatBytes(memory_limit_bytes)}`],
    [
      'disk',
      diskLimit === undefined
        ? formatBytes(disk_bytes)
        : `${formatBytes(disk_bytes)} of ${formatBytes(diskLimit)}`,
    ],
    ['processes', `${metrics.pids} of ${metrics.pids_limit}`],
    ['received', formatBytes(metrics.network_received_bytes)],
    ['sent', formatBytes(metrics.network_sent_bytes)],
  ] as const;
  for (const [name, text] of lines) printLine(`${name.padEnd(10)} ${text}`);
  if (metrics.history.length === 0) return;
  process.stdout.write('\n');
  printTable(['TIME', 'CPU %', 'MEMORY', 'DISK', 'PIDS'], metrics.history.map(sampleRow), '');
}

const sampleRow = (sample: MetricsSample): string[] => [
  sample.at,
  sample.cpu_percent.toFixed(1),
  formatBytes(sample.memory_bytes),
  formatBytes(sample.disk_bytes),
  String(sample.pids),
];

const widths = [9, 8, 10, 10, 6] as const;
const inColumns = (cells: readonly string[]) =>
  cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join(' ')
    .trimEnd();

const watchHead = inColumns(['TIME', 'CPU %', 'MEMORY', 'DISK', 'PIDS', 'STATUS']);

function watchLine(metrics: Omit<Metrics, 'history'>): string {
  const [, ...cells] = sampleRow(metrics);
  return inColumns([new Date(metrics.at).toLocaleTimeString('sv'), ...cells, metrics.status]);
}
