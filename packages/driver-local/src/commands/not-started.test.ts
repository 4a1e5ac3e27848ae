import { constants } from 'node:os';
import { InitError } from '@sandport/guest-init';
import { expect, test } from 'vitest';
import { notStarted } from './not-started.ts';

const { errno } = constants;
const defaults = { user: 'user', workdir: '/home/user', env: {} };
const why = (
  step: NonNullable<InitError['step']>,
  code: keyof typeof errno,
  spec: { args: readonly string[]; cwd?: string; user?: string } = { args: ['nosuch'] },
) => notStarted(InitError.notStarted(step, errno[code]), spec, defaults);

test.each([
  [why('exec', 'ENOENT'), 'the sandbox has no program "nosuch", or what interprets it is missing'],
  [why('user', 'ENOENT', { args: ['a'], user: '$&' }), 'the sandbox has no user "$&"'],
  [why('cwd', 'ENOENT'), 'the working directory "/home/user" does not exist'],
  [why('cwd', 'ELOOP', { args: ['a'], cwd: '/l' }), 'the working directory "/l"'],
  [why('exec', 'ENAMETOOLONG'), expect.stringContaining('too long')],
  [why('request', 'E2BIG'), expect.stringContaining('its stdin')],
  [why('resources', 'EAGAIN'), expect.stringContaining('raise its limits')],
  [why('request', 'EIO'), 'the request for "nosuch"'],
])('%s', (fault, what) => {
  const { errno: code } = fault.details;
  const sentence = /^The command was not started: (.*) \((E[A-Z0-9]+)\)\.$/.exec(fault.message);
  expect(sentence?.[1]).toEqual(what);
  expect(sentence?.[2]).toBe(code);
});

test('a long path is shown in part, and carried whole', () => {
  const program = `/${'a'.repeat(5000)}`;
  const fault = why('exec', 'ENOTDIR', { args: [program] });
  expect(fault.message.length).toBeLessThan(400);
  expect(fault.details).toMatchObject({ path: program });
});
