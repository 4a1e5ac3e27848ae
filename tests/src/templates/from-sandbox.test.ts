import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  build,
  buildWell,
  faultOf,
  onEachIsolation,
  readBuild,
  templatesDir,
  useDaemon,
  waitFor,
} from '../harness/index.ts';

// Named after the run: the directory of templates is shared with other tests, for `base`.
const name = `from-sandbox-${process.pid}`;
const used = useDaemon();
afterAll(async () => {
  await rm(join(templatesDir, name), { recursive: true, force: true });
});

onEachIsolation(used, (isolation) => {
  test('the disk of a sandbox, whatever it has done to it', async () => {
    const { api } = used;
    const volumes = [{ name: 'data' }];
    const source = await api.create({ isolation, volumes, env: { TOKEN: 'mine' }, name: 'source' });
    await api.asRoot(
      source.id,
      `set -e
      id > /workspace/version
      rm -r /etc/alternatives
      mkdir -p /opt/tool/deep && echo tool > /opt/tool/deep/file
      chown -R user:user /opt/tool && chmod 4750 /opt/tool/deep/file
      ln /opt/tool/deep/file /opt/tool/hard
      ln -s /etc/passwd /opt/tool/link
      ln -s /../../../../etc/shadow /etc/hostname.new && mv /etc/hostname.new /etc/hostname
      rm -rf /var/lib/dpkg && mkdir /var/lib/dpkg && echo new > /var/lib/dpkg/only
      mkfifo /opt/tool/fifo
      printf 'odd' > "/opt/tool/$(printf 'a\\nb')"
      echo secret > /mnt/data/secret
      touch -d 2001-02-03T04:05:06Z /opt/tool/hard`,
    );
    const network = { egress: 'allowlist', allow: ['host.test', '*:443/tcp'] };
    const fields = { name, from_sandbox: 'source', network, replace: true };
    const template = await buildWell(api, fields);
    expect(template).toMatchObject({ user: 'user', workdir: '/home/user', network });
    expect(template.env).not.toHaveProperty('TOKEN');
    // The sandbox goes on as it was.
    expect((await api.exec(source.id, 'cat /mnt/data/secret')).stdout).toBe('secret\n');
    await api.kill(source.id);

    for (const other of used.daemon.isolations) {
      const made = await api.create({ template: name, isolation: other });
      expect(made.network).toEqual(network);
      const { id } = made;
      expect((await api.exec(id, 'cat /proc/net/dev')).stdout).toContain('eth0');
      const said = await api.asRoot(
        id,
        `cat /opt/tool/deep/file; stat -c '%a %U:%G %h %Y' /opt/tool/deep/file; readlink /opt/tool/link
        ls /var/lib/dpkg /mnt; test -e /etc/alternatives || echo gone; ls /opt/tool | wc -l; ls -A /dev/shm
        cat /proc/sys/kernel/hostname; id user; python3 -c 'print(6 * 7)'`,
      );
      expect(said).toMatch(
        /^tool\n4750 user:user 2 981173106\n\/etc\/passwd\n\/mnt:\n(data\n)?\n\/var\/lib\/dpkg:\nonly\ngone\n[45]\n/,
      );
      expect(said).toMatch(/uid=1000\(user\)[^]*42\n$/);
      expect((await api.names(id, '/opt/tool')).sort()).toEqual(['a\nb', 'deep', 'hard', 'link']);
      if ((await api.names(id, '/mnt')).includes('data'))
        expect(await api.names(id, '/mnt/data')).toEqual([]);
      await api.kill(id);
    }
  }, 180_000);
});

test('a sandbox that is not there', async () => {
  const { fault } = await build(used.api, { name, from_sandbox: 'nobody', replace: true });
  expect(fault?.code).toBe('sandbox_not_found');
  const { api } = await used.api.newKey({ namespaces: ['team'] });
  const answer = await api.sendJson('POST', '/v1/templates/build', {
    name,
    from_sandbox: 'nobody',
  });
  faultOf(answer, 'forbidden');
});

test('a sandbox that is deleted while its disk is copied', async () => {
  const { api } = used;
  const { id } = await api.create();
  await api.asRoot(id, 'head -c 300M /dev/urandom > /large');
  const body = { name, from_sandbox: id, replace: true, detach: true };
  const answer = await api.sendJson('POST', '/v1/templates/build', body);
  expect(answer.status).toBe(202);
  const { id: buildId } = JSON.parse(answer.body.toString()) as { id: string };
  const path = `/v1/templates/builds/${buildId}`;
  const status = async () => JSON.parse((await api.send('GET', path)).body.toString()).status;
  await waitFor(async () => (await status()) !== 'queued' || undefined, {
    timeoutMs: 10_000,
    what: 'the build to begin',
  });
  await api.kill(id);
  // It was either done by then, or has ended with the sandbox.
  const ended = readBuild((await api.send('GET', `${path}/logs`)).body.toString());
  expect(ended.fault?.code ?? 'done').toMatch(/^(sandbox_not_found|done)$/);
  expect(await api.list()).toEqual([]);
}, 120_000);
