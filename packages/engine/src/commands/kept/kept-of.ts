import type { KeptCommand } from '@sandport/driver';
import { isKernel } from '../../code/context-details.ts';
import type { Entry } from '../../sandboxes/entry.ts';

/** The kept commands of a sandbox that clients started, with processes or without; oldest first. */
export const keptOf = ({ sandbox }: Pick<Entry, 'sandbox'>): readonly KeptCommand[] =>
  (sandbox?.commands.kept() ?? []).filter((command) => !isKernel(command));
