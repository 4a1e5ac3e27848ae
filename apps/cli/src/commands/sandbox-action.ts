import type { Command } from 'commander';
import { type Client, Sandbox } from 'sandport';
import { clientFlags, clientOf } from '../client-flags.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { interruptible } from '../interrupt.ts';
import { printJson } from '../output/print.ts';
import { whileWaiting } from '../output/progress.ts';
import { printError } from '../print-error.ts';
import type { SetExitCode } from '../program.ts';

/** What a command about sandboxes works with. */
export interface ActionContext {
  /** Print JSON. */
  readonly json: boolean;
  readonly client: Client;
  readonly signal: AbortSignal;
}

/** Runs the work of a command; Ctrl-C ends it cleanly. */
export function withClient<Result>(
  self: Command,
  work: (context: ActionContext) => Promise<Result>,
): Promise<Result> {
  const common = clientFlags(self);
  const client = clientOf(common);
  return interruptible((signal) => work({ json: common.json === true, client, signal }));
}

/** The same for a command about one sandbox. */
export function withSandbox<Result>(
  self: Command,
  box: string,
  work: (sandbox: Sandbox, context: ActionContext) => Promise<Result>,
): Promise<Result> {
  return withClient(self, async (context) =>
    work(await Sandbox.get(box, context.client, context), context),
  );
}

export interface EachSandbox {
  readonly self: Command;
  readonly boxes: readonly string[];
  readonly setExitCode: SetExitCode;
  /** What a terminal shows while it takes a while. */
  readonly waiting: string;
}

/**
 * Does the same to several sandboxes at once. What fails is told, and gives the exit code; with
 * `--json` the results of the others are printed in one array.
 */
export function forEachSandbox<Result>(
  { self, boxes, setExitCode, waiting }: EachSandbox,
  act: (sandbox: Sandbox, signal: AbortSignal, box: string) => Promise<Result>,
  print: (box: string, result: Result) => void,
): Promise<void> {
  return withClient(self, async ({ json, client, signal }) => {
    const ends = await whileWaiting(waiting, () =>
      Promise.allSettled(
        boxes.map(async (box) => act(await Sandbox.get(box, client, { signal }), signal, box)),
      ),
    );
    signal.throwIfAborted();
    const results: Result[] = [];
    for (const [index, end] of ends.entries()) {
      if (end.status === 'fulfilled') {
        results.push(end.value);
        if (!json) print(boxes[index] ?? '', end.value);
      } else {
        printError(end.reason);
        setExitCode(exitCodeOf(end.reason));
      }
    }
    if (json) printJson(results);
  });
}
