import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { onEachIsolation, useDaemon, useSandbox } from '../harness/index.ts';
import { tusOptions, tusUpload } from './tus-upload.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const sandbox = useSandbox(used, isolation);

  test('the stock client uploads in chunks, and the file is what a command reads', async () => {
    const { api, daemon } = used;
    const bytes = randomBytes(5_000_000);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const metadata = { mode: '0751', mtime: '1700000000.25', sha256, filename: 'any' };
    const options = { chunkSize: 1_000_000, metadata };
    const path = `/workspace/new directory/${isolation} ü`;
    const { last } = await tusUpload(bytes, tusOptions(daemon, sandbox.id, path, options));
    const answer = await api.exec(sandbox.id, `sha256sum "${path}"; stat -c '%a %U %Y' "${path}"`);
    expect(answer.stdout).toBe(`${sha256}  ${path}\n751 user 1700000000\n`);
    expect(last?.getHeader('etag')).toBe((await api.open(sandbox.id, path)).headers.etag);
    expect(await api.names(sandbox.id, '/workspace/new directory')).toHaveLength(1);
  });
});
