import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import type { KeepSpec, KeptCommand, KeptCommands } from '../kept-commands.ts';

export const newKey = (): string => randomBytes(16).toString('hex');

/** Starts a shell command line that is kept. */
export const keep = (
  { commands }: DriverSandbox,
  script: string,
  options: Partial<KeepSpec> = {},
): Promise<KeptCommand> => commands.keep({ key: newKey(), args: ['sh', '-c', script], ...options });

/** All of a stream from an offset on, once the command has ended, without a gap. */
export async function follow(
  command: KeptCommand,
  stream: 'stdout' | 'stderr' = 'stdout',
  since = 0,
): Promise<string> {
  const pieces: Buffer[] = [];
  let at = since;
  for await (const { offset, bytes } of command.read(stream, { since, follow: true })) {
    expect(offset).toBe(at);
    at += bytes.length;
    // What was given stays what it is, whatever the command writes then.
    pieces.push(bytes);
  }
  return Buffer.concat(pieces).toString('latin1');
}

/** The first bytes that come, at least so many characters. */
export async function firstOf(command: KeptCommand, characters: number): Promise<string> {
  let text = '';
  for await (const { bytes } of command.read('stdout', { follow: true })) {
    text += bytes.toString('latin1');
    if (text.length >= characters) break;
  }
  return text;
}

/** The command with this key, of whichever daemon and sandbox. */
export function keptOf(commands: KeptCommands | undefined, key: string): KeptCommand {
  const found = commands?.kept().find((each) => each.key === key);
  if (found === undefined) throw new Error('the command is not kept');
  return found;
}

/** A script that counts to a number, as fast as it can, and what it writes. */
export const counting = (last: number) => ({
  script: `seq 1 ${last}`,
  output: Array.from({ length: last }, (_, at) => `${at + 1}\n`).join(''),
});

/** All that is kept of a stream at this moment. */
export async function keptNow(command: KeptCommand): Promise<{ start: number; text: string }> {
  let start: number | undefined;
  let text = '';
  for await (const { offset, bytes } of command.read('stdout')) {
    start ??= offset;
    if (offset !== start + text.length) return { start, text: '' };
    text += bytes.toString('latin1');
  }
  return { start: start ?? 0, text };
}
