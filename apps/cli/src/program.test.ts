import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from './program.ts';

const program = await createProgram([], () => {});
const leaves = commandsBelow(program);

function commandsBelow(parent: Command, prefix = ''): (readonly [string, Command])[] {
  return parent.commands.flatMap((command) => {
    const name = `${prefix}${command.name()}`;
    return command.commands.length === 0
      ? [[name, command] as const]
      : commandsBelow(command, `${name} `);
  });
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

/** Those that work without a daemon have no address and print no JSON. */
const local = new Set(['serve', 'doctor']);

test.each(leaves)('%s tells what it does and takes the common flags', (name, command) => {
  expect(command.description()).toMatch(/^(?:[a-z]|API)/);
  const flags = command.options.map(({ long }) => long);
  if (local.has(name)) return;
  expect(flags).toEqual(expect.arrayContaining(['--url', '--api-key', '--json']));
  if (command.registeredArguments.length > 0) expect(helpOf(command)).toMatch(/\nExamples?:\n/);
});

test('names and other names are unique within their group', () => {
  const groups = [program, ...program.commands];
  for (const { commands } of groups) {
    const names = commands.flatMap((each) => [each.name(), ...each.aliases()]);
    expect(new Set(names).size).toBe(names.length);
  }
});

test('all verbs are there', () => {
  const names = new Set(leaves.map(([name]) => name));
  for (const verb of ['pause', 'resume', 'hibernate', 'wake', 'fork', 'fork-tree', 'promote'])
    expect(names).toContain(verb);
  for (const verb of ['restore', 'set-ttl', 'set-persistent', 'lifecycle', 'limits', 'metrics'])
    expect(names).toContain(verb);
  for (const group of ['snapshot', 'volume', 'template', 'pool', 'quota'])
    expect(names).toContain(`${group} ls`);
  expect(names).toContain('egress show');
});
