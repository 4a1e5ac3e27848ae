import type { Isolation } from '@sandport/protocol';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { Api, CreatedSandbox } from './api.ts';
import { type StartDaemonOptions, startDaemon, type TestDaemon } from './daemon.ts';

/** One daemon for the tests of a file or a suite. */
export interface UsedDaemon {
  readonly daemon: TestDaemon;
  readonly api: Api;
}

/** Starts a daemon before the tests of this file or suite and ends it after them. */
export function useDaemon(options: StartDaemonOptions = {}): UsedDaemon {
  let daemon: TestDaemon | undefined;
  beforeAll(async () => {
    daemon = await startDaemon(options);
  });
  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
  });
  const started = () => {
    if (daemon === undefined) throw new Error('the daemon is started before the first test');
    return daemon;
  };
  return {
    get daemon() {
      return started();
    },
    get api() {
      return started().api;
    },
  };
}

/** The same tests on both isolations; where one does not work they are skipped with the reason. */
export function onEachIsolation(used: UsedDaemon, body: (isolation: Isolation) => void): void {
  for (const isolation of ['gvisor', 'container'] as const) {
    describe(isolation, () => {
      beforeEach((context) => {
        if (!used.daemon.isolations.includes(isolation))
          context.skip(`${isolation} does not work on this machine; see \`sandport doctor\``);
      });
      body(isolation);
    });
  }
}

export interface UsedSandbox {
  readonly id: string;
  readonly object: CreatedSandbox;
}

/** Makes a sandbox before the tests of this suite. */
export function useSandbox(
  used: UsedDaemon,
  isolation: Isolation,
  fields: Readonly<Record<string, unknown>> = {},
): UsedSandbox {
  let object: CreatedSandbox | undefined;
  beforeAll(async () => {
    if (used.daemon.isolations.includes(isolation))
      object = await used.api.create({ isolation, ...fields });
  });
  afterAll(async () => {
    // A test may have deleted it.
    if (object !== undefined) await used.api.send('DELETE', `/v1/sandboxes/${object.id}`);
  });
  const made = () => {
    if (object === undefined) throw new Error('the sandbox is made before the first test');
    return object;
  };
  return {
    get id() {
      return made().id;
    },
    get object() {
      return made();
    },
  };
}
