import type { KeptCommand } from '@sandport/driver';
import type { Entry } from '../../sandboxes/entry.ts';

/** The kept commands of a sandbox, with processes or without; oldest first. */
export const keptOf = ({ sandbox }: Pick<Entry, 'sandbox'>): readonly KeptCommand[] =>
  sandbox?.commands.kept() ?? [];
