import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  faultOf,
  onEachIsolation,
  openSocket,
  testRun,
  useDaemon,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';

const bin = mkdtempSync(join(testRun().tempDir, 'bin-'));
afterAll(() => rmSync(bin, { recursive: true, force: true }));

const realPath = process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin';

/** Runtimes that fail on demand: before they have done anything, or after they have done it all. */
for (const name of ['runc', 'runsc', 'crun']) {
  const real = realPath
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((file) => existsSync(file));
  if (real === undefined) continue;
  const script = `#!/bin/sh
case " $* " in *" run "*)
  if [ -e ${bin}/fail-before ]; then exit 1; fi
  if [ -e ${bin}/fail-after ]; then ${real} "$@"; exit 1; fi
  if [ -e ${bin}/hang ]; then exec sleep 30; fi
esac
exec ${real} "$@"
`;
  writeFileSync(join(bin, name), script);
  chmodSync(join(bin, name), 0o755);
}
const used = useDaemon({ env: { PATH: `${bin}${delimiter}${realPath}` } });

async function withFlag<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
  const flag = join(bin, name);
  mkdirSync(flag);
  try {
    return await action();
  } finally {
    rmSync(flag, { recursive: true });
  }
}

onEachIsolation(used, (isolation) => {
  const fields = {
    isolation,
    name: 'half-made',
    volumes: [{ name: 'v' }],
    resources: { disk_mb: 32 },
  };
  const create = () => used.api.sendJson('POST', '/v1/sandboxes', fields);

  test.each(['fail-before', 'fail-after'])(
    'a create whose runtime fails (%s) leaves nothing',
    async (flag) => {
      const answer = await withFlag(flag, create);
      const fault = faultOf(answer, 'create_failed');
      expect(fault.error).toMatch(/: run(c|sc): it ended with 1/);
      expect(await used.api.list()).toEqual([]);
      await waitForOnly(used.daemon, []);
      // Neither the name nor the volume is taken.
      const { id } = await used.api.create(fields);
      expect((await used.api.exec(id, 'echo made')).stdout).toBe('made\n');
      await used.api.kill(id);
      await waitForOnly(used.daemon, []);
    },
  );

  test('a client that goes away during a create takes the sandbox with it', async () => {
    await withFlag('hang', async () => {
      const socket = await openSocket(used.daemon.url);
      const body = JSON.stringify(fields);
      socket.write(
        `POST /v1/sandboxes HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.daemon.apiKey}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await waitFor(async () => (await used.api.list()).length === 1);
      expect(await used.api.list()).toMatchObject([{ status: 'creating', name: 'half-made' }]);
      socket.destroy();
      await waitFor(async () => (await used.api.list()).length === 0);
      await waitForOnly(used.daemon, []);
    });
  });

  test('a sandbox that is deleted while it is made never comes to be', async () => {
    await withFlag('hang', async () => {
      const creating = create();
      const [made] = await waitFor(async () => {
        const listed = await used.api.list();
        return listed.length === 1 && listed;
      });
      await used.api.kill(made?.id ?? '');
      faultOf(await creating, 'create_failed');
      expect(await used.api.list()).toEqual([]);
      await waitForOnly(used.daemon, []);
    });
  });
});
