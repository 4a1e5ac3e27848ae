import {
  type CodeEnd,
  type CodeError,
  type CodeResult,
  type CodeRun,
  maxCodeOutputBytes,
} from '@sandport/protocol';
import { BoundedText } from '../commands/bounded-text.ts';
import { bytesOfResult, resultBytes } from './kernel-protocol.ts';
import type { CodeOutput } from './kernel.ts';

/** Most characters of a traceback. */
const maxTraceback = 1024 * 1024;

/** Lets output pass up to {@link maxCodeOutputBytes} of text, as many of results, and one error. */
export class OutputBound {
  #textBytes = 0;
  #resultBytes = 0;
  #hasError = false;
  truncated = false;

  /** What may pass; undefined: nothing of it. */
  cut(output: CodeOutput): CodeOutput | undefined {
    if (output.type === 'error') {
      if (this.#hasError) return undefined;
      this.#hasError = true;
      return { type: 'error', error: withBoundedTraceback(output.error) };
    }
    if (output.type === 'result') {
      const bytes = bytesOfResult(output.data);
      if (output.leftOut.length > 0) this.truncated = true;
      if (output.leftOut.length > 0 && Object.keys(output.data).length === 0) return undefined;
      if (this.#resultBytes + bytes > maxCodeOutputBytes + resultBytes) {
        this.truncated = true;
        return undefined;
      }
      this.#resultBytes += bytes;
      return output;
    }
    const room = maxCodeOutputBytes - this.#textBytes;
    if (output.bytes.length > room) this.truncated = true;
    if (room <= 0) return undefined;
    const bytes = output.bytes.subarray(0, room);
    this.#textBytes += bytes.length;
    return { type: output.type, bytes };
  }
}

function withBoundedTraceback(error: CodeError): CodeError {
  const characters = error.traceback.reduce((sum, line) => sum + line.length, 0);
  return characters > maxTraceback ? { ...error, traceback: [] } : error;
}

/** Collects what a run gives. */
export class RunResult {
  readonly #text = {
    stdout: new BoundedText(maxCodeOutputBytes),
    stderr: new BoundedText(maxCodeOutputBytes),
  };
  readonly #results: CodeResult[] = [];

  /** Returns how many bytes of it are kept. */
  add(output: CodeOutput): number {
    if (output.type === 'error') return 0;
    if (output.type !== 'result') return this.#text[output.type].add(output.bytes);
    this.#results.push(output.data);
    return bytesOfResult(output.data);
  }

  with(end: CodeEnd): CodeRun {
    const { stdout, stderr } = this.#text;
    return { stdout: stdout.text(), stderr: stderr.text(), results: this.#results, ...end };
  }
}
