import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  expectNothingLeft,
  filePath,
  onEachIsolation,
  temporaryFiles,
  useDaemon,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();
const mebibyte = 2 ** 20;

/** How many bytes both begin with. */
function commonBytes(left: Buffer, right: Buffer): number {
  const length = Math.min(left.length, right.length);
  const step = 65_536;
  let at = 0;
  while (at < length && left.subarray(at, at + step).equals(right.subarray(at, at + step)))
    at = Math.min(at + step, length);
  while (at < length && left[at] === right[at]) at += 1;
  return at;
}

onEachIsolation(used, (isolation) => {
  test('kill -9 during appends, writes at an offset and copies', { timeout: 120_000 }, async () => {
    const { daemon } = used;
    const { id } = await used.api.create({ isolation });
    const old = Buffer.alloc(8 * mebibyte, 'o');
    const added = randomBytes(32 * mebibyte);
    const outcomes = new Set<string>();
    for (const delayMs of [40, 80, 120, 180]) {
      await used.api.write(id, '/workspace/log', old);
      await used.api.write(id, '/workspace/image', old);
      await used.api.asRoot(id, 'rm -rf /workspace/copy /workspace/file; mkdir -p /workspace/tree');
      await used.api.asRoot(id, 'cd /workspace/tree; for i in $(seq 300); do echo $i > $i; done');
      const put = (path: string, query: string) =>
        used.api.send('PUT', `${filePath(id, '', path)}${query}`, { body: added });
      const copy = (from: string, to: string) =>
        used.api.sendJson('POST', `/v1/sandboxes/${id}/fs/copy`, { from, to });
      const work = [
        put('/workspace/log', '&append=true'),
        put('/workspace/image', '&offset=1000'),
        copy('/workspace/tree', '/workspace/copy'),
        copy('/workspace/image', '/workspace/file'),
      ].map((answer) =>
        answer.then(
          ({ status }) => status,
          () => 'cut',
        ),
      );
      await sleep(delayMs);
      await daemon.kill9();
      const [appended, placed, copied] = await Promise.all(work);
      await daemon.start();
      const log = await used.api.read(id, '/workspace/log');
      // The old bytes, and of the new ones as many as were written: a beginning of them.
      expect(log.subarray(0, old.length).equals(old)).toBe(true);
      const more = log.subarray(old.length);
      expect(more.equals(added.subarray(0, more.length))).toBe(true);
      if (appended === 200) expect(more).toHaveLength(added.length);
      outcomes.add(more.length === 0 ? 'none' : more.length < added.length ? 'part' : 'all');
      const image = await used.api.read(id, '/workspace/image');
      // Of the new ones a beginning, and behind them what was there.
      const count = commonBytes(image.subarray(1000), added);
      const mixed = [old.subarray(0, 1000), added.subarray(0, count), old.subarray(1000 + count)];
      expect(image.equals(Buffer.concat(mixed))).toBe(true);
      if (placed === 200) expect(count).toBe(added.length);
      const names = await used.api.asRoot(id, 'ls /workspace/copy 2>/dev/null | wc -l');
      expect(['0\n', '300\n']).toContain(names);
      if (copied === 200) expect(names).toBe('300\n');
      // What is left of the copy is removed while the daemon serves already.
      await waitFor(async () => (await temporaryFiles(used, id)).length === 0);
      await expectNothingLeft(used, id);
    }
    expect(outcomes.size).toBeGreaterThan(0);
    await used.api.kill(id);
  });
});
