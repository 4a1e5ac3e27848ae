import type { KeptCommand, KeptCommandStarter } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { Entry } from '../../sandboxes/entry.ts';

const offers = <Name extends keyof KeptCommandStarter>(
  commands: unknown,
  name: Name,
): commands is Pick<KeptCommandStarter, Name> =>
  typeof commands === 'object' &&
  commands !== null &&
  name in commands &&
  typeof Reflect.get(commands, name) === 'function';

/** The kept commands of a sandbox, with processes or without; oldest first. */
export function keptOf({ sandbox }: Pick<Entry, 'sandbox'>): readonly KeptCommand[] {
  if (sandbox === undefined || !('commands' in sandbox)) return [];
  const commands: unknown = sandbox.commands;
  return offers(commands, 'kept') ? commands.kept() : [];
}

/** @throws SandportFault `invalid_state` where commands cannot be kept */
export function starterOf(commands: object): KeptCommandStarter {
  if (offers(commands, 'keep') && offers(commands, 'kept')) return commands;
  throw new SandportFault('invalid_state', 'The driver of this sandbox cannot keep commands.');
}
