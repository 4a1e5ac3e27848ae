import type { Isolation } from '@sandport/protocol';
import { Client, Sandbox, type SandboxCreateOptions } from 'sandport';
import { afterAll, beforeAll } from 'vitest';
import type { UsedDaemon } from '../harness/index.ts';

/** A client of the daemon under test. */
export const clientOf = ({ daemon }: UsedDaemon): Client =>
  new Client({ url: daemon.url, apiKey: daemon.apiKey });

/** Makes a sandbox through the SDK before the tests of this suite and kills it after them. */
export function useSdkSandbox(
  used: UsedDaemon,
  isolation: Isolation,
  options: SandboxCreateOptions = {},
): { readonly sandbox: Sandbox } {
  let sandbox: Sandbox | undefined;
  beforeAll(async () => {
    if (used.daemon.isolations.includes(isolation))
      sandbox = await Sandbox.create({ isolation, ...options }, clientOf(used));
  });
  afterAll(() => sandbox?.kill());
  return {
    get sandbox() {
      if (sandbox === undefined) throw new Error('the sandbox is made before the first test');
      return sandbox;
    },
  };
}

/** What a promise is rejected with; fails when it is not. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was expected to fail');
}
