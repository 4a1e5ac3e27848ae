import type { CommandOptions } from './command-options.ts';
import type { OutputCallbacks } from './output-callbacks.ts';
import type { CommandInput } from './stdin-chunks.ts';

export interface RunOptions extends Omit<CommandOptions, 'stdin'>, OutputCallbacks {
  /** Given to the command, whose input is then closed; a stream as it comes. @default nothing */
  stdin?: CommandInput | undefined;
  /** Throw `CommandError` when the command fails. @default false */
  check?: boolean | undefined;
}
