import { SandportFault } from '@sandport/protocol';
import type { RE2JS } from 're2js';
import { parseReplacement, type ReplacementPart } from './replacement.ts';
import { compileTextPattern, type TextPattern } from './text-pattern.ts';
import { withoutReturn } from './text-file.ts';
import type { WorkTime } from './work-time.ts';

/** Longest text that a replacement may make, in UTF-16 units. */
const maxResultLength = 32 * 1024 * 1024;
/** So many lines or matches are worked on between two looks at the clock. */
const stepsPerLook = 64;

/** A line is longer than this expression can look at. */
export class LineTooLongError extends Error {}

/** Replaces all occurrences of one pattern in texts. */
export class TextReplacer {
  readonly #pattern: TextPattern;
  readonly #parts: readonly ReplacementPart[];

  /** @throws SandportFault `invalid_pattern` */
  constructor(options: {
    pattern: string;
    replacement: string;
    regex?: boolean | undefined;
    caseSensitive?: boolean | undefined;
  }) {
    this.#pattern = compileTextPattern(options);
    this.#parts =
      options.regex === true && this.#pattern.kind === 'expression'
        ? parseReplacement(options.replacement, this.#pattern.expression)
        : [options.replacement];
  }

  /**
   * The text with all occurrences replaced, and how many there were; undefined when the time is up.
   * @throws LineTooLongError; SandportFault `payload_too_large`
   */
  async replace(
    text: string,
    time: WorkTime,
  ): Promise<{ text: string; replacements: number } | undefined> {
    const output = new Output(time);
    const done =
      this.#pattern.kind === 'text'
        ? await this.#replaceText(text, this.#pattern.text, output)
        : await this.#replaceLines(text, this.#pattern, output);
    return done ? { text: output.text, replacements: output.replacements } : undefined;
  }

  async #replaceText(text: string, wanted: string, output: Output): Promise<boolean> {
    let end = 0;
    for (;;) {
      const start = text.indexOf(wanted, end);
      if (start === -1) break;
      output.add(text.slice(end, start));
      for (const part of this.#parts) output.add(String(part));
      output.replacements += 1;
      end = start + wanted.length;
      if (await output.timeIsUp()) return false;
    }
    output.add(text.slice(end));
    return true;
  }

  async #replaceLines(
    text: string,
    { expression, maxLineLength }: Extract<TextPattern, { kind: 'expression' }>,
    output: Output,
  ): Promise<boolean> {
    let copied = 0;
    for (let start = 0; start < text.length; ) {
      const lineBreak = text.indexOf('\n', start);
      const end = lineBreak === -1 ? text.length : lineBreak;
      if (end - start > maxLineLength) throw new LineTooLongError();
      const line = withoutReturn(text.slice(start, end));
      if (expression.test(line)) {
        output.add(text.slice(copied, start));
        if (!(await this.#replaceLine(line, expression, output))) return false;
        copied = start + line.length;
      }
      if (await output.timeIsUp()) return false;
      start = end + 1;
    }
    output.add(text.slice(copied));
    return true;
  }

  async #replaceLine(line: string, expression: RE2JS, output: Output): Promise<boolean> {
    const matcher = expression.matcher(line);
    let end = 0;
    while (matcher.find()) {
      output.add(line.slice(end, matcher.start()));
      for (const part of this.#parts)
        output.add(typeof part === 'string' ? part : (matcher.group(part) ?? ''));
      output.replacements += 1;
      end = matcher.end();
      if (await output.timeIsUp()) return false;
    }
    output.add(line.slice(end));
    return true;
  }
}

/** A text that grows piece by piece, within its limits of length and time. */
class Output {
  replacements = 0;
  text = '';
  readonly #time: WorkTime;
  #untilLook = stepsPerLook;

  constructor(time: WorkTime) {
    this.#time = time;
  }

  add(piece: string): void {
    this.text += piece;
    if (this.text.length > maxResultLength)
      throw new SandportFault(
        'payload_too_large',
        `The result would be longer than ${maxResultLength} characters.`,
      );
  }

  /** Lets others work now and then. */
  async timeIsUp(): Promise<boolean> {
    this.#untilLook -= 1;
    if (this.#untilLook > 0 && !this.#time.turnIsOver) return false;
    this.#untilLook = stepsPerLook;
    if (this.#time.turnIsOver) await this.#time.nextTurn();
    return this.#time.isUp;
  }
}
