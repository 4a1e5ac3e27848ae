import { basename } from 'node:path';
import type { ProcessEnd } from './children.ts';

const longestComplaint = 500;

/** A program that did not end well; the message has its own first words of complaint. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly program: string;
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;

  constructor(program: string, complaint: string, end: ProcessEnd = {}) {
    super(
      `${basename(program)}: ${complaint.trim().slice(0, longestComplaint) || howItEnded(end)}`,
    );
    this.program = program;
    this.exitCode = end.exitCode;
  }
}

const howItEnded = ({ exitCode, killedBy }: ProcessEnd): string =>
  exitCode === undefined ? `it was ended by ${killedBy}` : `it ended with ${exitCode}`;
