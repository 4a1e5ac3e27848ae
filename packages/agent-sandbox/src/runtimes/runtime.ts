import type { Engine, Principal } from '@sandport/engine';
import type { Exchange } from '@sandport/server';
import type { LocatedSandbox } from '../sandboxes/sandbox-directory.ts';

/** The sandbox that a request is about, and who may use it. */
export interface RuntimeTarget {
  readonly sandbox: LocatedSandbox;
  readonly principal: Principal;
}

/** What runtimes need of the engine. */
export type RuntimeEngine = Pick<Engine, 'files' | 'commands'>;

export interface RuntimeOptions {
  readonly engine: RuntimeEngine;
  /** A transfer that moves no byte for so long is given up, in milliseconds. @default 60_000 */
  readonly idleTimeoutMs?: number;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** An HTTP API that the daemon serves in the place of a program inside the sandbox. */
export interface HttpRuntime {
  /** Answers the request, errors included. Never rejects. */
  handle(exchange: Exchange, target: RuntimeTarget): Promise<void>;
}

/** Ports of a sandbox behind which the daemon itself answers. */
export const runtimePorts = { python: 8888, sandboxd: 8080, process: 9090 } as const;
