import { SandportError } from 'sandport';
import { adviceOf } from './output/advice.ts';
import { printable } from './output/printable.ts';

/** What went wrong and the way out, in one or two lines on standard error. */
export function printError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const lines = [`sandport: ${printable(message)}`];
  if (error instanceof SandportError) {
    const { reason } = error.details;
    if (typeof reason === 'string' && reason !== '' && !message.includes(reason)) {
      lines.push(`  Reason: ${printable(reason)}`);
    }
    const advice = adviceOf(error);
    if (advice !== undefined) lines.push(`  ${advice}`);
    if (error.code === 'internal' && error.requestId !== undefined) {
      lines.push(`  Request id: ${printable(error.requestId)}`);
    }
  }
  process.stderr.write(`${lines.join('\n')}\n`);
}
