import { type CodeExecution, type CodeLanguage, Client, Sandbox } from 'sandport';
import { spread } from '../lifecycle/spread.ts';
import type { Measurement } from '../report.ts';
import { timeMs } from '../statistics.ts';
import { type BenchOptions, memoryGrowthMib, type Row, type Subject } from '../subject.ts';

const languages = ['python', 'javascript', 'shell'] as const;
const nothing: Record<CodeLanguage, string> = { python: '1+1', javascript: '1+1', shell: ':' };

/** Writes 100 MB, of which a run gives back 10 MiB. */
const flood: Record<CodeLanguage, string> = {
  python: 'import sys\nfor _ in range(100): sys.stdout.write("x" * 1_000_000)',
  javascript: 'for (let i = 0; i < 100; i++) process.stdout.write("x".repeat(1_000_000))',
  shell: 'head -c 100000000 /dev/zero',
};
const givenBytes = 10 * 1024 * 1024;

const figure = 'import matplotlib.pyplot as plot\n_ = plot.plot(range(100))';

/** Runs of code: the first ones, later ones, a figure, much output; needs `code-interpreter`, built. */
export const code: Row = {
  name: 'code',
  onlyWhenNamed: true,
  async measure(subject, options) {
    const { templates } = new Client(subject);
    const { status } = await templates.get('code-interpreter');
    if (status !== 'ready') await templates.build('code-interpreter');
    const measurements: Measurement[] = [];
    for (const isolation of subject.isolations) {
      await using sandbox = await Sandbox.create(
        { isolation, template: 'code-interpreter' },
        subject,
      );
      for (const language of languages)
        measurements.push(...(await runs(sandbox, language, isolation, options)));
      const draw = await times(options.quick ? 5 : 30, () => sandbox.runCode(figure));
      measurements.push(spread(`a figure of matplotlib, ${isolation}`, draw.slice(1)));
      for (const language of languages)
        measurements.push(await muchOutput(subject, sandbox, language, isolation));
    }
    return measurements;
  },
};

/** In contexts of their own, and then in one. */
async function runs(
  sandbox: Sandbox,
  language: CodeLanguage,
  isolation: string,
  { quick }: BenchOptions,
): Promise<Measurement[]> {
  const first = await times(quick ? 3 : 10, async () => {
    await using context = await sandbox.createCodeContext(language);
    return await context.run(nothing[language]);
  });
  const next = await times(quick ? 50 : 500, () => sandbox.runCode(nothing[language], language));
  const operation = `run code, ${language}, ${isolation}`;
  return [
    spread(`${operation}, a new context`, first),
    spread(`${operation}, later`, next.slice(1)),
  ];
}

async function muchOutput(
  { daemonPid }: Subject,
  sandbox: Sandbox,
  language: CodeLanguage,
  isolation: string,
): Promise<Measurement> {
  let value = 0;
  const grown = await memoryGrowthMib(daemonPid, async () => {
    value = await timeMs(async () => {
      const { stdout } = good(
        await sandbox.runCode(flood[language], language, { timeoutMs: 300_000 }),
      );
      if (stdout.length !== givenBytes) throw new Error(`${stdout.length} characters came back`);
    });
  });
  return {
    operation: `100 MB of output, ${language}, ${isolation}`,
    value,
    unit: 'ms',
    note: `10 MiB are given back; the daemon grew by ${grown.toFixed(0)} MiB`,
  };
}

async function times(rounds: number, run: () => Promise<CodeExecution>): Promise<number[]> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++)
    values.push(await timeMs(async () => void good(await run())));
  return values;
}

function good(execution: CodeExecution): CodeExecution {
  if (execution.exitCode === 0) return execution;
  throw new Error(`the code failed: ${execution.error?.value ?? execution.stderr}`);
}
