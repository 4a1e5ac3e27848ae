import { SandportFault } from '@sandport/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineTooLongError, TextReplacer } from './replace-in-text.ts';
import { WorkTime } from './work-time.ts';

const time = () => new WorkTime({ limitMs: 30_000 });
type Options = ConstructorParameters<typeof TextReplacer>[0];
const replace = async (text: string, options: Options) =>
  new TextReplacer(options).replace(text, time());

test('plain text is replaced as JavaScript does it', async () => {
  const text = fc.array(fc.constantFrom('a', 'b', '\n', '$', 'é')).map((each) => each.join(''));
  await fc.assert(
    fc.asyncProperty(
      text,
      text.filter((each) => each !== ''),
      text,
      async (input, pattern, replacement) => {
        const replaced = await replace(input, { pattern, replacement });
        expect(replaced).toEqual({
          text: input.replaceAll(pattern, () => replacement),
          replacements: input.split(pattern).length - 1,
        });
      },
    ),
  );
});

test('expressions are replaced line by line as JavaScript does it in each line', async () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'ab', '\n', '\r\n', ' '))
    .map((each) => each.join(''));
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.constantFrom('a+', '^b', 'a$', '(a)(b)?', '[^a]', 'x'),
      async (input, pattern) => {
        const replaced = await replace(input, { pattern, regex: true, replacement: '<$0>' });
        const lines = input.split(/(\r?\n)/);
        const expected = lines.map((line, index) =>
          index % 2 === 1 ? line : line.replaceAll(new RegExp(pattern, 'g'), '<$&>'),
        );
        expect(replaced?.text).toBe(expected.join(''));
      },
    ),
  );
});

describe('limits', () => {
  test('a line that is too long for the expression is an error, plain text has none', async () => {
    const text = 'a'.repeat(1_500_000);
    await expect(replace(text, { pattern: 'a$', regex: true, replacement: '' })).rejects.toThrow(
      LineTooLongError,
    );
    const replaced = await replace(text, { pattern: 'aaa', replacement: 'b' });
    expect(replaced?.text).toBe('b'.repeat(500_000));
  });

  test('a result that grows without end is refused', async () => {
    const options = { pattern: 'a', replacement: 'b'.repeat(65_536) };
    const result = replace('a'.repeat(1_000), options);
    await expect(result).rejects.toThrow(SandportFault);
  });

  test('time that is up ends the work, within one line too', async () => {
    const replacer = new TextReplacer({ pattern: 'a(.*b)?', regex: true, replacement: 'x' });
    const started = performance.now();
    const result = await replacer.replace('a'.repeat(500_000), new WorkTime({ limitMs: 200 }));
    expect(result).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
