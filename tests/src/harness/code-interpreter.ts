import { Client } from 'sandport';
import { beforeAll } from 'vitest';
import type { UsedDaemon } from './use-daemon.ts';

/** Builds `code-interpreter` before the tests: about two minutes the first time, kept for later runs. */
export function useCodeInterpreter(used: UsedDaemon): void {
  beforeAll(async () => {
    const { url, apiKey } = used.daemon;
    const { templates } = new Client({ url, apiKey });
    const { status } = await templates.get('code-interpreter');
    if (status !== 'ready') await templates.build('code-interpreter');
  }, 900_000);
}
