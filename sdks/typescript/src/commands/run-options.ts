import type { OnRetry } from '../http/patience.ts';
import type { CommandOptions } from './command-options.ts';
import type { OutputCallbacks } from './output-callbacks.ts';
import type { CommandInput } from './stdin-chunks.ts';

export interface RunOptions extends Omit<CommandOptions, 'stdin'>, OutputCallbacks {
  /** Given to the command, whose input is then closed; a stream as it comes. @default nothing */
  stdin?: CommandInput | undefined;
  /** Throw `CommandError` when the command fails. @default false */
  check?: boolean | undefined;
  /** Do not wait: give a handle to the command, which goes on by itself. @default false */
  background?: false | undefined;
  /**
   * Let the command live through a broken connection, and a restart of the daemon: it is found
   * again, and its output is read on where it broke off. It then also outlives this process when
   * that is killed. @default false: the command ends with its connection
   */
  reconnect?: boolean | undefined;
  /** With `reconnect`: called when the connection broke, before each attempt to make it again. */
  onRetry?: OnRetry | undefined;
}

export interface StartOptions
  extends Omit<RunOptions, 'stdin' | 'background' | 'reconnect' | 'signal'> {
  background: true;
  /** Input to be given, and then closed; true: `sendStdin` gives it. @default nothing */
  stdin?: CommandInput | true | undefined;
  /** Gives it a terminal, in characters. Then all that it writes is stdout. @default none */
  terminal?: { readonly rows: number; readonly cols: number } | undefined;
  /** Bytes that the daemon keeps of each of stdout and stderr; older ones go. @default 16777216 */
  outputLimitBytes?: number | undefined;
  /** Gives up the starting; a command that runs is left alone. */
  signal?: AbortSignal | undefined;
}
