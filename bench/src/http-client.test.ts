import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFloorServer } from './floor-server.ts';
import { ByteClient } from './http-client.ts';

test('client and floor move whole files and leave no temporary one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sandport-bench-'));
  const server = createFloorServer(directory).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = new ByteClient({ baseUrl: `http://127.0.0.1:${port}/`, headers: {} });
  try {
    await client.put('/small', 1024);
    await client.put('/large', 5_000_001);
    expect(await client.get('/small')).toBe(1024);
    expect(await client.get('/large')).toBe(5_000_001);
    expect((await stat(join(directory, '_large'))).size).toBe(5_000_001);
    expect(await readdir(directory)).toHaveLength(2);
    await expect(client.get('/missing')).rejects.toThrow('500');
  } finally {
    client.close();
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
});
