import { changesSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { faultOf, filePath, json, onEachIsolation, useDaemon } from '../harness/index.ts';

const used = useDaemon();

const changesOf = async (id: string, path = '/', more = '') =>
  changesSchema.parse(
    json(await used.api.send('GET', `${filePath(id, '/changes', path)}${more}`), 200),
  );

onEachIsolation(used, (isolation) => {
  test('come in pages, on a sandbox that runs and on one that has died', async () => {
    const { id } = await used.api.create({ isolation });
    expect(await changesOf(id)).toEqual({ path: '/', changes: [], truncated: false });
    await used.api.asRoot(id, 'cd /srv; seq -f %03.0f 1 250 | xargs touch; rm /etc/issue');
    await used.api.asRoot(
      id,
      "cd /srv; mknod fifo p || true; python3 -c \"open(b'/srv/z\\xff','w')\"",
    );
    const all = await changesOf(id, '/srv');
    expect(all.truncated).toBe(false);
    const last = all.changes.at(-1);
    expect(last?.name_base64).toBe(Buffer.from([0x7a, 0xff]).toString('base64'));
    const read: string[] = [];
    let cursor = '';
    do {
      const page = await changesOf(id, '/srv', `&limit=100${cursor}`);
      expect(page.changes.length).toBeLessThanOrEqual(100);
      read.push(...page.changes.map(({ path }) => path));
      cursor = page.cursor === undefined ? '' : `&cursor=${page.cursor}`;
    } while (cursor !== '');
    expect(read).toEqual(all.changes.map(({ path }) => path));
    await used.api.exec(id, 'kill -9 1', { user: 'root' }).catch(() => undefined);
    expect(await changesOf(id, '/etc/issue')).toMatchObject({
      changes: [{ change: 'deleted', path: '/etc/issue', type: 'file' }],
    });
    await used.api.kill(id);
  });
});

test('bad parameters are refused', async () => {
  const { id } = await used.api.create();
  const refused = async (more: string, code: Parameters<typeof faultOf>[1], path = '/') =>
    faultOf(await used.api.send('GET', `${filePath(id, '/changes', path)}${more}`), code);
  for (const limit of ['0', '-1', '100001', 'x', ''])
    await refused(`&limit=${limit}`, 'invalid_request');
  for (const cursor of ['%00', '!', 'Li4', 'L2V0Yw'])
    await refused(`&cursor=${cursor}`, 'invalid_request');
  await refused('&cursor=ZXRj', 'invalid_path', '/srv');
  await refused('', 'file_not_found', '/no/such');
  await refused('', 'invalid_path', 'relative');
});
