import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InitChannel } from './init-channel.ts';

test('whoever waits for the init is told at once when the channel is closed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sandport-channel-'));
  try {
    const channel = await InitChannel.listen({
      socketPath: join(directory, 'init.sock'),
      token: 't'.repeat(64),
    });
    const waiting = channel.whenConnected(600_000);
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ kind: 'disconnected' }),
      channel[Symbol.asyncDispose](),
    ]);
    await expect(channel.whenConnected(600_000)).rejects.toMatchObject({ kind: 'disconnected' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
