import { status } from '@grpc/grpc-js';
import type { OpenCommand } from '@sandport/engine';
import { StatusError } from './status-error.ts';

/** A process that runs, with its input and terminal in reach. */
export interface RunningProcess {
  readonly command: OpenCommand;
  readonly hasTerminal: boolean;
}

/** The processes that were started and run. Each belongs to its sandbox, and is known only there. */
export class ProcessTable {
  readonly #sandboxes = new Map<string, Map<number, RunningProcess>>();

  add(sandboxId: string, process: RunningProcess): void {
    const processes = this.#sandboxes.get(sandboxId) ?? new Map<number, RunningProcess>();
    this.#sandboxes.set(sandboxId, processes.set(process.command.pid, process));
  }

  /** @throws StatusError NOT_FOUND */
  get(sandboxId: string, processId: number): RunningProcess {
    const process = this.#sandboxes.get(sandboxId)?.get(processId);
    if (process === undefined)
      throw new StatusError(status.NOT_FOUND, `No process ${processId} runs in this sandbox.`);
    return process;
  }

  /** Only if it is still that one: numbers of processes come again. */
  remove(sandboxId: string, process: RunningProcess): void {
    const processes = this.#sandboxes.get(sandboxId);
    if (processes?.get(process.command.pid) !== process) return;
    processes.delete(process.command.pid);
    if (processes.size === 0) this.#sandboxes.delete(sandboxId);
  }
}
