import { type CodeLanguage, Client, Sandbox } from 'sandport';
import type { Measurement } from '../report.ts';
import { median, timeMs } from '../statistics.ts';
import type { Row } from '../subject.ts';

const nothing: Record<CodeLanguage, string> = { python: '1', javascript: '1', shell: ':' };

/** First and later runs of code that does nothing; needs the template `code-interpreter`, built. */
export const code: Row = {
  name: 'code',
  onlyWhenNamed: true,
  async measure(subject, options) {
    const { templates } = new Client(subject);
    const { status } = await templates.get('code-interpreter');
    if (status !== 'ready') await templates.build('code-interpreter');
    const measurements: Measurement[] = [];
    for (const isolation of subject.isolations)
      for (const language of ['python', 'javascript', 'shell'] as const) {
        await using sandbox = await Sandbox.create(
          { isolation, template: 'code-interpreter' },
          subject,
        );
        const run = () => timeMs(() => sandbox.runCode(nothing[language], language));
        const first = await run();
        const next: number[] = [];
        for (let round = 0; round < (options.quick ? 20 : 200); round++) next.push(await run());
        const operation = `run code, ${language}, ${isolation}`;
        measurements.push(
          { operation: `${operation}, first`, value: first, unit: 'ms' },
          { operation: `${operation}, next, p50`, value: median(next), unit: 'ms' },
        );
      }
    return measurements;
  },
};
